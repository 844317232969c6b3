// Views: tensors that share a storage. Each is recorded, and tracked so that in-place writes
// through it reach its base's history.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, IntSpan)> view, reshape, expand, permute;
extern const Op<Tensor(const Tensor&, int64_t, int64_t)> transpose;
extern const Op<Tensor(const Tensor&, IntSpan, IntSpan, std::optional<int64_t>)> as_strided;
extern const Op<Tensor(const Tensor&, int64_t, std::optional<int64_t>, std::optional<int64_t>,
                       int64_t)>
    slice;
extern const Op<Tensor(const Tensor&, int64_t, int64_t)> select;
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> narrow;
extern const Op<Tensor(const Tensor&, int64_t)> unsqueeze;
extern const Op<Tensor(const Tensor&, std::optional<Dims>)> squeeze;  // none: every size of 1
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> diagonal;
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> unfold;
extern const Op<Tensors(const Tensor&, IntSpan, int64_t)> split_with_sizes;
extern const Op<Tensors(const Tensor&, int64_t, int64_t)> chunk;
extern const Op<Tensors(const Tensor&, int64_t)> unbind;
extern const Op<Tensor(const Tensor&)> view_as_real, view_as_complex, alias, detach, t;
extern const Op<Tensor(const Tensor&, int64_t, int64_t)> flatten;
extern const Op<Tensor(const Tensor&, IntSpan, IntSpan)> movedim;

/// The gradient of a strided window (new) of a tensor laid out as (old); overlapping elements add
/// up.
extern const Op<Tensor(const Tensor&, IntSpan, IntSpan, int64_t, IntSpan, IntSpan, int64_t)>
    as_strided_backward;
/// Last two dimensions swapped.
Tensor mT(const Tensor& t);
/// `-1` in `sizes` replaced by what is left of `numel`.
Dims infer_sizes(IntSpan sizes, int64_t numel, const char* op);
/// Strides that show `t` in `sizes` without a copy; false where there are none.
bool view_strides(const Tensor& t, IntSpan sizes, Dims& strides);

}  // namespace kagari::ops
