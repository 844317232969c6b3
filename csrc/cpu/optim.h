// Steps of optimisers on raw memory, one pass over a parameter and its state. Checks, layouts and
// threads are left to ops/nn/optim.cpp.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace kagari::cpu {

/// One tensor of an Adam step. All pointers address elements of `dtype`, in the same order.
struct AdamStep {
    void* param = nullptr;
    const void* grad = nullptr;
    void* mean = nullptr;        // exp_avg
    void* square = nullptr;      // exp_avg_sq
    void* max_square = nullptr;  // only with amsgrad
    double lr = 0, beta1 = 0, beta2 = 0, eps = 0;
    double coupled_decay = 0;    // added to the gradient (Adam)
    double decoupled_decay = 0;  // shrinks the parameter by lr times this (AdamW)
    double correction1 = 1, correction2_sqrt = 1;
    bool maximize = false;
};

/// Elements [first, last). Floating dtypes; halves compute in float.
void adam(DType dtype, const AdamStep& step, int64_t first, int64_t last);

/// One tensor of an SGD step.
struct SgdStep {
    void* param = nullptr;
    const void* grad = nullptr;
    void* momentum_buffer = nullptr;  // only with momentum
    double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
    bool nesterov = false, maximize = false;
    bool first = false;  // the buffer becomes the gradient
};

void sgd(DType dtype, const SgdStep& step, int64_t first, int64_t last);

}  // namespace kagari::cpu
