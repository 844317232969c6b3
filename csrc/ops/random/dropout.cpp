// Dropout of elements and of whole features, plain and alpha. The masks are PyTorch's.
#include "ops/movement/creation.h"
#include "ops/random/random.h"
#include "ops/rows.h"
#include "ops/write.h"

namespace kagari::ops {

namespace {

/// Bernoulli noise like `input`, one number per feature map where `feature`.
Tensor noise_for(const Tensor& input, double keep, bool feature) {
    NoGrad guard;
    if (!feature) return bernoulli_(empty_like(input), Value(Scalar(keep)), std::nullopt);
    check(input.dim() >= 2, "Feature dropout requires at least 2 dimensions in the input, got ",
          input.sizes());
    Dims sizes(input.sizes());
    for (size_t d = 2; d < sizes.size(); ++d) sizes[d] = 1;
    Tensor noise = empty(sizes, input.dtype(), input.device());
    return bernoulli_(noise, Value(Scalar(keep)), std::nullopt);
}

/// input * scale + shift, written to `input` itself where `inplace`.
template <bool inplace>
Tensor apply(const Tensor& input, const Tensor& scale, const Tensor& shift) {
    if constexpr (!inplace) {
        Tensor out = mul(input, scale);
        return shift ? add(out, shift) : out;
    }
    auto write = [&](const Tensor& target) {
        NoGrad guard;
        mul.into(target, target, scale);
        if (shift) add.into(target, target, shift);
    };
    return written<true>("dropout_", "MulBackward0", {input}, {scale}, write,
                         [](Backward& ctx) -> Tensors { return {mul(ctx.grad(), ctx.saved(0))}; });
}

template <bool feature, bool alpha, bool inplace>
Tensor dropout_body(const Tensor& input, double p, bool train) {
    check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
    if (p == 0 || !train || input.numel() == 0) return input;
    if (p == 1) return apply<inplace>(input, zeros({}, input.dtype(), input.device()), {});
    Tensor scale = noise_for(input, 1 - p, feature), shift;
    {
        NoGrad guard;
        if (alpha) {
            constexpr double kAlpha = 1.7580993408473766;  // -selu(-inf)
            double a = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
            shift = add(mul(add(scale, Scalar(-1)), Scalar(kAlpha * a)), Scalar(kAlpha * a * p));
            scale = mul(scale, Scalar(a));
        } else {
            div.into(scale, scale, Scalar(1 - p));
        }
    }
    return apply<inplace>(input, scale, shift);
}

}  // namespace

#define KAGARI_DROPOUT(name, feature, alpha, doc)                    \
    const Op<Tensor(const Tensor&, double, bool)> name{              \
        #name "(Tensor input, float p, bool train) -> Tensor", "f",  \
        dropout_body<feature, alpha, false>, doc};                   \
    const Op<Tensor(const Tensor&, double, bool)> name##_{           \
        #name "_(Tensor input, float p, bool train) -> Tensor", "f", \
        dropout_body<feature, alpha, true>, "In-place `" #name "`."}
KAGARI_DROPOUT(dropout, false, false,
               "In training, zeroes elements with probability `p` and scales the rest by 1/(1-p).");
KAGARI_DROPOUT(feature_dropout, true, false, "Dropout of whole feature maps.");
KAGARI_DROPOUT(alpha_dropout, false, true, "Dropout that keeps mean and variance under SELU.");
KAGARI_DROPOUT(feature_alpha_dropout, true, true, "Alpha dropout of whole feature maps.");

}  // namespace kagari::ops
