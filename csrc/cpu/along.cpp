// The loops of gather_along and scatter_along.
#include "cpu/along.h"

#include <algorithm>
#include <array>

#include "runtime/parallel.h"

namespace kagari::cpu {

namespace {

/// The walk of an Along: one inner loop and an odometer over the other dimensions.
struct Walk {
    Dims sizes, self, index, other;  // outer dimensions, the shared-out one first
    bool shares, free_inner;         // is there one; is the inner loop not along dim
    int64_t n = 1, self_step = 0, index_step = 0, other_step = 0, dim_stride;

    explicit Walk(const Along& a) : dim_stride(a.self_strides[static_cast<size_t>(a.dim)]) {
        size_t rank = a.sizes.size(), inner = rank - 1;
        // a short last dimension makes a poor inner loop
        if (a.sizes[inner] < 8)
            for (size_t d = 0; d < rank; ++d)
                if (a.sizes[d] > a.sizes[inner]) inner = d;
        size_t shared = rank;  // the dimension given to threads: never `dim`, where indices collide
        for (size_t d = 0; d < rank; ++d)
            if (d != inner && d != static_cast<size_t>(a.dim) &&
                (shared == rank || a.sizes[d] > a.sizes[shared]))
                shared = d;
        auto add = [&](size_t d) {
            sizes.push_back(a.sizes[d]);
            self.push_back(d == static_cast<size_t>(a.dim) ? 0 : a.self_strides[d]);
            index.push_back(a.index_strides[d]);
            other.push_back(a.other_strides[d]);
        };
        shares = shared != rank;
        if (shares) add(shared);
        for (size_t d = 0; d < rank; ++d)
            if (d != inner && d != shared) add(d);
        free_inner = inner != static_cast<size_t>(a.dim);
        n = a.sizes[inner];
        self_step = inner == static_cast<size_t>(a.dim) ? 0 : a.self_strides[inner];
        index_step = a.index_strides[inner];
        other_step = a.other_strides[inner];
    }
    /// Calls row(self offset, index offset, other offset, n) for all outer positions, on threads
    /// where a dimension can be shared out.
    template <class F>
    void run(F row) {
        int64_t rows = 1;
        for (size_t d = shares ? 1 : 0; d < sizes.size(); ++d) rows *= sizes[d];
        if (rows * n == 0) return;
        if (!shares && rows == 1 && free_inner)
            return parallel_for(0, n, 16384, [&](int64_t b, int64_t e) {
                row(b * self_step, b * index_step, b * other_step, e - b);
            });
        auto piece = [&](int64_t b, int64_t e) {
            Dims part = sizes;
            std::array<int64_t, 3> at{};
            if (shares) {
                part[0] = e - b;
                at = {b * self[0], b * index[0], b * other[0]};
            }
            Odometer<3> odometer(part, {self, index, other});
            for (int64_t count = (e - b) * rows; count > 0; --count) {
                row(at[0], at[1], at[2], n);
                if (count > 1) odometer.advance(at);
            }
        };
        if (!shares) return piece(0, 1);
        parallel_for(0, sizes[0], std::max<int64_t>(1, 16384 / (rows * n)), piece);
    }
};

[[noreturn, gnu::cold]] void out_of_range(int64_t index, const Along& along, const char* op) {
    fail<RuntimeError>(op, ": index ", index, " is out of bounds for dimension ", along.dim,
                       " with size ", along.length);
}

/// Error if one of n indices is out of range; without a branch per index.
void check_row(const int64_t* index, int64_t step, int64_t n, const Along& along, const char* op) {
    uint64_t length = static_cast<uint64_t>(along.length);
    bool bad = false;
    for (int64_t k = 0; k < n; ++k) bad |= static_cast<uint64_t>(index[k * step]) >= length;
    for (int64_t k = 0; bad && k < n; ++k)
        if (static_cast<uint64_t>(index[k * step]) >= length)
            out_of_range(index[k * step], along, op);
}

/// One row of gather. Bad indices read place 0 and are reported at the end, so that the loop has no
/// branches; the common steps are spelled out to make it tight.
template <class T>
void gather_row(const T* in, const int64_t* index, T* out, int64_t n, const Walk& walk,
                const Along& along) {
    uint64_t length = static_cast<uint64_t>(along.length);
    int64_t across = walk.self_step, down = walk.dim_stride, step = walk.index_step;
    bool bad = false;
    auto place = [&](int64_t k) {
        uint64_t at = static_cast<uint64_t>(index[k * step]);
        bad |= at >= length;
        return static_cast<int64_t>(at >= length ? 0 : at);
    };
    if (step == 1 && walk.other_step == 1 && across == 0 && down == 1) {
        for (int64_t k = 0; k < n; ++k) out[k] = in[place(k)];
    } else {
        for (int64_t k = 0; k < n; ++k) out[k * walk.other_step] = in[k * across + place(k) * down];
    }
    if (bad) check_row(index, step, n, along, "gather");
}

}  // namespace

void check_along(const Along& along, const int64_t* index, const char* op) {
    Walk walk(along);
    walk.run([&](int64_t, int64_t i, int64_t, int64_t n) {
        check_row(index + i, walk.index_step, n, along, op);
    });
}

void gather_along(const Along& along, const void* self, const int64_t* index, void* other,
                  size_t item) {
    Walk walk(along);
    visit_item(item, [&](auto tag) {
        using T = decltype(tag);
        const T* in = static_cast<const T*>(self);
        T* out = static_cast<T*>(other);
        walk.run([&](int64_t s, int64_t i, int64_t o, int64_t n) {
            gather_row(in + s, index + i, out + o, n, walk, along);
        });
    });
}

void scatter_along(Combine combine, DType dtype, const Along& along, void* self,
                   const int64_t* index, const void* other) {
    Walk walk(along);
    visit_combined(combine, dtype, [&](auto tag, auto how) {
        using T = decltype(tag);
        T* out = static_cast<T*>(self);
        const T* in = static_cast<const T*>(other);
        walk.run([&](int64_t s, int64_t i, int64_t o, int64_t n) {
            for (int64_t k = 0; k < n; ++k) {
                int64_t at = index[i + k * walk.index_step];
                combine_into<decltype(how)::value>(
                    out[s + k * walk.self_step + at * walk.dim_stride],
                    in[o + k * walk.other_step]);
            }
        });
    });
}

}  // namespace kagari::cpu
