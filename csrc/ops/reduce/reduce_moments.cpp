// Variance, deviation, logsumexp and norms.
#include "autograd/record.h"
#include "ops/linalg/linalg.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/reduce_shape.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr Reduction kVar{"var", "t", "ddd", Reduction::Finish};
constexpr Reduction kStd{"std", "t", "ddd", Reduction::Finish};
constexpr Reduction kVarMean{"var_mean", "tt", "ddd", Reduction::Finish};
constexpr Reduction kStdMean{"std_mean", "tt", "ddd", Reduction::Finish};
constexpr Reduction kLogsumexp{"logsumexp", "t", "dd"};
constexpr Reduction kNorm{"norm", "r", "d"};

using Pair = std::tuple<Tensor, Tensor>;

void check_moments(const Tensor& x, const char* op) {
    check<RuntimeError>(is_differentiable(x.dtype()), op,
                        ": std and var only support floating point and complex dtypes, got ",
                        x.dtype(), "; convert the input first");
}

/// What differentiates a variance or a deviation.
struct Moments {
    Reduced gone;
    bool keepdim;
    double free;  // number of elements less the correction

    Moments(const Tensor& x, const OptionalDims& dims, bool keep, double correction, const char* op)
        : gone(reduced_dims(x, dims, op)),
          keepdim(keep),
          free(static_cast<double>(reduced_count(x, gone)) - correction) {}

    Dims dims() const {
        Dims found;
        for (size_t i = 0; i < gone.size(); ++i)
            if (gone[i]) found.push_back(static_cast<int64_t>(i));
        return found;
    }
    Tensor back(const Tensor& t) const { return with_reduced(t, gone, keepdim); }
    Tensor centred(const Tensor& x) const {
        return gone.empty() ? sub(x, x) : sub(x, mean(x, dims(), true, std::nullopt));
    }
    /// d var / d x, times grad.
    Tensor of_variance(const Tensor& grad, const Tensor& x) const {
        return mul(mul(back(grad), 2.0 / std::max(free, 0.0)), centred(x));
    }
    Tensor of_deviation(const Tensor& grad, const Tensor& x, const Tensor& std) const {
        Tensor flat = eq(std, 0);
        Tensor g = where(flat, scalar_tensor(0.0, x.dtype()), div(grad, mul(std, 2.0)));
        return of_variance(g, x);
    }
    Tensor of_mean(const Tensor& grad, const Tensor& x) const {
        auto count = static_cast<double>(reduced_count(x, gone));
        return expand(div(back(grad), count), x.sizes());
    }
};

double correction_of(const std::optional<Scalar>& correction) {
    return correction ? correction->to<double>() : 1.0;
}

Tensor var_body(const Tensor& x, OptionalDims dims, std::optional<Scalar> correction,
                bool keepdim) {
    check_moments(x, "var");
    Moments m(x, dims, keepdim, correction_of(correction), "var");
    if (is_complex(x.dtype())) {
        // The variance of the real parts plus that of the imaginary parts
        if (x.dim() == 0) return var(reshape(x, Dims{1}), Dims{0}, correction, false);
        Tensor both = var(view_as_real(x), OptionalDims(m.dims()), correction, keepdim);
        return sum(both, Dims{-1}, false, std::nullopt);
    }
    Tensor out = kVar(x, m.gone, keepdim, correction_of(correction))[0];
    if (should_record(x))
        record("VarBackward0", {out}, {x}, {x},
               [m](Backward& ctx) -> Tensors { return {m.of_variance(ctx.grad(), ctx.saved(0))}; });
    return out;
}

Tensor std_body(const Tensor& x, OptionalDims dims, std::optional<Scalar> correction,
                bool keepdim) {
    check_moments(x, "std");
    if (is_complex(x.dtype())) return sqrt(var(x, dims, correction, keepdim));
    Moments m(x, dims, keepdim, correction_of(correction), "std");
    Tensor out = kStd(x, m.gone, keepdim, correction_of(correction))[0];
    if (should_record(x))
        record("StdBackward0", {out}, {x}, {x, out}, [m](Backward& ctx) -> Tensors {
            return {m.of_deviation(ctx.grad(), ctx.saved(0), ctx.saved(1))};
        });
    return out;
}

