// Systems and what follows from LU and Cholesky: solve, inv, det, slogdet, triangles.
// Orthogonal and spectral factorisations are in linalg_spectral.cpp.
#include "ops/linalg/linalg.h"

#include "autograd/record.h"
#include "ops/linalg/linalg_matrix.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/movement.h"
#include "ops/movement/views.h"
#include "ops/rows.h"

namespace kagari::ops {

static constexpr const char* kSingular = "The solver failed because the input matrix is singular.";

struct Factors {
    Tensor lu, pivots;  // pivots as LAPACK gives them
    Verdicts verdicts;
};

static Factors factor(const Tensor& a, bool pivot = true) {
    int64_t k = std::min(rows(a), cols(a));
    Factors f{copy_columns(a), empty(with_lead(a, {k}), DType::I32, a.device()), Verdicts(a)};
    if (a.is_meta() || !a.numel()) return f;
    auto* order = f.pivots.data<int32_t>();
    if (pivot) {
        cpu::lu_factor(f.verdicts.stack(a), rows(a), cols(a), f.lu.data(), order);
    } else {
        cpu::lu_unpivoted(f.verdicts.stack(a), rows(a), cols(a), f.lu.data());
        for (int64_t i = 0; i < f.pivots.numel(); i++) order[i] = int32_t(i % k) + 1;
    }
    return f;
}

static Three lu_factor_body(const Tensor& a, bool pivot) {
    check_matrix("linalg.lu_factor", a);
    Factors f = factor(a, pivot);
    return {f.lu, f.pivots, f.verdicts.tensor(a)};
}
const Op<Three(const Tensor&, bool)> linalg_lu_factor{
    "_linalg_lu_factor(Tensor A, bool pivot=True) -> (Tensor, Tensor, Tensor)", "p", lu_factor_body,
    ""};

// The order of rows that the exchanges leave.
static Tensor lu_order_body(const Tensor& pivots, int64_t count) {
    int64_t k = pivots.sizes().back();
    Dims sizes(pivots.sizes());
    sizes.back() = count;
    Tensor order = empty(sizes, DType::I64, pivots.device()), plain = raw_contiguous(pivots);
    if (order.is_meta() || order.numel() == 0) return order;
    const int32_t* exchange = plain.data<int32_t>();
    for (int64_t* row = order.data<int64_t>(); row != order.data<int64_t>() + order.numel();
         row += count) {
        for (int64_t i = 0; i < count; i++) row[i] = i;
        for (int64_t i = 0; i < k; i++, exchange++) {
            check<RuntimeError>(i < count && *exchange >= 1 && *exchange <= count,
                                "lu_unpack: pivots must be between 1 and the number of rows, ",
                                count, ", got ", *exchange, "; pass those of lu_factor");
            std::swap(row[i], row[*exchange - 1]);
        }
    }
    return order;
}
static const Op<Tensor(const Tensor&, int64_t)> linalg_lu_order{
    "_linalg_lu_order(Tensor pivots, int rows) -> Tensor", "p", lu_order_body, ""};

static Tensor identity_like(const Tensor& square) {
    Tensor eye = empty(square.sizes().last(2), square.dtype(), square.device());
    write_identity(eye);
    return eye;
}

static Tensor triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit) {
    return linalg_solve_triangular(a, b, upper, left, unit);
}

