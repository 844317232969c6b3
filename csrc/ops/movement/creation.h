// Making tensors from sizes and numbers.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

Tensor full(IntSpan sizes, const Scalar& value, DType dtype, Device device = kCPU);
Tensor zeros(IntSpan sizes, DType dtype, Device device = kCPU);
Tensor ones(IntSpan sizes, DType dtype, Device device = kCPU);
Tensor zeros_like(const Tensor& t);
Tensor ones_like(const Tensor& t);
/// Zeros of the dtype and device of `t`; an interceptor sees whose they are, and gives them room
/// for whatever it keeps beside the shape.
extern const Op<Tensor(const Tensor&, IntSpan)> new_zeros;
Tensor scalar_tensor(const Scalar& value, DType dtype, Device device = kCPU);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype);
/// Writes one number everywhere; unrecorded.
void fill(const Tensor& t, const Scalar& value);
extern const Op<Tensor(const Tensor&)> zero_;

}  // namespace kagari::ops
