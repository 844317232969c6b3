// Rearranging elements into new memory.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, IntSpan)> flip, repeat;
extern const Op<Tensor(const Tensor&, IntSpan, IntSpan)> roll;
/// `repeats` is a number, or a tensor with one number per element.
extern const Op<Tensor(const Tensor&, const Value&, std::optional<int64_t>, std::optional<int64_t>)>
    repeat_interleave;
extern const Op<Tensor(const Tensor&)> repeats_to_places;
extern const Op<Tensor(const Tensor&, int64_t)> tril, triu, diag;
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> diag_embed;

}  // namespace kagari::ops
