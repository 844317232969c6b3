// Drawing random numbers into tensors, and dropout.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

using OptionalGenerator = std::optional<Ref<Generator>>;
Generator& generator_or_default(const OptionalGenerator& given);
/// `out` in the graph behind `inputs`, with gradients of zero: PyTorch's for what is drawn.
Tensor without_gradient(const Tensor& out, const Tensors& inputs, const char* node);

extern const Op<Tensor(const Tensor&, double, double, const OptionalGenerator&)> uniform_, normal_,
    log_normal_, cauchy_;
extern const Op<Tensor(const Tensor&, double, const OptionalGenerator&)> exponential_, geometric_;
extern const Op<Tensor(const Tensor&, const Value&, const OptionalGenerator&)> bernoulli_;
/// No bounds: all numbers that the dtype counts exactly. One: [0, first). Two: [first, second).
extern const Op<Tensor(const Tensor&, std::optional<int64_t>, std::optional<int64_t>,
                       const OptionalGenerator&)>
    random_;
extern const Op<Tensor(const Tensor&, const OptionalGenerator&)> poisson, standard_gamma,
    sample_dirichlet;
extern const Op<Tensor(const Tensor&, const Tensor&, const OptionalGenerator&)> binomial;
extern const Op<Tensor(const Tensor&, int64_t, bool, const OptionalGenerator&)> multinomial;
extern const Op<Tensor(int64_t, const OptionalGenerator&, DType, Device)> randperm;

extern const Op<Tensor(const Tensor&, double, bool)> dropout, dropout_, feature_dropout,
    feature_dropout_, alpha_dropout, alpha_dropout_, feature_alpha_dropout, feature_alpha_dropout_;

}  // namespace kagari::ops
