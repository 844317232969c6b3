// Cumulative sums, products and extremes: one row program each, walked from either end.
#include "ops/reduce/scan.h"

#include "autograd/record.h"
#include "ops/index/gather.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/rowwise.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr RowKernels kCumsum{"cumsum"}, kCumprod{"cumprod"}, kLogcumsumexp{"logcumsumexp"};
constexpr RowKernels kCummax{"cummax"}, kCummin{"cummin"};

using Pair = std::tuple<Tensor, Tensor>;

/// Fills `outputs`. From the end: the walk starts at the last element, with negative strides.
void scan_rows(const RowKernels& kernels, const Tensor& x, const Tensors& outputs, int64_t dim,
               bool from_end) {
    if (x.is_meta() || x.numel() == 0) return;
    int64_t last = x.dim() ? x.size(dim) - 1 : 0;
    RowWalk walk;
    walk.set_sizes_of(x, x.dim() ? dim : -1);
    auto add = [&](const Tensor& t) {
        if (!from_end || t.dim() == 0) return walk.add(t, t.dim() ? dim : -1);
        Dims strides(t.strides());
        int64_t inner = strides[dim];
        strides.erase(dim);
        auto skip = last * inner * static_cast<int64_t>(t.itemsize());
        walk.add(t.data<char>() + skip, t.itemsize(), strides, -inner);
    };
    for (const Tensor& out : outputs) add(out);
    add(x);
    walk.run(kernels(x.dtype()), static_cast<int>(outputs.size()));
}

DType scanned(DType t) { return t < DType::F16 ? DType::I64 : t; }

Tensor scan(const RowKernels& kernels, const Tensor& x, int64_t dim, bool from_end) {
    Tensor out = empty_like(x, scanned(x.dtype()));
    scan_rows(kernels, x, {out}, dim, from_end);
    return out;
}

Tensor cumsum_body(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
    check<NotImplementedError>(dtype != DType::Bool, "cumsum: dtype: not implemented for bool");
    if (dtype && *dtype != x.dtype()) return cumsum(to(x, *dtype), dim, dtype);
    int64_t at = wrap_dim(dim, x.dim(), "cumsum");
    Tensor out = scan(kCumsum, x, at, false);
    if (dtype && *dtype != out.dtype()) return to(out, *dtype);
    if (should_record(x))
        record("CumsumBackward0", {out}, {x}, {},
               [at](Backward& ctx) -> Tensors { return {reverse_cumsum(ctx.grad(), at)}; });
    return out;
}

Tensor reverse_cumsum_body(const Tensor& x, int64_t dim) {
    int64_t at = wrap_dim(dim, x.dim(), "cumsum");
    Tensor out = scan(kCumsum, x, at, true);
    if (should_record(x))
        record("ReverseCumsumBackward0", {out}, {x}, {},
               [at](Backward& ctx) -> Tensors { return {cumsum(ctx.grad(), at, std::nullopt)}; });
    return out;
}

/// d cumprod / d x where an element is zero: products without that element, for every element. It
/// takes a row's square in memory, but is exact to any order.
Tensor cumprod_gradient_with_zeros(const Tensor& grad, const Tensor& input, int64_t dim) {
    Tensor x = input.dim() ? transpose(input, dim, -1) : unsqueeze(input, 0);
    Tensor g = input.dim() ? transpose(grad, dim, -1) : unsqueeze(grad, 0);
    Tensor places = arange(0, x.size(-1), 1, DType::I64);
    Tensor without = unsqueeze(places, -1), upto = unsqueeze(places, 0);
    Tensor one = scalar_tensor(1.0, x.dtype()), zero = scalar_tensor(0.0, x.dtype());
    Tensor products = cumprod(where(eq(without, upto), one, unsqueeze(x, -2)), -1, std::nullopt);
    if (is_complex(x.dtype())) products = conj(products);
    Tensor shares = where(ge(upto, without), mul(products, unsqueeze(g, -2)), zero);
    Tensor out = sum(shares, Dims{-1}, false, std::nullopt);
    return input.dim() ? transpose(out, dim, -1) : squeeze(out, Dims{0});
}

Tensor cumprod_body(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
    check<NotImplementedError>(dtype != DType::Bool, "cumprod: dtype: not implemented for bool");
    if (dtype && *dtype != x.dtype()) return cumprod(to(x, *dtype), dim, dtype);
    int64_t at = wrap_dim(dim, x.dim(), "cumprod");
    Tensor out = scan(kCumprod, x, at, false);
    if (dtype && *dtype != out.dtype()) return to(out, *dtype);
    if (should_record(x))
        record("CumprodBackward0", {out}, {x}, {x, out}, [at](Backward& ctx) -> Tensors {
            Tensor x = ctx.saved(0), out = ctx.saved(1);
            bool zeros = false;
            {
                NoGrad guard;
                zeros = item(any(eq(x, 0), std::nullopt, false)).to<bool>();
            }
            if (zeros) return {cumprod_gradient_with_zeros(ctx.grad(), x, at)};
            if (is_complex(x.dtype())) x = conj(x), out = conj(out);
            return {div(reverse_cumsum(mul(ctx.grad(), out), at), x)};
        });
    return out;
}

