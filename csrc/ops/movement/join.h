// Joining tensors.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensors&, int64_t)> cat, stack;

}  // namespace kagari::ops
