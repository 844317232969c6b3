// Copies that read memory in another order than they write it.
#pragma once
#include "cpu/strided.h"

namespace kagari::cpu {

/// Copies elements of `item` bytes between windows of the same sizes (strides in elements), if they
/// are contiguous along different dimensions: tile by tile. False if they are not, or too small;
/// nothing is done then.
bool copy_transposed(void* to, IntSpan to_strides, const void* from, IntSpan from_strides,
                     IntSpan sizes, size_t item);

}  // namespace kagari::cpu