static Tensor lu_known_body(const Tensor& b, const Tensor& lu) {
    Tensor out = raw_view(lu, lu.sizes(), lu.strides(), lu.offset());
    if (should_record(b))
        record("LinalgLuBackward0", {out}, {b}, {out}, [](Backward& ctx) -> Tensors {
            Tensor lu = ctx.saved(0), g = ctx.grad();
            Tensor l = add(tril(lu, -1), identity_like(lu)), u = triu(lu, 0);
            Tensor inner = add(tril(matmul(adjoint(l), tril(g, -1)), -1),
                               triu(matmul(triu(g, 0), adjoint(u)), 0));
            Tensor left = triangular(adjoint(l), inner, true, true, true);
            return {triangular(adjoint(u), left, false, false, false)};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&)> linalg_lu_known{
    "_linalg_lu_known(Tensor B, Tensor LU) -> Tensor", "p", lu_known_body, ""};

static Tensor solved(const char* op, const Tensor& a, const Tensor& b, const char* failure) {
    Factors f = factor(a);
    f.verdicts.check(op, failure);
    Tensor x = copy_columns(b);
    if (!a.is_meta() && x.numel())
        cpu::lu_solve(f.verdicts.stack(a), 'N', rows(a), cols(b), f.lu.data(),
                      f.pivots.data<int32_t>(), x.data());
    return x;
}

static Tensor solve_body(const Tensor& a, const Tensor& b) {
    check_square("linalg.solve", a);
    check<RuntimeError>(a.dtype() == b.dtype(), "linalg.solve: Expected A and B to have the same ",
                        "dtype, but found A of type ", name(a.dtype()), " and B of type ",
                        name(b.dtype()), " instead");
    check<RuntimeError>(b.dim() == a.dim() && rows(b) == rows(a) && same_sizes(lead(a), lead(b)),
                        "linalg.solve: Incompatible shapes of A ", a.sizes(), " and B ", b.sizes());
    Tensor x = solved("torch.linalg.solve", a, b, kSingular);
    if (should_record(a, b))
        record("LinalgSolveExBackward0", {x}, {a, b}, {a, x}, [](Backward& ctx) -> Tensors {
            Tensor gb = linalg_solve(adjoint(ctx.saved(0)), ctx.grad()), ga;
            if (ctx.needs(0)) ga = neg(matmul(gb, adjoint(ctx.saved(1))));
            return {ga, gb};
        });
    return x;
}
const Op<Tensor(const Tensor&, const Tensor&)> linalg_solve{
    "_linalg_solve(Tensor A, Tensor B) -> Tensor", "p", solve_body, ""};

static Tensor inv_body(const Tensor& a) {
    check_square("linalg.inv", a);
    Tensor eye = empty(a.sizes(), a.dtype(), a.device());
    write_identity(eye);
    Tensor out = solved("linalg.inv", a, eye,
                        "The diagonal element % is zero, the inversion could not be completed "
                        "because the input matrix is singular.");
    if (should_record(a))
        record("LinalgInvExBackward0", {out}, {a}, {out}, [](Backward& ctx) -> Tensors {
            Tensor h = adjoint(ctx.saved(0));
            return {neg(matmul(matmul(h, ctx.grad()), h))};
        });
    return out;
}
const Op<Tensor(const Tensor&)> linalg_inv{"_linalg_inv(Tensor A) -> Tensor", "p", inv_body, ""};

// Product of the diagonal of U with the sign of the exchanges; as sign and logarithm if `log`.
template <class T>
static void determinants(const Factors& f, int64_t n, T* det, T* log) {
    for (int64_t i = 0; i < int64_t(f.verdicts.info.size()); i++) {
        const T* lu = f.lu.data<T>() + i * n * n;
        const int32_t* pivots = f.pivots.data<int32_t>() + i * n;
        T value = T(1), sum = T(0);
        for (int64_t d = 0; d < n; d++) {
            T entry = lu[d * n + d];
            if (pivots[d] != d + 1) value = -value;
            if (log) sum += T(std::log(std::abs(entry)));
            if (log) entry = entry == T(0) ? T(0) : entry / T(std::abs(entry));
            value *= entry;
        }
        det[i] = value;
        if (log) log[i] = sum;
    }
}

template <class F>
static void visit_matrix(DType dtype, F f) {
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_floating_point_v<T> || (kIsComplex<T> && !std::is_same_v<T, c32>))
            f(tag);
    });
}

