// How index tensors become row offsets.
#include "ops/reduce/row_plan.h"

#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "runtime/parallel.h"

namespace kagari {

namespace {

/// Which dimensions are indexed, and where their place in the result is.
struct Indexed {
    Dims dims;      // indexed dimensions, ascending
    Dims shape;     // common shape of the indices
    size_t before;  // dimensions of self in front of `shape` in the result
};

Indexed find_indexed(const Tensor& self, const OptionalTensors& indices) {
    Indexed found{{}, {}, 0};
    bool adjacent = true;
    for (size_t d = 0; d < indices.size(); ++d) {
        if (!indices[d]) continue;
        if (found.dims.empty())
            found.shape = Dims(indices[d]->sizes());
        else
            adjacent &= found.dims.back() == static_cast<int64_t>(d) - 1;
        found.dims.push_back(static_cast<int64_t>(d));
    }
    for (size_t k = 1; k < found.dims.size(); ++k) {
        IntSpan sizes = indices[static_cast<size_t>(found.dims[k])]->sizes();
        try {
            found.shape = broadcast_sizes(found.shape, sizes, "index");
        } catch (const RuntimeError&) {
            fail<IndexError>(
                "shape mismatch: indexing tensors could not be broadcast together with "
                "shapes ",
                IntSpan(found.shape), ", ", sizes);
        }
    }
    if (!found.dims.empty() && adjacent) found.before = static_cast<size_t>(found.dims[0]);
    (void)self;
    return found;
}

bool is_indexed(const Indexed& found, size_t d) {
    return std::find(found.dims.begin(), found.dims.end(), static_cast<int64_t>(d)) !=
           found.dims.end();
}

Dims result_sizes(const Tensor& self, const Indexed& found) {
    Dims sizes;
    size_t kept = 0;
    auto insert_shape = [&] {
        for (int64_t s : found.shape) sizes.push_back(s);
    };
    if (found.before == 0) insert_shape();
    for (size_t d = 0; d < self.sizes().size(); ++d) {
        if (is_indexed(found, d)) continue;
        sizes.push_back(self.sizes()[d]);
        if (++kept == found.before) insert_shape();
    }
    return sizes;
}

[[noreturn, gnu::cold]] void bad_index(int64_t index, int64_t dim, int64_t size) {
    fail<IndexError>("index ", index, " is out of bounds for dimension ", dim, " with size ", size);
}

/// offsets[i] (+)= index[i] * stride, after a check; negative ones wrap where `wraps`.
template <class I>
void add_offsets(int64_t* offsets, const I* index, int64_t n, int64_t dim, int64_t size,
                 int64_t stride, bool first, bool wraps) {
    parallel_for(0, n, 32768, [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i) {
            int64_t at = static_cast<int64_t>(index[i]);
            if (at < 0 && wraps) at += size;
            if (static_cast<uint64_t>(at) >= static_cast<uint64_t>(size)) [[unlikely]]
                bad_index(static_cast<int64_t>(index[i]), dim, size);
            offsets[i] = (first ? 0 : offsets[i]) + at * stride;
        }
    });
}

/// A contiguous tensor of `shape` with the values of the broadcast index.
Tensor broadcast_index(const Tensor& index, IntSpan shape) {
    if (same_sizes(index.sizes(), shape)) return ops::raw_contiguous(index);
    Tensor whole = empty(shape, index.dtype());
    ops::copy_elements(whole, index);
    return whole;
}

void add_index(const Tensor& offsets, const Tensor& index, IntSpan shape, int64_t dim, int64_t size,
               int64_t stride, bool first, bool wraps) {
    Tensor whole = broadcast_index(index, shape);
    int64_t* to = offsets.data<int64_t>();
    if (whole.dtype() == DType::I32)
        return add_offsets(to, whole.data<int32_t>(), whole.numel(), dim, size, stride, first,
                           wraps);
    whole = ops::raw_contiguous(whole, DType::I64);
    add_offsets(to, whole.data<int64_t>(), whole.numel(), dim, size, stride, first, wraps);
}

RowPlan plan(const Tensor& self, const OptionalTensors& indices, const Indexed& found, bool wraps) {
    Dims outer, outer_strides, inner, inner_strides;
    size_t kept = 0;
    for (size_t d = 0; d < self.sizes().size(); ++d) {
        if (is_indexed(found, d)) continue;
        bool front = kept++ < found.before;
        (front ? outer : inner).push_back(self.sizes()[d]);
        (front ? outer_strides : inner_strides).push_back(self.strides()[d]);
    }
    RowPlan plan{result_sizes(self, found), empty(found.shape, DType::I64),
                 cpu::RowLayout(outer, outer_strides, inner, inner_strides)};
    for (size_t k = 0; k < found.dims.size(); ++k) {
        size_t d = static_cast<size_t>(found.dims[k]);
        add_index(plan.offsets, *indices[d], found.shape, found.dims[k], self.sizes()[d],
                  self.strides()[d], k == 0, wraps);
    }
    return plan;
}

}  // namespace

