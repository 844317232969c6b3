// Radix sort for long rows, comparison sort for short ones, bounded heaps for the top k.
#include "cpu/sort.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "cpu/sort_keys.h"
#include "runtime/parallel.h"

namespace kagari::cpu {

namespace {

constexpr int64_t kRadixFrom = 400;  // shorter rows are sorted by comparison

/// One byte of the key at a time, least significant first; a byte that all keys share is skipped.
template <class K>
void radix_sort(Placed<K>* data, Placed<K>* spare, int64_t n) {
    constexpr int kPasses = sizeof(K);
    std::array<std::array<int64_t, 256>, kPasses> counts{};
    for (int64_t i = 0; i < n; ++i) {
        K key = data[i].key();
        for (int p = 0; p < kPasses; ++p) ++counts[p][(key >> (8 * p)) & 255];
    }
    Placed<K>*from = data, *to = spare;
    for (int p = 0; p < kPasses; ++p) {
        auto& count = counts[p];
        if (count[(from[0].key() >> (8 * p)) & 255] == n) continue;
        int64_t start = 0;
        for (int64_t& c : count) start += std::exchange(c, start);
        for (int64_t i = 0; i < n; ++i) to[count[(from[i].key() >> (8 * p)) & 255]++] = from[i];
        std::swap(from, to);
    }
    if (from != data) std::copy(from, from + n, data);
}

/// Room for one row's keys, per thread.
template <class K>
struct Room {
    std::unique_ptr<Placed<K>[]> keys, spare;
    explicit Room(int64_t n)
        : keys(new Placed<K>[static_cast<size_t>(n)]),
          spare(n >= kRadixFrom ? new Placed<K>[static_cast<size_t>(n)] : nullptr) {}
};

template <class T>
void fill_keys(const T* in, int64_t n, bool descending, Placed<KeyOf<T>>* keys) {
    KeyOf<T> flip = descending ? ~KeyOf<T>{0} : KeyOf<T>{0};
    for (int64_t i = 0; i < n; ++i) keys[i] = {static_cast<KeyOf<T>>(sort_key(in[i]) ^ flip), i};
}

template <class T>
void write_sorted(const T* in, const Placed<KeyOf<T>>* keys, int64_t n, T* values,
                  int64_t* indices) {
    for (int64_t i = 0; i < n; ++i) {
        indices[i] = keys[i].place();
        values[i] = in[indices[i]];
    }
}

/// The k smallest keys of a row: a heap of the best so far, whose top the next one has to beat.
template <class T>
void smallest(const T* in, int64_t n, int64_t k, bool largest, Placed<KeyOf<T>>* heap) {
    KeyOf<T> flip = largest ? ~KeyOf<T>{0} : KeyOf<T>{0};
    for (int64_t i = 0; i < k; ++i) heap[i] = {static_cast<KeyOf<T>>(sort_key(in[i]) ^ flip), i};
    std::make_heap(heap, heap + k);
    for (int64_t i = k; i < n; ++i) {
        Placed<KeyOf<T>> next(static_cast<KeyOf<T>>(sort_key(in[i]) ^ flip), i);
        if (!(next < heap[0])) continue;
        std::pop_heap(heap, heap + k);
        heap[k - 1] = next;
        std::push_heap(heap, heap + k);
    }
    std::sort_heap(heap, heap + k);
}

template <class F>
void visit_ordered(DType dtype, const char* op, F f) {
    if (is_complex(dtype)) fail<RuntimeError>(op, ": complex numbers have no order");
    visit(dtype, [&](auto tag) {
        if constexpr (!kIsComplex<typename decltype(tag)::type>) f(tag);
    });
}

/// Calls f(row) for each row, several rows to a piece of work.
template <class F>
void for_rows(int64_t rows, int64_t n, F f) {
    parallel_for(0, rows, std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)), f);
}

}  // namespace

void sort_rows(DType dtype, const void* in, int64_t rows, int64_t n, bool descending, void* values,
               int64_t* indices) {
    if (n == 0) return;
    visit_ordered(dtype, "sort", [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_rows(rows, n, [&](int64_t b, int64_t e) {
            Room<KeyOf<T>> room(n);
            for (; b < e; ++b) {
                const T* row = static_cast<const T*>(in) + b * n;
                fill_keys(row, n, descending, room.keys.get());
                if (n < kRadixFrom)
                    std::sort(room.keys.get(), room.keys.get() + n);
                else
                    radix_sort(room.keys.get(), room.spare.get(), n);
                write_sorted(row, room.keys.get(), n, static_cast<T*>(values) + b * n,
                             indices + b * n);
            }
        });
    });
}

void top_rows(DType dtype, const void* in, int64_t rows, int64_t n, int64_t k, bool largest,
              void* values, int64_t* indices) {
    if (k == 0) return;
    visit_ordered(dtype, "topk", [&](auto tag) {
        using T = typename decltype(tag)::type;
        bool heap = k * 16 <= n;  // beyond that, selecting and sorting all is faster
        for_rows(rows, n, [&](int64_t b, int64_t e) {
            auto keys = std::make_unique<Placed<KeyOf<T>>[]>(static_cast<size_t>(heap ? k : n));
            for (; b < e; ++b) {
                const T* row = static_cast<const T*>(in) + b * n;
                if (heap) {
                    smallest(row, n, k, largest, keys.get());
                } else {
                    fill_keys(row, n, largest, keys.get());
                    if (k < n) std::nth_element(keys.get(), keys.get() + k, keys.get() + n);
                    std::sort(keys.get(), keys.get() + k);
                }
                write_sorted(row, keys.get(), k, static_cast<T*>(values) + b * k, indices + b * k);
            }
        });
    });
}

void kth_rows(DType dtype, const void* in, int64_t rows, int64_t n, int64_t k, void* values,
              int64_t* indices) {
    visit_ordered(dtype, "kthvalue", [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_rows(rows, n, [&](int64_t b, int64_t e) {
            auto keys = std::make_unique<Placed<KeyOf<T>>[]>(static_cast<size_t>(n));
            for (; b < e; ++b) {
                const T* row = static_cast<const T*>(in) + b * n;
                fill_keys(row, n, false, keys.get());
                std::nth_element(keys.get(), keys.get() + k, keys.get() + n);
                write_sorted(row, keys.get() + k, 1, static_cast<T*>(values) + b, indices + b);
            }
        });
    });
}

}  // namespace kagari::cpu
