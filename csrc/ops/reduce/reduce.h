// Reductions over dimensions, with their gradients. How they run is left to reduction.h.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

using OptionalDims = std::optional<Dims>;

/// No dims: all of them. Integers and bool are summed as int64 unless `dtype` says otherwise.
extern const Op<Tensor(const Tensor&, OptionalDims, bool, std::optional<DType>)> sum, mean, nansum;
extern const Op<Tensor(const Tensor&, std::optional<int64_t>, bool, std::optional<DType>)> prod;
extern const Op<Tensor(const Tensor&, OptionalDims, bool)> amax, amin, any, all, logsumexp;
extern const Op<Tensor(const Tensor&, std::optional<int64_t>, bool)> argmax, argmin;
/// Values and indices of the extreme elements along one dimension; the first of equals.
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, bool)> max_dim, min_dim;
extern const Op<Tensor(const Tensor&, OptionalDims)> count_nonzero;
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, std::optional<int64_t>, bool)> aminmax;
/// `correction` is subtracted from the number of elements.
extern const Op<Tensor(const Tensor&, OptionalDims, std::optional<Scalar>, bool)> var, std_dev;
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, OptionalDims, std::optional<Scalar>,
                                           bool)>
    var_mean, std_mean;
/// The p-norm of the elements: p = 0, 1, 2, inf, -inf or any other number.
extern const Op<Tensor(const Tensor&, const Scalar&, OptionalDims, bool, std::optional<DType>)>
    vector_norm;

/// Sums the dimensions along which `sizes` was broadcast to the shape of `t`.
Tensor sum_to_size(const Tensor& t, IntSpan sizes);

}  // namespace kagari::ops
