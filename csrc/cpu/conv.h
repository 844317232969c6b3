// Convolutions of one to three dimensions on raw memory: forward and the gradients with respect to
// input and weight. A transposed convolution is the input gradient of a plain one, so
// ops/nn/conv.cpp calls that. Shape rules and recording are left to ops/nn/conv.cpp.
#pragma once
#include <array>
#include <cstdint>

#include "tensor/dtype.h"

namespace kagari::cpu {

using Sizes3 = std::array<int64_t, 3>;
using Strides5 = std::array<int64_t, 5>;

/// Spatial arrays hold `spatial` values, first dimension first; strides are in elements and in the
/// order batch (or output channel), channel, spatial.
struct Conv {
    DType dtype = DType::F32;
    int spatial = 2;
    int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
    Sizes3 in{}, kernel{}, out{}, stride{}, dilation{}, padding{};
    Strides5 in_strides{}, weight_strides{}, out_strides{};

    int64_t macs() const;  // multiplications of one pass
};

/// float32 and bfloat16 go to oneDNN, with any strides; the others are unfolded and multiplied, and
/// must be contiguous. No result depends on the number of threads.
void conv_forward(const Conv& conv, const void* input, const void* weight, const void* bias,
                  void* output);
void conv_backward_input(const Conv& conv, const void* grad_output, const void* weight,
                         void* grad_input);
void conv_backward_weight(const Conv& conv, const void* input, const void* grad_output,
                          void* grad_weight);

// The two ways, each in its file.
enum class ConvPass { Forward, BackwardInput, BackwardWeight };
/// `left` and `right` are the pass's two operands in the order of the functions above.
void conv_onednn(const Conv& conv, ConvPass pass, const void* left, const void* right,
                 const void* bias, void* result);
void conv_unfolded(const Conv& conv, ConvPass pass, const void* left, const void* right,
                   const void* bias, void* result);

}  // namespace kagari::cpu
