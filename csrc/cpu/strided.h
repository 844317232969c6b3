// Walking strided memory: offset lists and copies whose strides may be negative or zero.
#pragma once
#include <array>
#include <cstddef>
#include <vector>

#include "tensor/dims.h"

namespace kagari::cpu {

/// Offsets of all elements of a strided window, in row-major order.
std::vector<int64_t> offsets_of(IntSpan sizes, IntSpan strides);
/// Copies a window (strides in elements) to contiguous memory.
void copy_strided(void* to, const void* from, IntSpan sizes, IntSpan strides, size_t item);

/// Merges dimensions that are walked as one, drops those of size 1. Sizes of zero stay.
struct Collapsed {
    Dims sizes, strides;
    Collapsed(IntSpan sizes, IntSpan strides);
    int64_t count() const;
    /// No dimension left, or one that is contiguous.
    bool is_run() const { return sizes.empty() || (sizes.size() == 1 && strides[0] == 1); }
};

/// Memory of one element, to move without looking at it.
struct Bytes16 {
    uint64_t half[2];
};

/// Calls f(type{}) with an unsigned type of `item` bytes.
template <class F>
decltype(auto) visit_item(size_t item, F&& f) {
    switch (item) {
        case 1:
            return f(uint8_t{});
        case 2:
            return f(uint16_t{});
        case 4:
            return f(uint32_t{});
        case 8:
            return f(uint64_t{});
        default:
            return f(Bytes16{});
    }
}

/// Counts through all positions of `sizes` but the last dimension, keeping N offsets.
template <int N>
class Odometer {
  public:
    Odometer(IntSpan sizes, std::array<IntSpan, N> strides)
        : sizes_(sizes), strides_(strides), at_(sizes.size()) {}
    /// Moves the first `rank` dimensions on by one position.
    void advance(std::array<int64_t, N>& offsets) {
        for (size_t d = sizes_.size(); d-- > 0;) {
            for (int k = 0; k < N; ++k) offsets[k] += strides_[k][d];
            if (++at_[d] < sizes_[d]) return;
            at_[d] = 0;
            for (int k = 0; k < N; ++k) offsets[k] -= strides_[k][d] * sizes_[d];
        }
    }

  private:
    IntSpan sizes_;
    std::array<IntSpan, N> strides_;
    Dims at_;
};

}  // namespace kagari::cpu
