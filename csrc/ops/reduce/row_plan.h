// From index tensors to the offsets of rows: broadcasting, wrapping, bounds, the shape of the
// result. What is done with the rows is left to index.cpp and its neighbours.
#pragma once
#include "cpu/rows.h"
#include "ops/value.h"

namespace kagari {

/// The rows of a tensor that index tensors choose.
struct RowPlan {
    Dims result;     // sizes of tensor[indices]
    Tensor offsets;  // int64, one per chosen row
    cpu::RowLayout layout{{}, {}, {}, {}};

    const int64_t* data() const { return offsets.data<int64_t>(); }
    int64_t count() const { return offsets.numel(); }
};

/// Booleans replaced by the positions where they are true; too many or unfit ones are IndexErrors.
OptionalTensors expand_masks(const Tensor& self, const OptionalTensors& indices);
/// Sizes of self[indices]; `indices` without booleans.
Dims indexed_sizes(const Tensor& self, const OptionalTensors& indices);
/// Rows for `indices` without booleans. Every index is checked; IndexError names the first bad one.
RowPlan plan_rows(const Tensor& self, const OptionalTensors& indices);
/// Rows for one index of at most one dimension; negative indices are errors.
RowPlan plan_rows(const Tensor& self, int64_t dim, const Tensor& index, const char* op);

/// The chosen rows, in new memory.
Tensor gather_rows(const Tensor& self, const RowPlan& plan);
/// Combines `values`, which broadcast to plan.result, into the chosen rows of `self`.
void scatter_rows(const Tensor& self, const RowPlan& plan, const Tensor& values,
                  cpu::Combine combine);

}  // namespace kagari
