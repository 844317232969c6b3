// Padding.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, IntSpan, const std::string&, std::optional<double>)> pad;

}  // namespace kagari::ops
