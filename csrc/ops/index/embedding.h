// Looking up rows of a table.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// weight, indices, padding_idx (-1: none), scale_grad_by_freq, sparse
extern const Op<Tensor(const Tensor&, const Tensor&, int64_t, bool, bool)> embedding;
extern const Op<Tensor(const Tensor&, int64_t)> one_hot;

}  // namespace kagari::ops
