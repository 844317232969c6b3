// Softmax along one dimension, with gradients to any order.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> softmax, log_softmax;
/// Their derivatives from the output: (grad, output, dim).
extern const Op<Tensor(const Tensor&, const Tensor&, int64_t)> softmax_backward,
    log_softmax_backward;

}  // namespace kagari::ops
