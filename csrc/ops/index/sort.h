// Sorting, selecting by rank, searching in sorted rows.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, bool, bool)> sort;
extern const Op<Tensor(const Tensor&, int64_t, bool, bool)> argsort;
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, int64_t, bool, bool)> topk;
extern const Op<std::tuple<Tensor, Tensor>(const Tensor&, int64_t, int64_t, bool)> kthvalue;
extern const Op<Tensor(const Tensor&, const Value&, bool, bool, const std::optional<std::string>&,
                       const std::optional<Tensor>&)>
    searchsorted;

}  // namespace kagari::ops
