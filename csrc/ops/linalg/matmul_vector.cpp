// Products with vectors: mv, dot, vdot, outer, inner.
#include "autograd/record.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/views.h"
#include "ops/rows.h"

namespace kagari::ops {

static Tensor as_matrix(const Tensor& v, bool row) {
    int64_t n = v.sizes()[0], stride = v.strides()[0];
    return row ? raw_view(v, Dims{1, n}, Dims{n, stride}, v.offset())
               : raw_view(v, Dims{n, 1}, Dims{stride, 1}, v.offset());
}

static Tensor mv_body(const Tensor& a, const Tensor& x) {
    check<RuntimeError>(a.dim() == 2 && x.dim() == 1,
                        "mv: vector + matrix @ vector expected, got 1, ", a.dim(), ", ", x.dim());
    check<RuntimeError>(a.sizes()[1] == x.sizes()[0], "mv: size mismatch, got input (",
                        a.sizes()[0], "), mat (", a.sizes()[0], "x", a.sizes()[1], "), vec (",
                        x.sizes()[0], ")");
    check_product_dtypes("mv", a, x);
    Tensor out = empty(Dims{a.sizes()[0]}, a.dtype(), a.device());
    if (!out.is_meta()) write_product(as_matrix(out, false), a, as_matrix(x, false));
    if (should_record(a, x))
        record("MvBackward0", {out}, {a, x}, {a, x}, [](Backward& ctx) -> Tensors {
            Tensor ga, gx;
            if (ctx.needs(0)) ga = outer(ctx.grad(), conjugate(ctx.saved(1)));
            if (ctx.needs(1)) gx = mv(adjoint(ctx.saved(0)), ctx.grad());
            return {ga, gx};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&)> mv{"mv(Tensor input, Tensor vec) -> Tensor", "fmO",
                                                  mv_body, "The product of a matrix and a vector."};

static Tensor dot_body(const Tensor& a, const Tensor& b) {
    check<RuntimeError>(a.dim() == 1 && b.dim() == 1, "dot: 1D tensors expected, but got ", a.dim(),
                        "D and ", b.dim(), "D tensors");
    check_product_dtypes("dot", a, b);
    int64_t n = a.sizes()[0], m = b.sizes()[0];
    check<RuntimeError>(n == m, "dot: inconsistent tensor size, expected tensor [", n,
                        "] and src [", m, "] to have the same number of elements, but got ", n,
                        " and ", m, " elements respectively");
    Tensor out = empty(IntSpan(), a.dtype(), a.device());
    if (!out.is_meta())
        write_product(raw_view(out, Dims{1, 1}, Dims{1, 1}, 0), as_matrix(a, true),
                      as_matrix(b, false));
    if (should_record(a, b))
        record("DotBackward0", {out}, {a, b}, {a, b}, [](Backward& ctx) -> Tensors {
            Tensor ga, gb;
            if (ctx.needs(0)) ga = mul(ctx.grad(), conjugate(ctx.saved(1)));
            if (ctx.needs(1)) gb = mul(ctx.grad(), conjugate(ctx.saved(0)));
            return {ga, gb};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&)> dot{"dot(Tensor input, Tensor tensor) -> Tensor",
                                                   "fmO", dot_body,
                                                   "The sum of products of two vectors."};

static Tensor vdot_body(const Tensor& a, const Tensor& b) { return dot(conjugate(a), b); }
const Op<Tensor(const Tensor&, const Tensor&)> vdot{
    "vdot(Tensor input, Tensor other) -> Tensor", "fmOb", vdot_body,
    "The dot product with the conjugate of the first vector."};

static Tensor outer_body(const Tensor& a, const Tensor& b) {
    check<RuntimeError>(a.dim() == 1, "outer: Expected 1-D argument self, but got ", a.dim(), "-D");
    check<RuntimeError>(b.dim() == 1, "outer: Expected 1-D argument vec2, but got ", b.dim(), "-D");
    return mul(unsqueeze(a, 1), b);
}
const Op<Tensor(const Tensor&, const Tensor&)> outer{
    "outer(Tensor input, Tensor vec2) -> Tensor", "fmob", outer_body,
    "All products of an element of input with one of vec2."};

static const Op<Tensor(const Tensor&, const Tensor&)> ger{
    "ger(Tensor input, Tensor vec2) -> Tensor", "fmob", outer_body, "An older name of outer."};

static Tensor inner_body(const Tensor& a, const Tensor& b) {
    if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
    check<RuntimeError>(a.sizes().back() == b.sizes().back(), "inner: inner() the last dimension ",
                        "must match on both input tensors but got shapes ", a.sizes(), " and ",
                        b.sizes());
    Dims sizes(a.sizes().first(a.sizes().size() - 1));
    for (int64_t size : b.sizes().first(b.sizes().size() - 1)) sizes.push_back(size);
    int64_t k = a.sizes().back();
    Tensor left = reshape(
        a,
        Dims{k ? a.numel() / k : checked_numel(a.sizes().first(a.sizes().size() - 1), "inner"), k});
    Tensor right = reshape(
        b,
        Dims{k ? b.numel() / k : checked_numel(b.sizes().first(b.sizes().size() - 1), "inner"), k});
    return reshape(mm(left, transpose(right, 0, 1)), sizes);
}
const Op<Tensor(const Tensor&, const Tensor&)> inner{
    "inner(Tensor input, Tensor other) -> Tensor", "fmOb", inner_body,
    "Sums of products over the last dimension of both."};

}  // namespace kagari::ops
