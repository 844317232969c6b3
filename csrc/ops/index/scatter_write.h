// The unrecorded part of the scatters, shared by scatter, scatter_add and scatter_reduce.
#pragma once
#include "cpu/rows.h"
#include "tensor/tensor.h"

namespace kagari::ops {

/// Errors for an index or a source that does not fit; an empty index fits everything.
void check_scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                   const char* op);
/// Checks all indices, then combines `src` (or its one number, if 0-d) into `target`.
void scatter_into(cpu::Combine combine, const Tensor& target, int64_t dim, const Tensor& index,
                  const Tensor& src, const char* op);

}  // namespace kagari::ops
