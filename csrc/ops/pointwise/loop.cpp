// Collapsing dimensions and splitting work for kernels with a one-dimensional inner loop.
#include "ops/pointwise/loop.h"

#include "runtime/parallel.h"

namespace kagari {

void Loop::add(const Tensor& t) {
    items_[count_++] = {static_cast<char*>(t.data()), &t, 0, static_cast<int64_t>(t.itemsize())};
}

void Loop::add_value(void* value, int64_t stride) {
    items_[count_++] = {static_cast<char*>(value), nullptr, stride, 0};
}

void Loop::run(KernelFn kernel, int64_t bytes_per_point) {
    if (std::find(sizes_.begin(), sizes_.end(), 0) != sizes_.end()) return;
    int64_t count = 1;
    for (int64_t s : sizes_) count *= s;
    int64_t grain = std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, bytes_per_point));
    bool flat = true;
    for (int i = 0; i < count_; ++i) {
        const Item& item = items_[i];
        if (!item.tensor) continue;
        flat &= item.tensor->numel() == 1 ||
                (item.tensor->numel() == count && item.tensor->is_contiguous());
    }
    if (!flat) {
        Unlocked guard(count * bytes_per_point > kUnlockBytes);
        return run_general(kernel, grain);
    }
    void* data[kMaxLoopOperands];
    int64_t strides[kMaxLoopOperands];
    for (int i = 0; i < count_; ++i) {
        const Item& item = items_[i];
        data[i] = item.data;
        strides[i] = !item.tensor                                     ? item.value_stride
                     : item.tensor->numel() == 1 && (count != 1 || i) ? 0
                                                                      : item.itemsize;
    }
    if (count <= grain) return kernel(count, data, strides);
    Unlocked guard(count * bytes_per_point > kUnlockBytes);
    parallel_for(0, count, grain, [&](int64_t first, int64_t last) {
        void* moved[kMaxLoopOperands];
        for (int i = 0; i < count_; ++i)
            moved[i] = items_[i].data + (items_[i].tensor ? first * strides[i] : 0);
        kernel(last - first, moved, strides);
    });
}

namespace {

/// The collapsed space: dimension 0 is the innermost. Strides in bytes.
struct Space {
    int rank = 0;
    int operands = 0;
    std::vector<int64_t> sizes;
    std::vector<int64_t> strides;  // [dim * operands + operand]
    int64_t* at(int dim) { return strides.data() + dim * operands; }
};

/// Should `a` be an outer dimension of `b`? Decided by the first operand that can tell.
bool outer_of(int operands, const std::vector<int64_t>& strides, int a, int b) {
    for (int i = 0; i < operands; ++i) {
        int64_t sa = strides[a * operands + i], sb = strides[b * operands + i];
        if (sa && sb && sa != sb) return sa > sb;
    }
    return false;
}

/// The offsets of one row after the other, from row `first` on.
class RowWalk {
  public:
    RowWalk(Space& s, int64_t first) : s_(s), at_(static_cast<size_t>(s.rank)) {
        for (int d = 1; d < s.rank; ++d) {
            at_[static_cast<size_t>(d)] = first % s.sizes[d];
            first /= s.sizes[d];
            move(d, at_[static_cast<size_t>(d)]);
        }
    }
    int64_t offset(int operand) const { return offsets_[operand]; }
    void advance() {
        for (int d = 1; d < s_.rank; ++d) {
            move(d, 1);
            if (++at_[static_cast<size_t>(d)] < s_.sizes[d]) return;
            at_[static_cast<size_t>(d)] = 0;
            move(d, -s_.sizes[d]);
        }
    }

  private:
    void move(int dim, int64_t steps) {
        for (int i = 0; i < s_.operands; ++i) offsets_[i] += steps * s_.at(dim)[i];
    }

    Space& s_;
    Dims at_;
    int64_t offsets_[kMaxLoopOperands] = {};
};

}  // namespace

void Loop::run_general(KernelFn kernel, int64_t grain) {
    Space s;
    s.operands = count_;
    std::vector<int64_t> sizes, strides;  // innermost first, in the given order
    for (size_t d = sizes_.size(); d-- > 0;) {
        if (sizes_[d] == 1) continue;
        sizes.push_back(sizes_[d]);
        for (int i = 0; i < count_; ++i) {
            const Item& item = items_[i];
            int64_t stride = 0;
            if (item.tensor) {
                int64_t own = static_cast<int64_t>(d) -
                              (static_cast<int64_t>(sizes_.size()) - item.tensor->dim());
                if (own >= 0 && item.tensor->sizes()[own] != 1)
                    stride = item.tensor->strides()[own] * item.itemsize;
            }
            strides.push_back(stride);
        }
    }
    int rank = static_cast<int>(sizes.size());
    std::vector<int> order(rank);
    for (int i = 0; i < rank; ++i) order[i] = i;
    // insertion sort: stable, and right although "outer of" is no total order
    for (int i = 1; i < rank; ++i)
        for (int j = i; j > 0 && outer_of(count_, strides, order[j - 1], order[j]); --j)
            std::swap(order[j - 1], order[j]);
    for (int d : order) {
        const int64_t* stride = strides.data() + d * count_;
        bool merges = s.rank > 0;
        for (int i = 0; merges && i < count_; ++i)
            merges = stride[i] == s.at(s.rank - 1)[i] * s.sizes[s.rank - 1];
        if (merges) {
            s.sizes[s.rank - 1] *= sizes[d];
        } else {
            s.sizes.push_back(sizes[d]);
            s.strides.insert(s.strides.end(), stride, stride + count_);
            ++s.rank;
        }
    }
    if (s.rank == 0) {
        s.rank = 1;
        s.sizes.push_back(1);
        s.strides.resize(count_);
    }
    for (int i = 0; i < count_; ++i)
        if (!items_[i].tensor) s.at(0)[i] = items_[i].value_stride;

    int64_t inner = s.sizes[0], outer = 1;
    for (int d = 1; d < s.rank; ++d) outer *= s.sizes[d];
    int64_t pieces = inner > 2 * grain ? (inner + grain - 1) / grain : 1;  // long rows are cut
    int64_t piece = (inner + pieces - 1) / pieces;
    int64_t rows = std::max<int64_t>(1, grain / piece);
    parallel_for(0, outer * pieces, rows, [&](int64_t first, int64_t last) {
        RowWalk walk(s, first / pieces);
        void* data[kMaxLoopOperands];
        for (int64_t at = first, part = first % pieces; at < last; ++at) {
            int64_t start = part * piece, n = std::min(piece, inner - start);
            for (int i = 0; i < count_; ++i)
                data[i] =
                    items_[i].data + walk.offset(i) + (items_[i].tensor ? start * s.at(0)[i] : 0);
            if (n > 0) kernel(n, data, s.at(0));
            if (++part < pieces) continue;
            part = 0;
            walk.advance();
        }
    });
}

}  // namespace kagari
