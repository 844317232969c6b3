// Normalisations with learned scale and shift, and their gradients.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

using OptionalTensor = std::optional<Tensor>;

extern const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, const OptionalTensor&, double,
                       bool)>
    layer_norm;
extern const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, std::optional<double>)>
    rms_norm;
/// input, weight, bias, running mean, running variance, training, momentum, eps, unused
extern const Op<Tensor(const Tensor&, const OptionalTensor&, const OptionalTensor&,
                       const OptionalTensor&, const OptionalTensor&, bool, double, double, bool)>
    batch_norm;
extern const Op<Tensor(const Tensor&, int64_t, const OptionalTensor&, const OptionalTensor&, double,
                       bool)>
    group_norm;

}  // namespace kagari::ops
