// Sums and what is made of them: sum, mean, prod, nansum, count_nonzero, any, all.
#include "ops/reduce/reduce.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/reduce/reduce_shape.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr Reduction kSum{"sum", "s", "w"};
constexpr Reduction kMean{"mean", "t", "w", Reduction::Finish};
constexpr Reduction kProd{"prod", "s", "w"};
constexpr Reduction kNansum{"nansum", "s", "w"};
constexpr Reduction kCountNonzero{"count_nonzero", "i", "i"};
constexpr Reduction kAny{"any", "b", "1"};
constexpr Reduction kAll{"all", "b", "1"};

Tensor sum_body(const Tensor& x, OptionalDims dims, bool keepdim, std::optional<DType> dtype) {
    if (dtype && *dtype != x.dtype()) return sum(to(x, *dtype), dims, keepdim, dtype);
    Reduced gone = reduced_dims(x, dims, "sum");
    Tensor out = kSum(x, gone, keepdim)[0];
    if (dtype && *dtype != out.dtype()) return to(out, *dtype);
    if (should_record(x))
        record(dims ? "SumBackward1" : "SumBackward0", {out}, {x}, {},
               [gone, keepdim, sizes = Dims(x.sizes())](Backward& ctx) -> Tensors {
                   return {expand(with_reduced(ctx.grad(), gone, keepdim), sizes)};
               });
    return out;
}

/// The dtype in which a mean is taken: RuntimeError unless floating or complex.
Tensor as_mean_input(const Tensor& x, std::optional<DType> dtype, const char* op) {
    DType wanted = dtype.value_or(x.dtype());
    check<RuntimeError>(is_differentiable(wanted), op, "(): could not infer output dtype. ",
                        dtype ? "Optional" : "Input",
                        " dtype must be either a floating point or complex dtype. Got: ", wanted,
                        dtype ? "" : "; pass dtype=float32 or convert the input");
    return to(x, wanted);
}

Tensor mean_body(const Tensor& input, OptionalDims dims, bool keepdim, std::optional<DType> dtype) {
    Tensor x = as_mean_input(input, dtype, "mean");
    Reduced gone = reduced_dims(x, dims, "mean");
    auto count = static_cast<double>(reduced_count(x, gone));
    Tensor out = kMean(x, gone, keepdim, count)[0];
    if (should_record(x))
        record(dims ? "MeanBackward1" : "MeanBackward0", {out}, {x}, {},
               [gone, keepdim, count, sizes = Dims(x.sizes())](Backward& ctx) -> Tensors {
                   Tensor share = div(with_reduced(ctx.grad(), gone, keepdim), count);
                   return {expand(share, sizes)};
               });
    return out;
}

Tensor nansum_body(const Tensor& x, OptionalDims dims, bool keepdim, std::optional<DType> dtype) {
    check<RuntimeError>(!is_complex(x.dtype()), "nansum does not support complex inputs, got ",
                        x.dtype());
    if (dtype && *dtype != x.dtype()) return nansum(to(x, *dtype), dims, keepdim, dtype);
    Reduced gone = reduced_dims(x, dims, "nansum");
    Tensor out = kNansum(x, gone, keepdim)[0];
    if (dtype && *dtype != out.dtype()) return to(out, *dtype);
    if (should_record(x))
        record("NansumBackward0", {out}, {x}, {x}, [gone, keepdim](Backward& ctx) -> Tensors {
            Tensor present = logical_not(isnan(ctx.saved(0)));
            return {mul(with_reduced(ctx.grad(), gone, keepdim), present)};
        });
    return out;
}

Tensor conjugate(const Tensor& x) { return is_complex(x.dtype()) ? conj(x) : x; }

/// The product of all other elements of a row, for every element. It takes the square of a row's
/// memory, but is exact for any number of zeros and to any order of derivative.
Tensor products_of_others(const Tensor& x) {
    int64_t size = x.size(-1);
    Tensor places = arange(0, size, 1, DType::I64);
    Tensor same = eq(unsqueeze(places, -1), unsqueeze(places, 0));
    Tensor others = where(same, scalar_tensor(1.0, x.dtype()), unsqueeze(x, -2));
    return prod(others, -1, false, std::nullopt);
}

/// The same where some are zero, to first order: only a single zero has others without zeros.
Tensor products_beside_zeros(const Tensor& x, const Tensor& out, const Reduced& gone) {
    Dims dims;
    for (size_t i = 0; i < gone.size(); ++i)
        if (gone[i]) dims.push_back(static_cast<int64_t>(i));
    Tensor zero = eq(x, 0), filled = where(zero, scalar_tensor(1.0, x.dtype()), x);
    Tensor single = eq(sum(zero, dims, true, std::nullopt), 1);
    Tensor rest = kProd(filled, gone, true)[0];
    return where(zero, mul(rest, single), div(out, filled));
}

