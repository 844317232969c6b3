// Gathering and scattering element by element along one dimension, and flat taking and putting.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, int64_t, const Tensor&)> gather;
/// `src` is a tensor or a number; `reduce` none, "add" or "multiply".
extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&,
                       const std::optional<std::string>&)>
    scatter, scatter_;
extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> scatter_add,
    scatter_add_;
extern const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&, const std::string&,
                       bool)>
    scatter_reduce;
extern const Op<Tensor(const Tensor&, const Tensor&)> take;
extern const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, bool)> put, put_;
extern const Op<Tensor(const Tensor&, const Tensor&, const Value&)> masked_fill, masked_fill_;
extern const Op<Tensor(const Tensor&, const Tensor&, const Tensor&)> masked_scatter,
    masked_scatter_;

}  // namespace kagari::ops
