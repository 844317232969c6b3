// Extremes: amax, amin, argmax, argmin, max and min with indices, aminmax.
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/reduce_shape.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr Reduction kAmax{"amax", "t", "t"}, kAmin{"amin", "t", "t"};
constexpr Reduction kArgmax{"argmax", "i", "ti", Reduction::Block};
constexpr Reduction kArgmin{"argmin", "i", "ti", Reduction::Block};
constexpr Reduction kMaxWithIndex{"max_with_index", "ti", "ti", Reduction::Block};
constexpr Reduction kMinWithIndex{"min_with_index", "ti", "ti", Reduction::Block};

void check_ordered(const Tensor& x, const char* op) {
    check<RuntimeError>(
        !is_complex(x.dtype()), op,
        "(): expected an input of a real dtype, complex numbers have no order; got ", x.dtype());
}

/// No element, no extreme: PyTorch's classes, which differ between ops where no dim was given.
template <class WithoutDim>
void check_not_empty(const Tensor& x, const Reduced& gone, bool all, const char* op) {
    if (all)
        check<WithoutDim>(x.numel() != 0, op,
                          "(): Expected reduction dim to be specified for input.numel() == 0. "
                          "Specify the reduction dim with the 'dim' argument.");
    for (size_t i = 0; i < gone.size(); ++i)
        check<IndexError>(!gone[i] || x.sizes()[i] != 0, op, "(): Expected reduction dim ", i,
                          " to have non-zero size, got input of shape ", x.sizes());
}

/// The gradient goes to all elements that are the extreme, in equal shares.
Tensor share_gradient(const Tensor& grad, const Tensor& x, const Tensor& out, const Reduced& gone,
                      bool keepdim) {
    Tensor extreme = with_reduced(out, gone, keepdim);
    Tensor chosen;
    Tensor count;
    {
        NoGrad guard;
        chosen = eq(x, extreme);
        if (is_floating(x.dtype())) chosen = where(isnan(extreme), isnan(x), chosen);
        Dims dims;
        for (size_t i = 0; i < gone.size(); ++i)
            if (gone[i]) dims.push_back(static_cast<int64_t>(i));
        count = dims.empty() ? to(chosen, DType::I64) : sum(chosen, dims, true, std::nullopt);
    }
    return mul(div(with_reduced(grad, gone, keepdim), count), chosen);
}

Tensor extreme(const Reduction& reduction, const char* op, const char* node, const Tensor& x,
               const OptionalDims& dims, bool keepdim) {
    check_ordered(x, op);
    Reduced gone = reduced_dims(x, dims, op);
    check_not_empty<RuntimeError>(x, gone, !dims || dims->empty(), op);
    Tensor out = reduction(x, gone, keepdim)[0];
    if (should_record(x))
        record(node, {out}, {x}, {x, out}, [gone, keepdim](Backward& ctx) -> Tensors {
            return {share_gradient(ctx.grad(), ctx.saved(0), ctx.saved(1), gone, keepdim)};
        });
    return out;
}

Tensor amax_body(const Tensor& x, OptionalDims dims, bool keepdim) {
    return extreme(kAmax, "amax", "AmaxBackward0", x, dims, keepdim);
}
Tensor amin_body(const Tensor& x, OptionalDims dims, bool keepdim) {
    return extreme(kAmin, "amin", "AminBackward0", x, dims, keepdim);
}

Tensor index_of(const Reduction& reduction, const char* op, const Tensor& x,
                std::optional<int64_t> dim, bool keepdim) {
    check_ordered(x, op);
    Tensor rows = dim ? x : reshape(detach(x), Dims{-1});
    Reduced gone = reduced_dims(rows, Dims{dim.value_or(0)}, op);
    check_not_empty<IndexError>(x, dim ? gone : Reduced(), !dim, op);
    Tensor out = reduction(rows, gone, keepdim)[0];
    return dim || !keepdim ? out : reshape(out, Dims(x.sizes().size(), 1));
}

Tensor argmax_body(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
    return index_of(kArgmax, "argmax", x, dim, keepdim);
}
Tensor argmin_body(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
    return index_of(kArgmin, "argmin", x, dim, keepdim);
}

/// The gradient goes to the one element that was taken.
Tensor send_gradient(const Tensor& grad, const Tensor& index, IntSpan sizes, const Reduced& gone,
                     bool keepdim) {
    int64_t dim = std::find(gone.begin(), gone.end(), true) - gone.begin();
    if (gone.empty()) return grad;
    Dims shape(sizes.size(), 1);
    shape[dim] = sizes[dim];
    Tensor places = view(arange(0, sizes[dim], 1, DType::I64), shape);
    return mul(with_reduced(grad, gone, keepdim), eq(places, with_reduced(index, gone, keepdim)));
}

