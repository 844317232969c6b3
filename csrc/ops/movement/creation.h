// Making tensors from sizes and numbers.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(IntSpan, DType, Device)> new_empty;
extern const Op<Tensor(const Tensor&, DType, Device)> new_empty_like;
extern const Op<Tensor(const Tensor&, const Scalar&, DType, Device)> full_like;
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
extern const Op<Tensor(const Scalar&, const Scalar&, const Scalar&, DType, Device)> arange_on;
extern const Op<Tensor(const Scalar&, const Scalar&, int64_t, DType, Device)> linspace;
/// Writes one number everywhere; unrecorded.
void fill(const Tensor& t, const Scalar& value);
extern const Op<Tensor(const Tensor&)> zero_;

/// RuntimeError unless `value` lies in the range of `dtype`.
void check_representable(const Scalar& value, DType dtype, const char* op);

}  // namespace kagari::ops