OptionalTensors expand_masks(const Tensor& self, const OptionalTensors& indices) {
    check<IndexError>(std::any_of(indices.begin(), indices.end(),
                                  [](const auto& i) { return i && i->defined(); }),
                      "index: expected at least one index tensor, got none");
    OptionalTensors result;
    for (const auto& index : indices) {
        if (!index || !index->defined()) {
            result.emplace_back();
            continue;
        }
        DType t = index->dtype();
        if (t == DType::Bool || t == DType::U8) {
            for (int64_t d = 0; d < index->dim(); ++d) {
                int64_t at = static_cast<int64_t>(result.size()) + d;
                check<IndexError>(at < self.dim() && index->size(d) == self.size(at),
                                  "The shape of the mask ", index->sizes(), " at index ", d,
                                  " does not match the shape of the indexed tensor ", self.sizes(),
                                  " at index ", at);
            }
            check<NotImplementedError>(!index->is_meta(),
                                       "index: a boolean mask has no values on the meta device");
            for (Tensor& column : ops::nonzero_columns(*index)) result.emplace_back(column);
        } else {
            check<IndexError>(
                t == DType::I64 || t == DType::I32 || t == DType::I16 || t == DType::I8,
                "tensors used as indices must be long, int, byte or bool tensors, got ", name(t));
            result.push_back(index);
        }
    }
    check<IndexError>(static_cast<int64_t>(result.size()) <= self.dim(),
                      "too many indices for tensor of dimension ", self.dim(), " (got ",
                      result.size(), ")");
    return result;
}

Dims indexed_sizes(const Tensor& self, const OptionalTensors& indices) {
    return result_sizes(self, find_indexed(self, indices));
}

RowPlan plan_rows(const Tensor& self, const OptionalTensors& indices) {
    return plan(self, indices, find_indexed(self, indices), true);
}

RowPlan plan_rows(const Tensor& self, int64_t dim, const Tensor& index, const char* op) {
    check<IndexError>(index.dim() <= 1, op, ": Index is supposed to be a vector, got sizes ",
                      index.sizes());
    check<RuntimeError>(index.dtype() == DType::I64 || index.dtype() == DType::I32, op,
                        ": Expected dtype int32/int64 for index, got ", name(index.dtype()));
    // a 0-d tensor has one row, a 0-d index chooses one
    Tensor rows = self.dim() ? self : raw_view(self, Dims{1}, Dims{1}, self.offset());
    OptionalTensors indices(static_cast<size_t>(dim) + 1);
    indices[static_cast<size_t>(dim)] =
        index.dim() ? index : raw_view(index, Dims{1}, Dims{1}, index.offset());
    Indexed found = find_indexed(rows, indices);
    RowPlan made = plan(rows, indices, found, false);
    if (self.dim() == 0) made.result = {};
    return made;
}

Tensor gather_rows(const Tensor& self, const RowPlan& plan) {
    Tensor out = empty(plan.result, self.dtype(), self.device());
    cpu::gather_rows(out.data(), self.data(), plan.layout, plan.data(), plan.count(),
                     self.itemsize());
    return out;
}

void scatter_rows(const Tensor& self, const RowPlan& plan, const Tensor& values,
                  cpu::Combine combine) {
    Tensor whole = values;
    if (!same_sizes(values.sizes(), plan.result) || !values.is_contiguous() ||
        values.storage() == self.storage()) {
        whole = empty(plan.result, values.dtype());
        ops::copy_elements(whole, values);
    }
    cpu::scatter_rows(combine, self.dtype(), self.data(), whole.data(), plan.layout, plan.data(),
                      plan.count());
}

}  // namespace kagari
