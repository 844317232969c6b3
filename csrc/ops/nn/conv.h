// Convolutions of one to three dimensions, plain and transposed. The arithmetic is left to
// cpu/conv.h.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// input (N, C, spatial...) or (C, spatial...), weight (out, in / groups, spatial...), or
/// (in, out / groups, spatial...) if transposed.
extern const Op<Tensor(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias,
                       IntSpan stride, IntSpan padding, IntSpan dilation, bool transposed,
                       IntSpan output_padding, int64_t groups)>
    convolution;
/// The gradient of a plain convolution with respect to its weight, for real numbers: bilinear in
/// input and grad.
extern const Op<Tensor(const Tensor& input, const Tensor& grad, IntSpan weight_size, IntSpan stride,
                       IntSpan padding, IntSpan dilation, int64_t groups)>
    conv_weight_gradient;

}  // namespace kagari::ops
