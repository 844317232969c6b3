// The walk around a row kernel: dimensions are merged where all operands allow it, one becomes the
// kernel's rows, the others and pieces of it are shared out to the threads.
#include "ops/reduce/rowwise.h"

#include "runtime/parallel.h"

namespace kagari {

void RowWalk::set_sizes(IntSpan sizes, int64_t row) {
    axes_.assign(sizes.size(), Axis{});
    for (size_t i = 0; i < sizes.size(); ++i) axes_[i].size = sizes[i];
    row_.size = row;
}

void RowWalk::set_sizes_of(const Tensor& t, int64_t dim) {
    Dims sizes(t.sizes());
    int64_t row = 1;
    if (t.dim() > 0 && dim >= 0) {
        row = sizes[dim];
        sizes.erase(dim);
    }
    set_sizes(sizes, row);
}

void RowWalk::add(const Tensor& t, int64_t dim) {
    Dims strides(t.strides());
    int64_t inner = 0;
    if (t.dim() > 0 && dim >= 0) {
        inner = strides[dim];
        strides.erase(dim);
    }
    add(t.data(), t.itemsize(), strides, inner);
}

void RowWalk::add(void* data, size_t itemsize, IntSpan strides, int64_t inner) {
    auto size = static_cast<int64_t>(itemsize);
    data_[count_] = data;
    itemsize_[count_] = itemsize;
    for (size_t i = 0; i < strides.size(); ++i) axes_[i].strides[count_] = strides[i] * size;
    row_.strides[count_] = inner * size;
    ++count_;
}

void RowWalk::collapse(int lead) {
    std::erase_if(axes_, [](const Axis& a) { return a.size == 1; });
    std::stable_sort(axes_.begin(), axes_.end(), [lead](const Axis& a, const Axis& b) {
        return a.strides[lead] > b.strides[lead];
    });
    size_t kept = 0;
    for (size_t i = 1; i < axes_.size(); ++i) {
        Axis &outer = axes_[kept], &inner = axes_[i];
        bool one = true;
        for (int k = 0; k < count_; ++k) one &= outer.strides[k] == inner.size * inner.strides[k];
        if (one) {
            inner.size *= outer.size;
            outer = inner;
        } else {
            axes_[++kept] = inner;
        }
    }
    if (!axes_.empty()) axes_.resize(kept + 1);
}

/// The axis whose neighbours are neighbours in memory if rows are not contiguous themselves, so
/// that lanes can be rows; else the longest one.
size_t RowWalk::choose_rows(int lead) const {
    auto unit = static_cast<int64_t>(itemsize_[lead]);
    size_t best = 0;
    for (size_t i = 0; i < axes_.size(); ++i) {
        if (row_.strides[lead] != unit && axes_[i].strides[lead] == unit) return i;
        if (axes_[i].size >= axes_[best].size) best = i;
    }
    return best;
}

/// How many rows one call takes. Rows do not influence each other, so this is no part of a result.
int64_t RowWalk::piece_of(const Axis& rows, int lead) const {
    auto size = static_cast<int64_t>(itemsize_[lead]);
    int64_t piece = std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, row_.size * size));
    if (row_.strides[lead] != size) {
        // Lanes may be rows: many of them keep the lanes full and memory in sequence
        int64_t others = 1;
        for (const Axis& axis : axes_) others *= axis.size;
        piece = std::max(piece, int64_t{others >= 16 ? 4096 : 256}) / 256 * 256;
    }
    return std::min(rows.size, piece);
}

void RowWalk::run(KernelFn kernel, int lead) {
    for (const Axis& axis : axes_)
        if (axis.size == 0) return;
    collapse(lead);
    Axis rows;
    if (!axes_.empty()) {
        auto at = axes_.begin() + static_cast<int64_t>(choose_rows(lead));
        rows = *at;
        axes_.erase(at);
    }
    int64_t piece = piece_of(rows, lead);
    int64_t pieces = (rows.size + piece - 1) / piece, tasks = pieces;
    for (const Axis& axis : axes_) tasks *= axis.size;
    std::array<int64_t, 1 + 2 * kMaxRowOperands> strides{row_.size};
    for (int k = 0; k < count_; ++k) {
        strides[1 + 2 * k] = rows.strides[k];
        strides[2 + 2 * k] = row_.strides[k];
    }
    auto task = [&](int64_t t) {
        int64_t start = t % pieces * piece, rest = t / pieces;
        std::array<void*, kMaxRowOperands> data = data_;
        auto move = [&](const Axis& axis, int64_t index) {
            for (int k = 0; k < count_; ++k)
                data[k] = static_cast<char*>(data[k]) + index * axis.strides[k];
        };
        move(rows, start);
        for (size_t i = axes_.size(); i-- > 0; rest /= axes_[i].size)
            move(axes_[i], rest % axes_[i].size);
        kernel(std::min(piece, rows.size - start), data.data(), strides.data());
    };
    int64_t bytes = row_.size * piece * static_cast<int64_t>(itemsize_[lead]);
    Unlocked unlocked(bytes * tasks > kUnlockBytes);
    parallel_for(0, tasks, kGrainBytes / std::max<int64_t>(1, bytes),
                 [&](int64_t first, int64_t last) {
                     for (int64_t t = first; t < last; ++t) task(t);
                 });
}

}  // namespace kagari