template <bool kDeviation>
Pair both_body(const Tensor& x, OptionalDims dims, std::optional<Scalar> correction, bool keepdim) {
    const char* op = kDeviation ? "std_mean" : "var_mean";
    check_moments(x, op);
    if (is_complex(x.dtype())) {
        const auto& spread = kDeviation ? std_dev : var;
        return {spread(x, dims, correction, keepdim), mean(x, dims, keepdim, std::nullopt)};
    }
    Moments m(x, dims, keepdim, correction_of(correction), op);
    const Reduction& reduction = kDeviation ? kStdMean : kVarMean;
    Tensors out = reduction(x, m.gone, keepdim, correction_of(correction));
    if (should_record(x))
        record(kDeviation ? "StdMeanBackward0" : "VarMeanBackward0", out, {x}, {x, out[0]},
               [m](Backward& ctx) -> Tensors {
                   Tensor from_spread, from_mean, x = ctx.saved(0);
                   if (ctx.grad(0).defined())
                       from_spread = kDeviation ? m.of_deviation(ctx.grad(0), x, ctx.saved(1))
                                                : m.of_variance(ctx.grad(0), x);
                   if (ctx.grad(1).defined()) from_mean = m.of_mean(ctx.grad(1), x);
                   if (!from_spread.defined()) return {from_mean};
                   return {from_mean.defined() ? add(from_spread, from_mean) : from_spread};
               });
    return {out[0], out[1]};
}

/// By other ops; the largest real part is subtracted, as a constant.
Tensor complex_logsumexp(const Tensor& x, const OptionalDims& dims, bool keepdim) {
    Reduced gone = reduced_dims(x, dims, "logsumexp");
    Dims along;
    for (size_t i = 0; i < gone.size(); ++i)
        if (gone[i]) along.push_back(static_cast<int64_t>(i));
    Tensor top = select(view_as_real(detach(x)), -1, 0);
    if (x.numel() && !along.empty()) top = amax(top, along, true);
    Tensor zero = scalar_tensor(0.0, top.dtype());
    top = where(eq(abs(top), std::numeric_limits<double>::infinity()), zero, top);
    if (x.numel() == 0) top = zero;
    Tensor powers = exp(sub(x, top));
    Tensor total = along.empty() ? powers : sum(powers, along, true, std::nullopt);
    Tensor out = add(log(total), top);
    return keepdim || along.empty() ? out : squeeze(out, along);
}

using OfRows = Op<Tensor(const Tensor&, OptionalDims, bool)>;
extern const OfRows real_logsumexp;

Tensor logsumexp_body(const Tensor& input, OptionalDims dims, bool keepdim) {
    if (is_complex(input.dtype())) return complex_logsumexp(input, dims, keepdim);
    return real_logsumexp(is_floating(input.dtype()) ? input : to(input, default_dtype()), dims,
                          keepdim);
}

Tensor real_logsumexp_body(const Tensor& x, OptionalDims dims, bool keepdim) {
    Reduced gone = reduced_dims(x, dims, "logsumexp");
    Tensor out = kLogsumexp(x, gone, keepdim)[0];
    if (should_record(x))
        record("LogsumexpBackward0", {out}, {x}, {x, out},
               [gone, keepdim](Backward& ctx) -> Tensors {
                   Tensor x = ctx.saved(0), top = with_reduced(ctx.saved(1), gone, keepdim);
                   // Where all are -inf, so is the result, and their difference would be NaN
                   Tensor lost = eq(top, -std::numeric_limits<double>::infinity());
                   Tensor shift = where(lost, scalar_tensor(0.0, x.dtype()), top);
                   return {mul(with_reduced(ctx.grad(), gone, keepdim), exp(sub(x, shift)))};
               });
    return out;
}

