// Products of matrices: mm, bmm, matmul with all its ranks, linear. Those with a vector are in
// matmul_vector.cpp, those with an addend in matmul_add.cpp.
#include "ops/linalg/matmul.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"

namespace kagari::ops {

static Tensor mm_body(const Tensor& a, const Tensor& b) {
    check<RuntimeError>(a.dim() == 2, "mm: self must be a matrix, got ", a.dim(), " dimensions");
    check<RuntimeError>(b.dim() == 2, "mm: mat2 must be a matrix, got ", b.dim(), " dimensions");
    IntSpan sa = a.sizes(), sb = b.sizes();
    check<RuntimeError>(sa[1] == sb[0], "mm: mat1 and mat2 shapes cannot be multiplied (", sa[0],
                        "x", sa[1], " and ", sb[0], "x", sb[1], ")");
    check_product_dtypes("mm", a, b);
    Tensor out = empty(Dims{sa[0], sb[1]}, a.dtype(), a.device());
    if (!out.is_meta()) write_product(out, a, b);
    if (should_record(a, b))
        record("MmBackward0", {out}, {a, b}, {a, b}, [](Backward& ctx) -> Tensors {
            Tensor ga, gb;
            if (ctx.needs(0)) ga = mm(ctx.grad(), adjoint(ctx.saved(1)));
            if (ctx.needs(1)) gb = mm(adjoint(ctx.saved(0)), ctx.grad());
            return {ga, gb};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&)> mm{"mm(Tensor input, Tensor mat2) -> Tensor", "fmO",
                                                  mm_body, "The product of two matrices."};

static Tensor bmm_body(const Tensor& a, const Tensor& b) {
    check<RuntimeError>(a.dim() == 3, "bmm: batch1 must be a 3D tensor, got ", a.dim(), "D");
    check<RuntimeError>(b.dim() == 3, "bmm: batch2 must be a 3D tensor, got ", b.dim(), "D");
    IntSpan sa = a.sizes(), sb = b.sizes();
    check<RuntimeError>(sa[0] == sb[0] && sa[2] == sb[1],
                        "bmm: Expected size for first two dimensions of batch2 tensor to be: [",
                        sa[0], ", ", sa[2], "] but got: [", sb[0], ", ", sb[1], "].");
    check_product_dtypes("bmm", a, b);
    Tensor out = empty(Dims{sa[0], sa[1], sb[2]}, a.dtype(), a.device());
    if (!out.is_meta()) write_product(out, a, b);
    if (should_record(a, b))
        record("BmmBackward0", {out}, {a, b}, {a, b}, [](Backward& ctx) -> Tensors {
            Tensor ga, gb;
            if (ctx.needs(0)) ga = bmm(ctx.grad(), adjoint(ctx.saved(1)));
            if (ctx.needs(1)) gb = bmm(adjoint(ctx.saved(0)), ctx.grad());
            return {ga, gb};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&)> bmm{
    "bmm(Tensor input, Tensor mat2) -> Tensor", "fmO", bmm_body,
    "The products of the matrices of two stacks, pair by pair."};

static Dims joined(IntSpan first, std::initializer_list<int64_t> last) {
    Dims all(first);
    for (int64_t size : last) all.push_back(size);
    return all;
}

static int64_t product(IntSpan sizes) {
    int64_t result = 1;
    for (int64_t size : sizes) result *= size;
    return result;
}

// Stacks of any rank: broadcast the leading dimensions, multiply as one stack.
static Tensor matmul_stacks(const Tensor& a, const Tensor& b) {
    IntSpan sa = a.sizes(), sb = b.sizes();
    size_t na = sa.size(), nb = sb.size();
    Dims lead = broadcast_sizes(sa.first(na - 2), sb.first(nb - 2), "matmul");
    int64_t m = sa[na - 2], k = sa[na - 1], n = sb[nb - 1], count = product(lead);
    check<RuntimeError>(
        k == sb[nb - 2], "matmul: Expected size for first two dimensions of batch2 ",
        "tensor to be: [", count, ", ", k, "] but got: [", count, ", ", sb[nb - 2], "].");
    auto stack = [&](const Tensor& t, int64_t rows, int64_t cols) {
        Dims full = joined(lead, {rows, cols});
        Tensor wide = same_sizes(t.sizes(), full) ? t : expand(t, full);
        return wide.dim() == 3 ? wide : reshape(wide, Dims{count, rows, cols});
    };
    Tensor out = bmm(stack(a, m, k), stack(b, k, n));
    return lead.size() == 1 ? out : view(out, joined(lead, {m, n}));
}

static Tensor matmul_body(const Tensor& a, const Tensor& b) {
    int64_t da = a.dim(), db = b.dim();
    if (da == 2 && db == 2) return mm(a, b);
    check<RuntimeError>(da > 0 && db > 0, "matmul: both arguments to matmul need to be at least ",
                        "1D, but they are ", da, "D and ", db, "D");
    if (da == 1 && db == 1) return dot(a, b);
    if (da == 2 && db == 1) return mv(a, b);
    if (da == 1) return squeeze(matmul(unsqueeze(a, 0), b), Dims{-2});
    if (db == 1) return squeeze(matmul(a, unsqueeze(b, 1)), Dims{-1});
    if (da > 2 && db == 2) {
        Dims sizes(a.sizes());
        int64_t k = sizes.back();
        sizes.pop_back();
        return view(mm(reshape(a, Dims{product(sizes), k}), b), joined(sizes, {b.size(1)}));
    }
    return matmul_stacks(a, b);
}
const Op<Tensor(const Tensor&, const Tensor&)> matmul{
    "matmul(Tensor input, Tensor other) -> Tensor", "fmOb", matmul_body,
    "The matrix product; vectors count as a row on the left and a column on the right, leading "
    "dimensions broadcast."};

static void check_linear(const Tensor& x, const Tensor& w, const std::optional<Tensor>& bias) {
    check<RuntimeError>(x.dim() > 0 && w.dim() > 0, "linear: both arguments to linear need to be ",
                        "at least 1D, but they are ", x.dim(), "D and ", w.dim(), "D");
    check<RuntimeError>(w.dim() <= 2, "linear: weight must be 1D or 2D, got ", w.dim(), "D");
    int64_t in = x.sizes().back(), expected = w.sizes().back();
    int64_t outs = w.dim() == 2 ? w.sizes()[0] : 1;
    check<RuntimeError>(in == expected, "linear: mat1 and mat2 shapes cannot be multiplied (",
                        in ? x.numel() / in : product(x.sizes().first(x.sizes().size() - 1)), "x",
                        in, " and ", expected, "x", outs, "): the last dimension of input ",
                        x.sizes(), " must be ", expected, ", that of weight ", w.sizes());
    check_product_dtypes("linear", x, w);
    if (!bias) return;
    check<RuntimeError>(bias->dim() <= 1 && (bias->numel() == outs || bias->numel() == 1),
                        "linear: bias must have ", outs, " elements, got size ", bias->sizes());
    check<RuntimeError>(bias->dtype() == x.dtype(), "linear: input and bias must have the same ",
                        "dtype, but got ", name(x.dtype()), " and ", name(bias->dtype()));
}

// A 1D weight, or a bias of another size than the columns', is rare: leave it to other ops.
static Tensor linear_unfused(const Tensor& x, const Tensor& w, const std::optional<Tensor>& bias) {
    Tensor out = matmul(x, w.dim() == 2 ? transpose(w, 0, 1) : w);
    return bias ? add(out, *bias) : out;
}

static Tensor linear_body(const Tensor& x, const Tensor& w, const std::optional<Tensor>& bias) {
    check_linear(x, w, bias);
    if (w.dim() == 1 || (bias && (bias->dim() == 0 || bias->numel() != w.sizes()[0])))
        return linear_unfused(x, w, bias);
    Dims sizes(x.sizes());
    sizes.back() = w.sizes()[0];
    Tensor out = empty(sizes, x.dtype(), x.device());
    if (!out.is_meta()) {
        int64_t in = w.sizes()[1], outs = w.sizes()[0];
        int64_t rows = product(IntSpan(sizes).first(sizes.size() - 1));
        Tensor flat = x.dim() == 2 ? x : raw_contiguous(x);
        if (x.dim() != 2) flat = raw_view(flat, Dims{rows, in}, Dims{in, 1}, flat.offset());
        Tensor flat_out = x.dim() == 2 ? out : raw_view(out, Dims{rows, outs}, Dims{outs, 1}, 0);
        IntSpan ws = w.strides();
        ProductTerms terms;
        if (bias) terms.bias = raw_contiguous(*bias);
        write_product(flat_out, flat, raw_view(w, Dims{in, outs}, Dims{ws[1], ws[0]}, w.offset()),
                      terms);
    }
    Tensor b = bias.value_or(Tensor());
    if (should_record(x, w, b))
        record("LinearBackward0", {out}, b.defined() ? Tensors{x, w, b} : Tensors{x, w}, {x, w},
               [with_bias = b.defined()](Backward& ctx) -> Tensors {
                   const Tensor& grad = ctx.grad();
                   Tensor x = ctx.saved(0), w = ctx.saved(1), gx, gw, gb;
                   Tensor flat = grad.dim() == 2 ? grad : reshape(grad, Dims{-1, w.size(0)});
                   if (ctx.needs(0)) {
                       gx = mm(flat, conjugate(w));
                       if (x.dim() != 2) gx = view(gx, x.sizes());
                   }
                   if (ctx.needs(1))
                       gw = mm(transpose(flat, 0, 1),
                               conjugate(x.dim() == 2 ? x : reshape(x, Dims{-1, w.size(1)})));
                   if (with_bias && ctx.needs(2)) gb = sum(flat, Dims{0}, false, {});
                   return with_bias ? Tensors{gx, gw, gb} : Tensors{gx, gw};
               });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&)> linear{
    "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", "NO", linear_body,
    "input times the transposed weight, plus bias: weight is (out, in)."};

}  // namespace kagari::ops
