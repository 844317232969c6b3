// Losses that are hot enough for one op of their own; the others are composed in Python.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// -input[target] * weight[target], for log-probabilities (C), (N, C) or (N, C, d1, ...);
/// `reduction` none, mean or sum.
extern const Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                       const std::string&, int64_t)>
    nll_loss;
/// (input - target)^2, summed or averaged ("sum", "mean"), of equal sizes.
extern const Op<Tensor(const Tensor&, const Tensor&, const std::string&)> mse_loss;

}  // namespace kagari::ops