// Norms

Tensor euclidean_norm(const Tensor& x, const Reduced& gone, bool keepdim) {
    Tensor out = kNorm(x, gone, keepdim)[0];
    if (should_record(x))
        record("LinalgVectorNormBackward0", {out}, {x}, {x, out},
               [gone, keepdim](Backward& ctx) -> Tensors {
                   Tensor x = ctx.saved(0), norm = ctx.saved(1), g = ctx.grad();
                   Tensor zero = scalar_tensor(0.0, norm.dtype());
                   if (grad_enabled()) {  // the second derivative at 0 does not exist: NaN, not 0
                       Tensor length = with_reduced(norm, gone, keepdim);
                       Tensor direction = where(eq(length, 0), zero, div(x, length));
                       return {mul(with_reduced(g, gone, keepdim), direction)};
                   }
                   Tensor scale = where(eq(norm, 0), zero, div(g, norm));
                   return {mul(x, with_reduced(scale, gone, keepdim))};
               });
    return out;
}

/// Any p that is not 0, 1, 2 or infinite. The derivative of |x|^p at 0 is taken as 0.
Tensor power_norm(const Tensor& x, double p, const Reduced& gone, const OptionalDims& dims,
                  bool keepdim) {
    Tensor out;
    {
        NoGrad guard;
        out = pow(sum(pow(abs(x), p), dims, keepdim, std::nullopt), 1.0 / p);
    }
    if (should_record(x))
        record("LinalgVectorNormBackward0", {out}, {x}, {x, out},
               [gone, keepdim, p](Backward& ctx) -> Tensors {
                   Tensor x = ctx.saved(0), norm = ctx.saved(1);
                   Tensor zero = scalar_tensor(0.0, norm.dtype());
                   Tensor size = abs(x), none = eq(size, 0);
                   Tensor power = where(none, zero, pow(size, p - 1));
                   Tensor scale = mul(ctx.grad(), where(eq(norm, 0), zero, pow(norm, 1 - p)));
                   return {mul(mul(sgn(x), power), with_reduced(scale, gone, keepdim))};
               });
    return out;
}

/// The number of elements that are not zero; its derivative is zero where there is one.
Tensor nonzero_norm(const Tensor& x, const OptionalDims& dims, bool keepdim) {
    Tensor out = to(sum(ne(x, 0), dims, keepdim, std::nullopt), real_counterpart(x.dtype()));
    if (should_record(x))
        record("LinalgVectorNormBackward0", {out}, {x}, {x},
               [](Backward& ctx) -> Tensors { return {zeros_like(ctx.saved(0))}; });
    return out;
}

Tensor vector_norm_body(const Tensor& input, const Scalar& ord, OptionalDims dims, bool keepdim,
                        std::optional<DType> dtype) {
    check<RuntimeError>(is_differentiable(input.dtype()),
                        "linalg.vector_norm: Expected a floating point or complex tensor as input. "
                        "Got ",
                        input.dtype());
    if (dtype && *dtype != input.dtype())
        return vector_norm(to(input, *dtype), ord, dims, keepdim, std::nullopt);
    const Tensor& x = input;
    double p = ord.to<double>();
    Reduced gone = reduced_dims(x, dims, "linalg.vector_norm");
    if (p == 2) return euclidean_norm(x, gone, keepdim);
    if (p == 0) return nonzero_norm(x, dims, keepdim);
    if (p == 1) return sum(abs(x), dims, keepdim, std::nullopt);
    if (!std::isinf(p) && is_half(x.dtype()))  // powers overflow where norms do not
        return to(vector_norm(to(x, DType::F32), ord, dims, keepdim, std::nullopt), x.dtype());
    if (!std::isinf(p)) return power_norm(x, p, gone, dims, keepdim);
    check<RuntimeError>(reduced_count(x, gone) > 0, "linalg.vector_norm cannot compute the ", p,
                        " norm on an empty tensor or dimension: it has no identity");
    Dims along = dims.value_or(Dims());
    return p > 0 ? amax(abs(x), along, keepdim) : amin(abs(x), along, keepdim);
}