std::tuple<Tensor, Tensor> with_index(const Reduction& reduction, const char* op, const char* node,
                                      const Tensor& x, int64_t dim, bool keepdim) {
    check_ordered(x, op);
    Reduced gone = reduced_dims(x, Dims{dim}, op);
    check_not_empty<IndexError>(x, gone, false, op);
    Tensors out = reduction(x, gone, keepdim);
    if (should_record(x))
        record(node, {out[0]}, {x}, {out[1]},
               [gone, keepdim, sizes = Dims(x.sizes())](Backward& ctx) -> Tensors {
                   return {send_gradient(ctx.grad(), ctx.saved(0), sizes, gone, keepdim)};
               });
    return {out[0], out[1]};
}

std::tuple<Tensor, Tensor> max_dim_body(const Tensor& x, int64_t dim, bool keepdim) {
    return with_index(kMaxWithIndex, "max", "MaxBackward0", x, dim, keepdim);
}
std::tuple<Tensor, Tensor> min_dim_body(const Tensor& x, int64_t dim, bool keepdim) {
    return with_index(kMinWithIndex, "min", "MinBackward0", x, dim, keepdim);
}

Tensor max_body(const Tensor& x) { return extreme(kAmax, "max", "MaxBackward1", x, {}, false); }
Tensor min_body(const Tensor& x) { return extreme(kAmin, "min", "MinBackward1", x, {}, false); }
Tensor max_other_body(const Tensor& x, const Tensor& other) { return maximum(x, other); }
Tensor min_other_body(const Tensor& x, const Tensor& other) { return minimum(x, other); }

std::tuple<Tensor, Tensor> aminmax_body(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
    OptionalDims dims = dim ? OptionalDims(Dims{*dim}) : std::nullopt;
    Reduced gone = reduced_dims(x, dims, "aminmax");
    if (dim) check_not_empty<IndexError>(x, gone, false, "aminmax");
    check<RuntimeError>(x.numel() != 0 || reduced_count(x, gone) != 0,
                        "aminmax(): cannot compute aminmax over an empty dimension as the "
                        "operation has no identity, got input of shape ",
                        x.sizes());
    return {amin(x, dims, keepdim), amax(x, dims, keepdim)};
}

}  // namespace

const Op<Tensor(const Tensor&, OptionalDims, bool)> amax{
    "amax(Tensor input, int[] dim=[], bool keepdim=False) -> Tensor", "fmO", amax_body,
    "The largest element of all, or along the dimensions `dim`; equal ones share the gradient."};
const Op<Tensor(const Tensor&, OptionalDims, bool)> amin{
    "amin(Tensor input, int[] dim=[], bool keepdim=False) -> Tensor", "fmO", amin_body,
    "The smallest element of all, or along the dimensions `dim`; equal ones share the gradient."};
const Op<Tensor(const Tensor&, std::optional<int64_t>, bool)> argmax{
    "argmax(Tensor input, int? dim=None, bool keepdim=False) -> Tensor", "fmO", argmax_body,
    "The index of the largest element along `dim`, or in the flattened input; the first of "
    "equals."};
const Op<Tensor(const Tensor&, std::optional<int64_t>, bool)> argmin{
    "argmin(Tensor input, int? dim=None, bool keepdim=False) -> Tensor", "fmO", argmin_body,
    "The index of the smallest element along `dim`, or in the flattened input; the first of "
    "equals."};
static const Op<Tensor(const Tensor&)> max_all{"max(Tensor input) -> Tensor", "fmo", max_body,
                                               "The largest element."};
static const Op<Tensor(const Tensor&)> min_all{"min(Tensor input) -> Tensor", "fmo", min_body,
                                               "The smallest element."};
static const Op<Tensor(const Tensor&, const Tensor&)> max_other{
    "max.other(Tensor input, Tensor other) -> Tensor", "fmob", max_other_body, "As maximum."};
static const Op<Tensor(const Tensor&, const Tensor&)> min_other{
    "min.other(Tensor input, Tensor other) -> Tensor", "fmob", min_other_body, "As minimum."};
const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, bool)> max_dim{
    "max.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", "fmO",
    max_dim_body, "The largest elements along `dim` and their indices; the first of equals."};
const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, bool)> min_dim{
    "min.dim(Tensor input, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", "fmO",
    min_dim_body, "The smallest elements along `dim` and their indices; the first of equals."};
const Op<std::tuple<Tensor, Tensor>(const Tensor&, std::optional<int64_t>, bool)> aminmax{
    "aminmax(Tensor input, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
    "fmO", aminmax_body, "The smallest and the largest element, of all or along `dim`."};

}  // namespace kagari::ops
