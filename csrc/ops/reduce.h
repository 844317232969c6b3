// Reductions over dimensions.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// No dims: all of them. Integers and bool are summed as int64 unless `dtype` says otherwise.
extern const Op<Tensor(const Tensor&, std::optional<Dims>, bool, std::optional<DType>)> sum;
/// Sums the dimensions along which `sizes` was broadcast to the shape of `t`.
Tensor sum_to_size(const Tensor& t, IntSpan sizes);

}  // namespace kagari::ops
