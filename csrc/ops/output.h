// Rules for tensors that an op writes to: resizing, dtype, overlap. One place for every out= and
// in-place variant.
#pragma once
#include "tensor/tensor.h"

namespace kagari {

/// RuntimeError unless a result of dtype `result` may be written to a tensor of dtype `out`: to any
/// of its category or a higher one or, if `exact`, to its own only.
void check_out_dtype(DType result, DType out, bool exact, const char* op);
/// Makes `out` fit a result of these sizes; an empty one is resized, another shape is resized with
/// a warning.
void fit_out(const Tensor& out, IntSpan sizes, const char* op);
/// Errors if `result`, of whatever dtype, may not be written to `out`: device, differentiation,
/// leaves.
void check_out(const Tensor& out, const Tensor& result, const char* op);
/// `result` copied to `out`, which is resized where it has another shape; check first.
void write_out(const Tensor& out, const Tensor& result, const char* op);
/// Gives `t` new sizes, row-major, growing its storage where needed.
void resize(const Tensor& t, IntSpan sizes);
/// Error if writing `out` would change elements of `in` that are read later: they share memory
/// without being the same window.
void check_partial_overlap(const Tensor& out, const Tensor& in, const char* op);
/// The same for an op that may not even write to the window that it reads.
void check_disjoint(const Tensor& out, const Tensor& in, const char* op);
bool may_share_memory(const Tensor& a, const Tensor& b);
bool same_window(const Tensor& a, const Tensor& b);
/// A warning for the user; python/ makes it a UserWarning.
extern void (*warn)(const std::string& message);

}  // namespace kagari
