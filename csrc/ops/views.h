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
extern const Op<Tensor(const Tensor&, std::optional<Dims>)>
    squeeze;  // no dims: every dimension of size 1
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> diagonal;
extern const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> unfold;
extern const Op<Tensors(const Tensor&, IntSpan, int64_t)> split_with_sizes;
extern const Op<Tensors(const Tensor&, int64_t, int64_t)> split, chunk;
extern const Op<Tensors(const Tensor&, int64_t)> unbind;
extern const Op<Tensor(const Tensor&)> view_as_real, view_as_complex;
extern const Op<Tensor(const Tensor&, int64_t, int64_t)> flatten;
extern const Op<Tensor(const Tensor&, IntSpan, IntSpan)> movedim;
extern const Op<Tensor(const Tensor&)> alias, detach;

/// Last two dimensions swapped.
Tensor mT(const Tensor& t);
/// A view of `t` with these sizes and strides and its place in the graph; what every view op ends
/// in. `backward` maps the gradient of the view to that of `t`.
Tensor make_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset, const char* name,
                 std::function<Tensor(const Tensor& grad)> backward);

}  // namespace kagari::ops
