// Gathering and scattering along one dimension, element by element (torch.gather, torch.scatter).
#pragma once
#include "cpu/rows.h"

namespace kagari::cpu {

/// One index per element: element at position p of `index` is paired with the element of `self` at
/// p, except that its place in `dim` is the index. Strides in elements; `self` has stride
/// self_strides[dim] and `length` places along dim.
struct Along {
    IntSpan sizes;  // of the index
    IntSpan self_strides, index_strides, other_strides;
    int64_t dim, length;
};

/// other = self[index]; RuntimeError for an index outside [0, length).
void gather_along(const Along& along, const void* self, const int64_t* index, void* other,
                  size_t item);
/// self[index] = combine(self[index], other), in the order of the index along dim, so that the
/// result is the same on any number of threads. Call check_along first: nothing is written then.
void scatter_along(Combine combine, DType dtype, const Along& along, void* self,
                   const int64_t* index, const void* other);
/// Error if an index is outside [0, length).
void check_along(const Along& along, const int64_t* index, const char* op);

}  // namespace kagari::cpu
