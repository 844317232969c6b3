// The shape rule of pooling: what a call means, checked, as a plan for the kernels.
#pragma once
#include "cpu/pool.h"
#include "tensor/tensor.h"

namespace kagari::ops {

struct PoolWindow {
    IntSpan kernel, stride, padding,
        dilation;  // one value, or one per dimension; no stride: kernel
    bool ceil_mode = false;
};

/// `op` is the public name, for messages; `spatial` the number of pooled dimensions.
cpu::Pool pool_plan(const char* op, const Tensor& input, int64_t spatial, const PoolWindow& w);
cpu::Pool adaptive_pool_plan(const char* op, const Tensor& input, IntSpan output_size);
/// The size of the result of a plan.
Dims pool_output_size(const Tensor& input, int64_t spatial, const cpu::Pool& plan);

}  // namespace kagari::ops
