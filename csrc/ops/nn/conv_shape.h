// The shape rule of convolutions: what a call means, checked, in numbers.
#pragma once
#include "tensor/tensor.h"

namespace kagari::ops {

/// Per spatial dimension, each as long as there are spatial dimensions.
struct ConvWindow {
    Dims stride, padding, dilation, output_padding;
    bool transposed = false;
    int64_t groups = 1;
};

/// Lengths of one are repeated, everything is checked. `spatial` is 1, 2 or 3.
ConvWindow conv_window(size_t spatial, IntSpan stride, IntSpan padding, IntSpan dilation,
                       bool transposed, IntSpan output_padding, int64_t groups);
/// Errors for operands that do not fit each other. `input` has its batch dimension.
void check_conv(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvWindow& w);
/// The size of the result, of the same rank as `input`.
Dims conv_output_size(IntSpan input, IntSpan weight, const ConvWindow& w);
/// What a transposed convolution must add at the end for a result of the spatial sizes of `wanted`.
Dims missing_output(IntSpan wanted, IntSpan grad, IntSpan weight, const ConvWindow& w);

}  // namespace kagari::ops
