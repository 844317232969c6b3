// Pooling: maximum and average over fixed windows, and over adaptive ones. The arithmetic is left
// to cpu/pool.h. The ops themselves are found by name; C++ needs only these.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// Values of each plane of `input` (its last `spatial` dimensions) at flat `indices`, and the sum
/// of values put back at them: each is the other's derivative.
extern const Op<Tensor(const Tensor& input, const Tensor& indices, int64_t spatial)> pool_gather;
extern const Op<Tensor(const Tensor& values, const Tensor& indices, IntSpan sizes, int64_t spatial)>
    pool_scatter;

}  // namespace kagari::ops