/// `dim` < 0: all dimensions were reduced.
Tensor prod_gradient(const Tensor& grad, const Tensor& x, const Tensor& result, const Reduced& gone,
                     int64_t dim, bool keepdim) {
    Tensor g = with_reduced(grad, gone, keepdim), out = with_reduced(result, gone, keepdim);
    bool zeros = false;
    {
        NoGrad guard;
        zeros = item(any(eq(x, 0), std::nullopt, false)).to<bool>();
    }
    if (!zeros) return mul(g, conjugate(div(out, x)));
    if (!composing()) return mul(g, conjugate(products_beside_zeros(x, out, gone)));
    Tensor rows = dim < 0 ? reshape(x, Dims{-1}) : transpose(x, dim, -1);
    Tensor others = products_of_others(rows);
    others = dim < 0 ? reshape(others, x.sizes()) : transpose(others, dim, -1);
    return mul(g, conjugate(others));
}

Tensor prod_body(const Tensor& x, std::optional<int64_t> dim, bool keepdim,
                 std::optional<DType> dtype) {
    if (dtype && *dtype != x.dtype()) return prod(to(x, *dtype), dim, keepdim, dtype);
    Reduced gone = reduced_dims(x, dim ? OptionalDims(Dims{*dim}) : std::nullopt, "prod");
    Tensor out = kProd(x, gone, dim && keepdim)[0];
    if (dtype && *dtype != out.dtype()) return to(out, *dtype);
    int64_t at = dim && x.dim() > 0 ? wrap_dim(*dim, x.dim(), "prod") : -1;
    if (should_record(x))
        record(
            dim ? "ProdBackward1" : "ProdBackward0", {out}, {x}, {x, out},
            [gone, at, keepdim = dim && keepdim](Backward& ctx) -> Tensors {
                return {prod_gradient(ctx.grad(), ctx.saved(0), ctx.saved(1), gone, at, keepdim)};
            });
    return out;
}

Tensor any_body(const Tensor& x, OptionalDims dims, bool keepdim) {
    return kAny(x, reduced_dims(x, dims, "any"), keepdim)[0];
}
Tensor all_body(const Tensor& x, OptionalDims dims, bool keepdim) {
    return kAll(x, reduced_dims(x, dims, "all"), keepdim)[0];
}
Tensor count_nonzero_body(const Tensor& x, OptionalDims dims) {
    return kCountNonzero(x, reduced_dims(x, dims, "count_nonzero"), false)[0];
}

}  // namespace

const Op<Tensor(const Tensor&, OptionalDims, bool, std::optional<DType>)> sum{
    "sum(Tensor input, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor",
    "fmoc", sum_body,
    "The sum of all elements, or along the dimensions `dim`. Integers add up in int64."};
const Op<Tensor(const Tensor&, OptionalDims, bool, std::optional<DType>)> mean{
    "mean(Tensor input, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor",
    "fmo", mean_body, "The mean of all elements, or along the dimensions `dim`."};
const Op<Tensor(const Tensor&, OptionalDims, bool, std::optional<DType>)> nansum{
    "nansum(Tensor input, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor",
    "fmo", nansum_body, "The sum, with every NaN counted as zero."};
const Op<Tensor(const Tensor&, std::optional<int64_t>, bool, std::optional<DType>)> prod{
    "prod(Tensor input, int? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor", "fmoc",
    prod_body, "The product of all elements, or along the dimension `dim`."};
const Op<Tensor(const Tensor&, OptionalDims, bool)> any{
    "any(Tensor input, int[]? dim=None, bool keepdim=False) -> Tensor", "fmo", any_body,
    "Whether any element is true (not zero), in all or along the dimensions `dim`."};
const Op<Tensor(const Tensor&, OptionalDims, bool)> all{
    "all(Tensor input, int[]? dim=None, bool keepdim=False) -> Tensor", "fmo", all_body,
    "Whether all elements are true (not zero), in all or along the dimensions `dim`."};
const Op<Tensor(const Tensor&, OptionalDims)> count_nonzero{
    "count_nonzero(Tensor input, int[]? dim=None) -> Tensor", "fm", count_nonzero_body,
    "How many elements are not zero, in all or along the dimensions `dim`."};

Tensor sum_to_size(const Tensor& t, IntSpan sizes) {
    if (same_sizes(t.sizes(), sizes)) return t;
    int64_t lead = t.dim() - static_cast<int64_t>(sizes.size());
    Dims dims;
    for (int64_t i = 0; i < t.dim(); ++i)
        if (i < lead || (sizes[i - lead] == 1 && t.sizes()[i] != 1)) dims.push_back(i);
    return reshape(dims.empty() ? t : sum(t, dims, true, std::nullopt), sizes);
}

}  // namespace kagari::ops
