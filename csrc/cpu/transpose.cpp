// Transposed copies by tiles.
//
// Note [Transposed copies]
// Reading along one dimension and writing along another touches a cache line per element. A tile is
// read into a buffer line by line, turned in registers of 16 bytes on the way, and written from
// there line by line, so that each line of memory is touched once even where a power of two between
// lines lets only a few of them stay in the cache.
#include "cpu/transpose.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/parallel.h"

namespace kagari::cpu {
namespace {

/// A register of T and a shuffle of two of them: their first or their second halves in turns.
template <class T>
struct Block {
    typedef T type __attribute__((vector_size(16)));
    static constexpr int size = 16 / sizeof(T);
    template <bool second, int... I>
    static type in_turns(type a, type b, std::integer_sequence<int, I...>) {
        constexpr int first = second ? size / 2 : 0;
#ifdef __clang__
        return __builtin_shufflevector(a, b, (first + I / 2 + (I % 2 ? size : 0))...);
#else
        return __builtin_shuffle(a, b, type{static_cast<T>(first + I / 2 + (I % 2 ? size : 0))...});
#endif
    }
    /// `size` rows of `size` elements; shuffled into each other log2(size) times.
    static void transpose(type* rows) {
        constexpr auto places = std::make_integer_sequence<int, size>();
        for (int round = 1; round < size; round *= 2) {
            type shuffled[size];
            for (int i = 0; i < size / 2; ++i) {
                shuffled[2 * i] = in_turns<false>(rows[i], rows[i + size / 2], places);
                shuffled[2 * i + 1] = in_turns<true>(rows[i], rows[i + size / 2], places);
            }
            for (int i = 0; i < size; ++i) rows[i] = shuffled[i];
        }
    }
};

constexpr int64_t kTile = 64;

/// to[r * to_row + c] = from[c * from_col + r] for at most a tile of rows and columns.
template <class T>
void transpose_tile(T* to, int64_t to_row, const T* from, int64_t from_col, int64_t rows,
                    int64_t cols) {
    alignas(64) T tile[kTile * kTile];
    constexpr int side = Block<T>::size;
    int64_t whole_rows = rows / side * side, whole_cols = cols / side * side;
    for (int64_t c = 0; c < whole_cols; c += side)
        for (int64_t r = 0; r < whole_rows; r += side) {
            typename Block<T>::type block[side];
            for (int i = 0; i < side; ++i)
                std::memcpy(&block[i], from + (c + i) * from_col + r, sizeof block[i]);
            Block<T>::transpose(block);
            for (int i = 0; i < side; ++i)
                std::memcpy(tile + (r + i) * kTile + c, &block[i], sizeof block[i]);
        }
    for (int64_t c = 0; c < cols; ++c)
        for (int64_t r = c < whole_cols ? whole_rows : 0; r < rows; ++r)
            tile[r * kTile + c] = from[c * from_col + r];
    for (int64_t r = 0; r < rows; ++r)
        std::memcpy(to + r * to_row, tile + r * kTile, static_cast<size_t>(cols) * sizeof(T));
}

/// Dimensions that both windows walk as one are merged; those of size 1 are gone.
struct Merged {
    Dims sizes, to, from;
    Merged(IntSpan all, IntSpan to_strides, IntSpan from_strides) {
        std::vector<size_t> order(all.size());
        std::iota(order.begin(), order.end(), size_t{0});
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return to_strides[a] > to_strides[b]; });
        for (size_t d : order) {
            if (all[d] == 1) continue;
            if (!sizes.empty() && to.back() == to_strides[d] * all[d] &&
                from.back() == from_strides[d] * all[d]) {
                sizes.back() *= all[d];
                to.back() = to_strides[d];
                from.back() = from_strides[d];
            } else {
                sizes.push_back(all[d]);
                to.push_back(to_strides[d]);
                from.push_back(from_strides[d]);
            }
        }
    }
    size_t contiguous_along(const Dims& strides) const {
        return static_cast<size_t>(std::find(strides.begin(), strides.end(), 1) - strides.begin());
    }
};

template <class T>
void transpose_all(T* to, const T* from, const Merged& m, size_t row_dim, size_t col_dim) {
    Dims outer, outer_to, outer_from;
    for (size_t d = 0; d < m.sizes.size(); ++d) {
        if (d == row_dim || d == col_dim) continue;
        outer.push_back(m.sizes[d]);
        outer_to.push_back(m.to[d]);
        outer_from.push_back(m.from[d]);
    }
    std::vector<int64_t> to_starts = offsets_of(outer, outer_to);
    std::vector<int64_t> from_starts = offsets_of(outer, outer_from);
    int64_t rows = m.sizes[row_dim], cols = m.sizes[col_dim];
    int64_t to_row = m.to[row_dim], from_col = m.from[col_dim];
    int64_t down = (rows + kTile - 1) / kTile, across = (cols + kTile - 1) / kTile;
    int64_t tile_bytes = std::min(rows, kTile) * std::min(cols, kTile) * 2 * int64_t{sizeof(T)};
    parallel_for(0, static_cast<int64_t>(to_starts.size()) * down * across,
                 std::max<int64_t>(1, kGrainBytes / tile_bytes), [&](int64_t b, int64_t e) {
                     for (int64_t i = b; i < e; ++i) {
                         auto o = static_cast<size_t>(i / (down * across));
                         int64_t r = i / across % down * kTile, c = i % across * kTile;
                         transpose_tile(to + to_starts[o] + r * to_row + c, to_row,
                                        from + from_starts[o] + c * from_col + r, from_col,
                                        std::min(kTile, rows - r), std::min(kTile, cols - c));
                     }
                 });
}

}  // namespace

bool copy_transposed(void* to, IntSpan to_strides, const void* from, IntSpan from_strides,
                     IntSpan sizes, size_t item) {
    int64_t count = 1;
    for (int64_t s : sizes) count *= s;
    if (count < 1024 || item > 8) return false;
    for (size_t d = 0; d < sizes.size(); ++d)
        if (to_strides[d] < 0) return false;
    Merged merged(sizes, to_strides, from_strides);
    size_t cols = merged.contiguous_along(merged.to), rows = merged.contiguous_along(merged.from);
    if (cols == rows || std::max(cols, rows) == merged.sizes.size()) return false;
    if (merged.sizes[cols] * merged.sizes[rows] < 64) return false;
    switch (item) {
        case 1:
            transpose_all(static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from), merged,
                          rows, cols);
            break;
        case 2:
            transpose_all(static_cast<uint16_t*>(to), static_cast<const uint16_t*>(from), merged,
                          rows, cols);
            break;
        case 4:
            transpose_all(static_cast<uint32_t*>(to), static_cast<const uint32_t*>(from), merged,
                          rows, cols);
            break;
        default:
            transpose_all(static_cast<uint64_t*>(to), static_cast<const uint64_t*>(from), merged,
                          rows, cols);
    }
    return true;
}

}  // namespace kagari::cpu
