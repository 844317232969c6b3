// Advanced indexing: reading and writing elements chosen by tensors of integers or booleans.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// One entry per dimension; none stands for a full slice. Booleans choose where they are true.
extern const Op<Tensor(const Tensor&, const OptionalTensors&)> index;
extern const Op<Tensor(const Tensor&, const OptionalTensors&, const Tensor&, bool)> index_put,
    index_put_;

extern const Op<Tensor(const Tensor&, int64_t, const Tensor&)> index_select;
extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&, const Scalar&)>
    index_add, index_add_;
extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> index_copy,
    index_copy_;

extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&)> index_fill,
    index_fill_;

extern const Op<Tensor(const Tensor&)> nonzero;
extern const Op<Tensor(const Tensor&, const Tensor&)> masked_select;

/// Positions where `mask` is true as one int64 tensor per dimension.
Tensors nonzero_columns(const Tensor& mask);

}  // namespace kagari::ops