const OfRows real_logsumexp{"_logsumexp(Tensor input, int[] dim, bool keepdim) -> Tensor", "p",
                            real_logsumexp_body, ""};

}  // namespace

const Op<Tensor(const Tensor&, OptionalDims, std::optional<Scalar>, bool)> var{
    "var(Tensor input, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
    "fmo", var_body, "The variance, with `correction` (1) subtracted from the number of elements."};
const Op<Tensor(const Tensor&, OptionalDims, std::optional<Scalar>, bool)> std_dev{
    "std(Tensor input, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor",
    "fmo", std_body, "The standard deviation: the root of the variance."};
const Op<Pair(const Tensor&, OptionalDims, std::optional<Scalar>, bool)> var_mean{
    "var_mean(Tensor input, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
    "(Tensor, Tensor)",
    "f", both_body<false>, "The variance and the mean."};
const Op<Pair(const Tensor&, OptionalDims, std::optional<Scalar>, bool)> std_mean{
    "std_mean(Tensor input, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> "
    "(Tensor, Tensor)",
    "f", both_body<true>, "The standard deviation and the mean."};

// The older spelling of the correction: unbiased=False is correction=0.
template <const auto& spread>
static auto unbiased_body(const Tensor& x, OptionalDims dims, bool unbiased, bool keepdim) {
    return spread(x, dims, Scalar(unbiased ? 1 : 0), keepdim);
}
template <const auto& spread>
static auto unbiased_of_all(const Tensor& x, bool unbiased) {
    return spread(x, std::nullopt, Scalar(unbiased ? 1 : 0), false);
}
#define UNBIASED(name, spread, result, returns, flags)                                            \
    static const Op<result(const Tensor&, bool)> name##_all{                                      \
        #name ".all(Tensor input, bool unbiased) -> " returns, flags, unbiased_of_all<spread>,    \
        spread.doc()};                                                                            \
    static const Op<result(const Tensor&, OptionalDims, bool, bool)> name##_dim {                 \
        #name                                                                                     \
            ".dim(Tensor input, int[]? dim, bool unbiased=True, bool keepdim=False) -> " returns, \
            flags, unbiased_body<spread>, spread.doc()                                            \
    }
UNBIASED(var, var, Tensor, "Tensor", "fmo");
UNBIASED(std, std_dev, Tensor, "Tensor", "fmo");
UNBIASED(var_mean, var_mean, Pair, "(Tensor, Tensor)", "f");
UNBIASED(std_mean, std_mean, Pair, "(Tensor, Tensor)", "f");
#undef UNBIASED

const Op<Tensor(const Tensor&, OptionalDims, bool)> logsumexp{
    "logsumexp(Tensor input, int[] dim, bool keepdim=False) -> Tensor", "fmoSb", logsumexp_body,
    "The logarithm of the sum of exponentials along the dimensions `dim`, without overflow."};
const Op<Tensor(const Tensor&, const Scalar&, OptionalDims, bool, std::optional<DType>)>
    vector_norm{
        "vector_norm(Tensor x, Scalar ord=2, int[]? dim=None, bool keepdim=False, *, "
        "dtype? dtype=None) -> Tensor",
        "Lo", vector_norm_body, "The vector norm of order `ord` along `dim`, or of all."};

static Tensor norm_body(const Tensor& x, const Scalar& p, OptionalDims dims, bool keepdim,
                        std::optional<DType> dtype) {
    return vector_norm(x, p, dims, keepdim, dtype);
}
static const Op<Tensor(const Tensor&, const Scalar&, OptionalDims, bool, std::optional<DType>)>
    norm{
        "norm(Tensor input, Scalar p=2, int[]? dim=None, bool keepdim=False, dtype? dtype=None) "
        "-> Tensor",
        "O", norm_body, "The vector norm of order `p`, along `dim` or of all elements."};

}  // namespace kagari::ops
