// Cumulative sums, products and extremes along one dimension.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> cumsum, cumprod;
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t)> cummax, cummin;
extern const Op<Tensor(const Tensor&, int64_t)> logcumsumexp;
/// Each element's sum with those after it.
extern const Op<Tensor(const Tensor&, int64_t)> reverse_cumsum;
/// Note [Weighted sums of exponentials]
extern const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, int64_t, bool)> exp_weighted;

}  // namespace kagari::ops
