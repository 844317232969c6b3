// Copies and conversions between dtypes, layouts and devices.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

/// Writes `source`, broadcast and converted, to `self` and returns `self`; recorded.
extern const Op<Tensor(const Tensor&, const Tensor&, bool)> copy_;
extern const Op<Tensor(const Tensor&)> clone;       // layout preserved
extern const Op<Tensor(const Tensor&)> contiguous;  // itself if it is already
/// Itself if nothing changes; recorded.
Tensor to(const Tensor& t, DType dtype);
Tensor to_device(const Tensor& t, Device device);
/// Raw element copy with conversion and broadcasting; unrecorded, bumps no version.
void copy_elements(const Tensor& to, const Tensor& from);
/// A contiguous, unrecorded tensor of that dtype with the same values; `t` itself if it already is.
Tensor raw_contiguous(const Tensor& t);
Tensor raw_contiguous(const Tensor& t, DType dtype);
/// The number in a tensor of one element.
Scalar item(const Tensor& t);

}  // namespace kagari::ops
