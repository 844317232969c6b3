// Orthogonal and spectral factorisations with their gradients: qr, svd, eigh, eig.
#include "autograd/record.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_matrix.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/movement.h"
#include "ops/movement/views.h"
#include "ops/rows.h"

namespace kagari::ops {

static constexpr const char* kDiverged =
    "The algorithm failed to converge because the input matrix contained non-finite values, is "
    "ill-conditioned or has too many repeated values (error code: %).";

static Tensor sum_of(const Tensor& a, const Tensor& b) {
    return !a.defined() ? b : !b.defined() ? a : add(a, b);
}

static Tensor diagonal_of(const Tensor& t) { return diagonal(t, 0, -2, -1); }

static Tensor identity(const Tensor& like, int64_t n, DType dtype) {
    Tensor eye = empty(Dims{n, n}, dtype, like.device());
    write_identity(eye);
    return eye;
}

static Tensor real_part(const Tensor& t) {
    return is_complex(t.dtype()) ? select(view_as_real(t), -1, 0) : t;
}

// X + X^H with the diagonal counted once.
static Tensor symmetrised_triangle(const Tensor& x) {
    return sub(add(x, adjoint(x)), diag_embed(real_part(diagonal_of(x)), 0, -2, -1));
}

static Tensors qr_backward(Backward& ctx, int64_t mode) {
    Tensor q = ctx.saved(0), r = ctx.saved(1), gq = ctx.grad(0), gr = ctx.grad(1);
    check<RuntimeError>(mode != 2,
                        "linalg.qr: The derivative of linalg.qr depends on Q, which is not "
                        "computed when mode='r'. Use mode='reduced' instead.");
    check<RuntimeError>(mode == 0 || rows(q) == cols(r),
                        "linalg.qr: The QR decomposition is not "
                        "differentiable when mode='complete' and nrows > ncols");
    Tensor inner;
    if (gr.defined()) inner = matmul(gr, adjoint(r));
    if (gq.defined()) inner = sum_of(inner, neg(matmul(adjoint(q), gq)));
    Tensor g = matmul(q, symmetrised_triangle(triu(inner, 0)));
    return {linalg_solve_triangular(adjoint(r), sum_of(g, gq), false, false, false)};
}

static Two qr_body(const Tensor& a, int64_t mode) {
    check_matrix("linalg.qr", a);
    int64_t m = rows(a), n = cols(a), k = std::min(m, n), columns = mode == 1 ? m : k;
    Tensor work = copy_columns(a), q = empty_columns(a, m, mode == 2 ? 0 : columns, a.dtype());
    Tensor r = empty_columns(a, columns, n, a.dtype());
    if (mode != 2) write_identity(q);
    if (!a.is_meta()) {
        NoGrad guard;
        if (a.numel())
            cpu::qr({a.dtype(), matrix_count(a), nullptr}, m, n, columns, work.data(),
                    mode == 2 ? nullptr : q.data());
        copy_elements(r, triu(raw_view(work, r.sizes(), work.strides(), work.offset()), 0));
    }
    if (should_record(a))
        record("LinalgQrBackward0", {q, r}, {a}, {q, r},
               [mode](Backward& ctx) { return qr_backward(ctx, mode); });
    return {q, r};
}
const Op<Two(const Tensor&, int64_t)> linalg_qr{
    "_linalg_qr(Tensor A, int mode) -> (Tensor, Tensor)", "p", qr_body, ""};

// 1 / (s_j^2 - s_i^2) off the diagonal, 0 on it.
static Tensor inverse_gaps(const Tensor& values, bool squared) {
    Tensor v = squared ? square(values) : values;
    Tensor gaps = sub(unsqueeze(v, -2), unsqueeze(v, -1));
    Tensor eye = identity(values, cols(gaps), values.dtype());
    return mul(reciprocal(add(gaps, eye)), sub(1.0, eye));
}

static Tensor skew(const Tensor& x) { return sub(x, adjoint(x)); }

// A phase that U and V share is free: the imaginary part of the diagonal must not matter.
static Tensor phase_part(const Tensor& u_gu, const Tensor& s) {
    Tensor d = diagonal_of(u_gu);
    return diag_embed(div(mul(sub(d, conjugate(d)), 0.5), s), 0, -2, -1);
}

static Tensor svd_inner(const Tensor& gu, const Tensor& gs, const Tensor& gvh, const Tensor& u,
                        const Tensor& s, const Tensor& vh) {
    Tensor gaps = inverse_gaps(s, true), inner;
    if (gu.defined()) {
        Tensor x = matmul(adjoint(u), gu);
        inner = mul(mul(skew(x), gaps), unsqueeze(s, -2));
        if (is_complex(u.dtype())) inner = add(inner, phase_part(x, s));
    }
    if (gvh.defined()) {
        Tensor x = matmul(vh, adjoint(gvh));
        inner = sum_of(inner, mul(unsqueeze(s, -1), mul(skew(x), gaps)));
    }
    if (gs.defined()) inner = sum_of(inner, diag_embed(gs, 0, -2, -1));
    return is_complex(u.dtype()) && inner.dtype() != u.dtype() ? to(inner, u.dtype()) : inner;
}

static Tensors svd_backward(Backward& ctx) {
    Tensor u = ctx.saved(0), s = ctx.saved(1), vh = ctx.saved(2);
    Tensor gu = ctx.grad(0), gs = ctx.grad(1), gvh = ctx.grad(2);
    int64_t m = rows(u), n = cols(vh), k = cols(s);
    if (cols(u) > k) {  // full matrices: what lies beyond is not determined by A
        u = narrow(u, -1, 0, k);
        if (gu.defined()) gu = narrow(gu, -1, 0, k);
    }
    if (rows(vh) > k) {
        vh = narrow(vh, -2, 0, k);
        if (gvh.defined()) gvh = narrow(gvh, -2, 0, k);
    }
    Tensor inner = svd_inner(gu, gs, gvh, u, s, vh);
    Tensor left = matmul(u, inner);
    if (gu.defined() && m > k) {
        Tensor scaled = div(gu, unsqueeze(s, -2));
        left = add(left, sub(scaled, matmul(u, matmul(adjoint(u), scaled))));
    }
    Tensor g = matmul(left, vh);
    if (gvh.defined() && n > k) {
        Tensor scaled = div(gvh, unsqueeze(s, -1));
        g = add(g, matmul(u, sub(scaled, matmul(matmul(scaled, adjoint(vh)), vh))));
    }
    return {g};
}

static Three svd_body(const Tensor& a, bool full, bool vectors) {
    check_matrix("linalg.svd", a);
    int64_t m = rows(a), n = cols(a), k = std::min(m, n);
    vectors = vectors || should_record(a);
    Tensor s = empty(with_lead(a, {k}), real_counterpart(a.dtype()), a.device());
    Tensor u = empty_columns(a, vectors ? m : 0, vectors ? (full ? m : k) : 0, a.dtype());
    Tensor vh = empty_columns(a, vectors ? (full ? n : k) : 0, vectors ? n : 0, a.dtype());
    write_identity(u);
    write_identity(vh);
    if (!a.is_meta() && a.numel()) {
        Verdicts verdicts(a);
        Tensor work = copy_columns(a);
        cpu::svd(verdicts.stack(a), m, n, full, work.data(), s.data(), vectors ? u.data() : nullptr,
                 vectors ? vh.data() : nullptr);
        verdicts.check("linalg.svd", kDiverged);
    }
    if (should_record(a)) record("LinalgSvdBackward0", {u, s, vh}, {a}, {u, s, vh}, svd_backward);
    return {u, s, vh};
}
const Op<Three(const Tensor&, bool, bool)> linalg_svd{
    "_linalg_svd(Tensor A, bool full_matrices, bool vectors) -> (Tensor, Tensor, Tensor)", "p",
    svd_body, ""};

static Tensors eigh_backward(Backward& ctx) {
    Tensor values = ctx.saved(0), v = ctx.saved(1), inner;
    if (ctx.grad(1).defined())
        inner = mul(matmul(adjoint(v), ctx.grad(1)), inverse_gaps(values, false));
    if (ctx.grad(0).defined()) inner = sum_of(inner, diag_embed(ctx.grad(0), 0, -2, -1));
    if (inner.dtype() != v.dtype()) inner = to(inner, v.dtype());
    return {matmul(matmul(v, inner), adjoint(v))};
}

static Two eigh_body(const Tensor& a, bool upper, bool vectors) {
    check_square("linalg.eigh", a);
    vectors = vectors || should_record(a);
    Tensor values = empty(with_lead(a, {rows(a)}), real_counterpart(a.dtype()), a.device());
    Tensor v = copy_columns(a);
    if (!a.is_meta() && a.numel()) {
        Verdicts verdicts(a);
        cpu::eigh(verdicts.stack(a), upper, vectors, rows(a), v.data(), values.data());
        verdicts.check("linalg.eigh", kDiverged);
    }
    if (should_record(a))
        record("LinalgEighBackward0", {values, v}, {a}, {values, v}, eigh_backward);
    return {values, v};
}
const Op<Two(const Tensor&, bool, bool)> linalg_eigh{
    "_linalg_eigh(Tensor A, bool upper, bool vectors) -> (Tensor, Tensor)", "p", eigh_body, ""};

static Tensors eig_backward(Backward& ctx, bool real) {
    Tensor values = ctx.saved(0), v = ctx.saved(1), inner, gv = ctx.grad(1);
    if (gv.defined()) {
        Tensor vh_gv = matmul(adjoint(v), gv), vh_v = matmul(adjoint(v), v);
        // vectors have length one, so what changes their length does not count
        Tensor lengths = unsqueeze(real_part(diagonal_of(vh_gv)), -2);
        inner = mul(sub(vh_gv, mul(vh_v, lengths)), conjugate(inverse_gaps(values, false)));
    }
    if (ctx.grad(0).defined()) inner = sum_of(inner, diag_embed(ctx.grad(0), 0, -2, -1));
    Tensor g = linalg_solve(adjoint(v), matmul(inner, adjoint(v)));
    return {real ? real_part(g) : g};
}

static Two eig_body(const Tensor& a, bool vectors) {
    check_square("linalg.eig", a);
    vectors = vectors || should_record(a);
    DType dtype = complex_counterpart(a.dtype());
    Tensor values = empty(with_lead(a, {rows(a)}), dtype, a.device());
    Tensor v = empty_columns(a, rows(a), rows(a), dtype);
    if (!a.is_meta() && a.numel()) {
        Verdicts verdicts(a);
        Tensor work = copy_columns(a);
        cpu::eig(verdicts.stack(a), rows(a), work.data(), values.data(),
                 vectors ? v.data() : nullptr);
        verdicts.check("linalg.eig", kDiverged);
    }
    if (should_record(a))
        record("LinalgEigBackward0", {values, v}, {a}, {values, v},
               [real = !is_complex(a.dtype())](Backward& ctx) { return eig_backward(ctx, real); });
    return {values, v};
}
const Op<Two(const Tensor&, bool)> linalg_eig{
    "_linalg_eig(Tensor A, bool vectors) -> (Tensor, Tensor)", "p", eig_body, ""};

}  // namespace kagari::ops
