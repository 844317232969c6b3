// Stable sorting and selection of rows. NaN counts as greater than everything, -0 equals 0.
#pragma once
#include "tensor/dtype.h"

namespace kagari::cpu {

/// Sorts `rows` contiguous rows of n elements; equal elements keep their order.
void sort_rows(DType dtype, const void* in, int64_t rows, int64_t n, bool descending, void* values,
               int64_t* indices);
/// The k first elements of each sorted row; among equal ones those that come first.
void top_rows(DType dtype, const void* in, int64_t rows, int64_t n, int64_t k, bool largest,
              void* values, int64_t* indices);
/// The k-th smallest (from 0) of each row.
void kth_rows(DType dtype, const void* in, int64_t rows, int64_t n, int64_t k, void* values,
              int64_t* indices);

}  // namespace kagari::cpu