// The derivative of det where A has no inverse: products of all singular values but one.
static Tensor cofactors(const Tensor& a) {
    auto [u, s, vh] = linalg_svd(a, false, true);
    int64_t n = cols(a);
    Tensor eye = identity_like(a), others;
    Tensor square = where(gt(is_complex(a.dtype()) ? abs(eye) : eye, 0.5), 1.0, unsqueeze(s, -2));
    for (int64_t i = 0; i < n; i++) {
        Tensor factor = select(square, -1, i);
        others = i ? mul(others, factor) : factor;
    }
    Tensor phase = conjugate(mul(linalg_det(u), linalg_det(vh)));
    return mul(unsqueeze(unsqueeze(phase, -1), -1), matmul(mul(u, unsqueeze(others, -2)), vh));
}

/// To choose a formula; no derivative goes through it.
static bool any_zero(const Tensor& t) {
    MadeOfOps nobody(nullptr);
    Tensor plain = raw_contiguous(t);
    bool found = false;
    visit(t.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        for (int64_t i = 0; i < plain.numel(); i++) found |= plain.data<T>()[i] == T(0);
    });
    return found;
}

static Tensor det_body(const Tensor& a) {
    check_square("linalg.det", a);
    Factors f = factor(a);
    Tensor out = empty(lead(a), a.dtype(), a.device());
    if (!a.is_meta())
        visit_matrix(a.dtype(), [&](auto tag) {
            using T = typename decltype(tag)::type;
            determinants<T>(f, rows(a), out.data<T>(), nullptr);
        });
    if (should_record(a))
        record("LinalgDetBackward0", {out}, {a}, {a, out}, [](Backward& ctx) -> Tensors {
            Tensor a = ctx.saved(0), det = ctx.saved(1);
            Tensor g = unsqueeze(unsqueeze(ctx.grad(), -1), -1);
            if (any_zero(det)) return {mul(g, cofactors(a))};
            Tensor scale = mul(g, conjugate(unsqueeze(unsqueeze(det, -1), -1)));
            return {mul(scale, adjoint(linalg_inv(a)))};
        });
    return out;
}
const Op<Tensor(const Tensor&)> linalg_det{"_linalg_det(Tensor A) -> Tensor", "p", det_body, ""};

static Two slogdet_body(const Tensor& a) {
    check_square("linalg.slogdet", a);
    Factors f = factor(a);
    Tensor sign = empty(lead(a), a.dtype(), a.device()),
           log = empty(lead(a), a.dtype(), a.device());
    if (!a.is_meta())
        visit_matrix(a.dtype(), [&](auto tag) {
            using T = typename decltype(tag)::type;
            determinants<T>(f, rows(a), sign.data<T>(), log.data<T>());
        });
    if (is_complex(a.dtype())) {
        Tensor real = empty(lead(a), real_counterpart(a.dtype()), a.device());
        if (!a.is_meta()) copy_elements(real, log);
        log = real;
    }
    if (should_record(a))
        record("LinalgSlogdetBackward0", {sign, log}, {a}, {a, sign}, [](Backward& ctx) -> Tensors {
            Tensor a = ctx.saved(0), g = ctx.grad(1);
            if (is_complex(a.dtype()) && ctx.grad(0).defined()) {
                // the sign turns by the imaginary part of d log det
                Tensor turn = mul(conjugate(ctx.grad(0)), ctx.saved(1));
                Tensor part = mul(sub(turn, conjugate(turn)), -0.5);
                g = g.defined() ? add(g, part) : part;
            }
            if (!g.defined()) return {zeros_like(a)};
            g = unsqueeze(unsqueeze(g, -1), -1);
            return {mul(g, adjoint(linalg_inv(a)))};
        });
    return {sign, log};
}
const Op<Two(const Tensor&)> linalg_slogdet{"_linalg_slogdet(Tensor A) -> (Tensor, Tensor)", "p",
                                            slogdet_body, ""};

