// Rules for tensors that an op writes to: resizing, dtype, overlap. One place for every out= and
// in-place variant.
#pragma once
#include "tensor/tensor.h"

namespace kagari {

/// Makes `out` fit a result of these sizes; an empty one is resized, another shape is resized with
/// a warning. RuntimeError if a result of `dtype` may not be written to it.
void prepare_out(const Tensor& out, IntSpan sizes, DType dtype, const char* op);
/// What `out` may be: any dtype that a result may be cast to, or the result's own.
enum class OutDtype : uint8_t { Castable, Same };
/// Errors if `result` may not be written to `out`: dtype, device, differentiation, leaves.
void check_out(const Tensor& out, const Tensor& result, OutDtype rule, const char* op);
/// `result` copied to `out`, which is resized where it has another shape; check first.
void write_out(const Tensor& out, const Tensor& result, const char* op);
/// Gives `t` new sizes, row-major, growing its storage where needed.
void resize(const Tensor& t, IntSpan sizes);
/// Error if writing `out` would change elements of `in` that are read later: they share memory
/// without being the same window.
void check_partial_overlap(const Tensor& out, const Tensor& in, const char* op);
bool may_share_memory(const Tensor& a, const Tensor& b);
bool same_window(const Tensor& a, const Tensor& b);
/// A warning for the user; python/ makes it a UserWarning.
extern void (*warn)(const std::string& message);

}  // namespace kagari