Pair extreme(const RowKernels& kernels, const char* op, const char* node, const Tensor& x,
             int64_t dim) {
    check<NotImplementedError>(!is_complex(x.dtype()), op,
                               "(): expected an input of a real dtype, got ", x.dtype());
    int64_t at = wrap_dim(dim, x.dim(), op);
    Tensor values = empty_like(x), indices = empty_like(x, DType::I64);
    scan_rows(kernels, x, {values, indices}, at, false);
    if (should_record(x))
        record(node, {values}, {x}, {indices},
               [at, sizes = Dims(x.sizes())](Backward& ctx) -> Tensors {
                   if (sizes.empty()) return {ctx.grad()};
                   Tensor start = zeros(sizes, ctx.grad().dtype());
                   return {scatter_add(start, at, ctx.saved(0), ctx.grad())};
               });
    return {values, indices};
}

Pair cummax_body(const Tensor& x, int64_t dim) {
    return extreme(kCummax, "cummax", "CummaxBackward0", x, dim);
}
Pair cummin_body(const Tensor& x, int64_t dim) {
    return extreme(kCummin, "cummin", "CumminBackward0", x, dim);
}

// Note [Weighted sums of exponentials]
// The derivatives of logcumsumexp are, for every j, exp(to_j) times the sum of grad_i exp(from_i)
// over the i up to j (or from j on). That is linear in `grad`, its transpose is the same with
// `from` and `to` exchanged and the walk reversed, and its derivatives by them are made of both. It
// is scanned as logarithms, so that nothing overflows: positive and negative gradients apart, while
// complex logarithms know their sign.
Tensor exp_weighted_body(const Tensor& grad, const Tensor& from, const Tensor& to, int64_t dim,
                         bool reversed) {
    Tensor out;
    {
        NoGrad guard;
        Tensor none = scalar_tensor(-std::numeric_limits<double>::infinity(), from.dtype());
        Tensor zero = scalar_tensor(0.0, from.dtype());
        auto share = [&](const Tensor& part, const Tensor& some) {
            Tensor logs = where(some, log(part), none);
            Tensor sums = scan(kLogcumsumexp, add(logs, from), dim, reversed);
            // a sum of nothing, or times nothing, whatever the other factor
            return where(logical_or(eq(sums, none), eq(to, none)), zero, exp(add(sums, to)));
        };
        if (is_complex(grad.dtype()))
            out = share(grad, ne(grad, 0));
        else
            out = sub(share(grad, gt(grad, 0)), share(neg(grad), lt(grad, 0)));
    }
    if (should_record(grad, from, to))
        record("ExpWeightedCumsumBackward0", {out}, {grad, from, to}, {grad, from, to, out},
               [dim, reversed](Backward& ctx) -> Tensors {
                   Tensor grad = ctx.saved(0), gg, gf, gt;
                   if (ctx.needs(0) || ctx.needs(1))
                       gg = exp_weighted(ctx.grad(), conj(ctx.saved(2)), conj(ctx.saved(1)), dim,
                                         !reversed);
                   if (ctx.needs(1)) gf = mul(conj(grad), gg);
                   if (ctx.needs(2)) gt = mul(ctx.grad(), conj(ctx.saved(3)));
                   return {gg, gf, gt};
               });
    return out;
}

Tensor logcumsumexp_body(const Tensor& x, int64_t dim) {
    check<NotImplementedError>(is_floating(x.dtype()) || is_complex(x.dtype()),
                               "logcumsumexp(): expected a floating point or complex input, got ",
                               x.dtype());
    int64_t at = wrap_dim(dim, x.dim(), "logcumsumexp");
    Tensor out = scan(kLogcumsumexp, x, at, false);
    if (should_record(x))
        record("LogcumsumexpBackward0", {out}, {x}, {x, out}, [at](Backward& ctx) -> Tensors {
            return {
                exp_weighted(ctx.grad(), neg(conj(ctx.saved(1))), conj(ctx.saved(0)), at, true)};
        });
    return out;
}

}  // namespace

const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> cumsum{
    "cumsum(Tensor input, int dim, *, dtype? dtype=None) -> Tensor", "fmioc", cumsum_body,
    "The sum of each element and those before it along `dim`."};
const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> cumprod{
    "cumprod(Tensor input, int dim, *, dtype? dtype=None) -> Tensor", "fmioc", cumprod_body,
    "The product of each element and those before it along `dim`."};
const Op<Pair(const Tensor&, int64_t)> cummax{
    "cummax(Tensor input, int dim) -> (Tensor values, Tensor indices)", "fmO", cummax_body,
    "The largest element so far along `dim`, and its index; the latest of equals."};
const Op<Pair(const Tensor&, int64_t)> cummin{
    "cummin(Tensor input, int dim) -> (Tensor values, Tensor indices)", "fmO", cummin_body,
    "The smallest element so far along `dim`, and its index; the latest of equals."};
const Op<Tensor(const Tensor&, int64_t)> logcumsumexp{
    "logcumsumexp(Tensor input, int dim) -> Tensor", "fmo", logcumsumexp_body,
    "The logarithm of the cumulative sum of exponentials along `dim`."};
const Op<Tensor(const Tensor&, int64_t)> reverse_cumsum{
    "_reverse_cumsum(Tensor input, int dim) -> Tensor", "p", reverse_cumsum_body,
    "The sum of each element and those after it along `dim`."};
const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, int64_t, bool)> exp_weighted{
    "_exp_weighted_cumsum(Tensor grad, Tensor from_, Tensor to, int dim, bool reverse) -> Tensor",
    "p", exp_weighted_body, ""};

}  // namespace kagari::ops
