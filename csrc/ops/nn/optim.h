// Fused optimiser steps: one call updates a whole list of parameters and their state in place.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<int64_t(const Tensors&, const Tensors&, const Tensors&, const Tensors&,
                        const Tensors&, const Tensors&, double, double, double, double, double,
                        double, bool)>
    fused_adam_;

extern const Op<int64_t(const std::string&, const Tensors&, const Tensors&, const Tensors&,
                        const std::vector<double>&)>
    fused_update_;

extern const Op<int64_t(const Tensors&, const Tensors&, const Tensors&, double, double, double,
                        double, bool, bool, bool)>
    fused_sgd_;

}  // namespace kagari::ops