static Tensor solve_triangular_body(const Tensor& a, const Tensor& b, bool upper, bool left,
                                    bool unit) {
    check_square("linalg.solve_triangular", a);
    check<RuntimeError>(a.dtype() == b.dtype(),
                        "linalg.solve_triangular: Expected A and B to have ",
                        "the same dtype, but found ", name(a.dtype()), " and ", name(b.dtype()));
    check<RuntimeError>(
        b.dim() == a.dim() && same_sizes(lead(a), lead(b)) && cols(a) == (left ? rows(b) : cols(b)),
        "linalg.solve_triangular: Incompatible shapes of A ", a.sizes(), " and B ", b.sizes(),
        " for the equation ", left ? "AX = B" : "XA = B");
    Tensor x = copy_columns(b);
    if (!a.is_meta() && x.numel())
        cpu::triangular_solve({a.dtype(), matrix_count(a), nullptr}, {left, upper, unit}, rows(b),
                              cols(b), copy_columns(a).data(), x.data());
    if (should_record(a, b))
        record(
            "LinalgSolveTriangularBackward0", {x}, {a, b}, {a, x}, [=](Backward& ctx) -> Tensors {
                Tensor gb = triangular(adjoint(ctx.saved(0)), ctx.grad(), !upper, left, unit), ga;
                if (ctx.needs(0)) {
                    Tensor xh = adjoint(ctx.saved(1));
                    ga = neg(left ? matmul(gb, xh) : matmul(xh, gb));
                    ga = upper ? triu(ga, unit ? 1 : 0) : tril(ga, unit ? -1 : 0);
                }
                return {ga, gb};
            });
    return x;
}
const Op<Tensor(const Tensor&, const Tensor&, bool, bool, bool)> linalg_solve_triangular{
    "_linalg_solve_triangular(Tensor A, Tensor B, bool upper, bool left, bool unit) -> Tensor", "p",
    solve_triangular_body, ""};

static Tensor halved_diagonal(const Tensor& lower) {
    return sub(lower, mul(sub(lower, tril(lower, -1)), 0.5));
}

static Two cholesky_body(const Tensor& a, bool upper) {
    check_square("linalg.cholesky", a);
    Verdicts verdicts(a);
    Tensor work = copy_columns(a);
    if (!a.is_meta() && a.numel()) cpu::cholesky(verdicts.stack(a), upper, rows(a), work.data());
    Tensor out;
    {
        NoGrad guard;
        out = empty_columns(a, rows(a), cols(a), a.dtype());
        if (!a.is_meta()) copy_elements(out, upper ? triu(work, 0) : tril(work, 0));
    }
    if (should_record(a))
        record("LinalgCholeskyExBackward0", {out}, {a}, {out}, [upper](Backward& ctx) -> Tensors {
            Tensor l = upper ? adjoint(ctx.saved(0)) : ctx.saved(0);
            Tensor g = upper ? adjoint(ctx.grad()) : ctx.grad();
            Tensor phi = halved_diagonal(tril(matmul(adjoint(l), g), 0));
            Tensor left = triangular(adjoint(l), phi, true, true, false);
            Tensor ga = triangular(l, left, false, false, false);
            return {mul(add(ga, adjoint(ga)), 0.5)};
        });
    return {out, verdicts.tensor(a)};
}
const Op<Two(const Tensor&, bool)> linalg_cholesky{
    "_linalg_cholesky(Tensor A, bool upper) -> (Tensor, Tensor)", "p", cholesky_body, ""};

static Two lstsq_body(const Tensor& a, const Tensor& b, double rcond) {
    int64_t m = rows(a), n = cols(a), columns = cols(b);
    Tensor work = copy_columns(a), x = empty_columns(a, std::max(m, n), columns, a.dtype());
    Tensor rank = empty(lead(a), DType::I64, a.device());
    if (a.is_meta()) return {x, rank};
    fill(x, 0);
    fill(rank, 0);
    Dims top(b.sizes());
    copy_elements(raw_view(x, top, x.strides(), x.offset()), b);
    Verdicts verdicts(a);
    if (a.numel() && b.numel())
        cpu::least_squares(verdicts.stack(a), m, n, columns, rcond, work.data(), x.data(),
                           rank.data<int64_t>());
    return {x, rank};
}
static const Op<Two(const Tensor&, const Tensor&, double)> linalg_lstsq{
    "_linalg_lstsq(Tensor A, Tensor B, float rcond) -> (Tensor, Tensor)", "p", lstsq_body, ""};

}  // namespace kagari::ops
