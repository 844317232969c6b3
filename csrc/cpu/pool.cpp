// Maximum pooling, and the moves along its indices. Averages are in pool_average.cpp.
#include "cpu/pool.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/clones.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

template <class T>
T lowest() {
    if constexpr (std::is_integral_v<T>)
        return std::numeric_limits<T>::min();
    else
        return T(-std::numeric_limits<float>::infinity());
}

/// The maxima so far of one row of outputs, and where they are.
template <class T>
struct Row {
    std::vector<T> best;
    std::vector<int32_t> at;
};

// One place of the window for `n` neighbouring outputs; NaN wins, the last of them.
template <class T, class Step>
[[gnu::always_inline]] inline void take_places(const T* in, Step stride, int64_t n, int32_t first,
                                               T* __restrict best, int32_t* __restrict at) {
    for (int64_t i = 0; i < n; i++) {
        T value = in[i * stride];
        bool better = (value > best[i]) | (value != value);
        best[i] = better ? value : best[i];
        at[i] = better ? first + int32_t(i * stride) : at[i];
    }
}

template <int64_t N>
using Fixed = std::integral_constant<int64_t, N>;

KAGARI_CLONES void take_float(const float* in, int64_t stride, int64_t n, int32_t first,
                              float* best, int32_t* at) {
    if (stride == 1) return take_places(in, Fixed<1>(), n, first, best, at);
    if (stride == 2) return take_places(in, Fixed<2>(), n, first, best, at);
    take_places(in, stride, n, first, best, at);
}

template <class T>
void take(const T* in, int64_t stride, int64_t n, int32_t first, T* best, int32_t* at) {
    if constexpr (std::is_same_v<T, float>)
        take_float(in, stride, n, first, best, at);
    else
        take_places(in, stride, n, first, best, at);
}

// One line of the input into the row: `offset` is where it starts in the plane.
template <class T>
void take_line(const PoolAxis& w, const T* line, int64_t offset, Row<T>& row) {
    if (w.adaptive) {
        for (int64_t o = 0; o < w.out; o++)
            for (int64_t i = w.begin(o); i < w.end(o); i++)
                take_places(line + i, Fixed<1>(), 1, int32_t(offset + i), &row.best[o], &row.at[o]);
        return;
    }
    for (int64_t k = 0; k < w.kernel; k++) {
        auto [low, high] = w.inside(k);
        if (high <= low) continue;
        int64_t place = low * w.stride - w.padding + k * w.dilation;
        take(line + place, w.stride, high - low, int32_t(offset + place), &row.best[low],
             &row.at[low]);
    }
}

template <class T>
void max_row(const Pool& pool, const T* plane, int64_t od, int64_t oh, Row<T>& row) {
    const auto& [d, h, w] = pool.axes;
    int64_t corner = (d.begin(od) * h.in + h.begin(oh)) * w.in;
    std::fill(row.best.begin(), row.best.end(), lowest<T>());
    for (int64_t o = 0; o < w.out; o++) row.at[o] = int32_t(corner + w.begin(o));
    for (int64_t z = d.begin(od); z < d.end(od); z += d.dilation)
        for (int64_t y = h.begin(oh); y < h.end(oh); y += h.dilation) {
            int64_t offset = (z * h.in + y) * w.in;
            take_line(w, plane + offset, offset, row);
        }
}

/// First and last place of the window of each output along an axis.
struct Window {
    int64_t begin, end;
};
std::vector<Window> windows_of(const PoolAxis& axis) {
    std::vector<Window> list;
    for (int64_t o = 0; o < axis.out; o++) list.push_back({axis.begin(o), axis.end(o)});
    return list;
}

/// Rows too short for vectors (small images): output by output.
template <class T>
void max_short_row(const Pool& pool, const T* plane, Window depth, Window height,
                   const std::vector<Window>& windows, T* output, int64_t* indices) {
    const auto& [d, h, w] = pool.axes;
    for (size_t o = 0; o < windows.size(); o++) {
        Window across = windows[o];
        // the maximum of random values is no branch that a processor could predict: arithmetic
        int64_t at = (depth.begin * h.in + height.begin) * w.in + across.begin;
        T best = plane[at];
        for (int64_t z = depth.begin; z < depth.end; z += d.dilation)
            for (int64_t y = height.begin; y < height.end; y += h.dilation) {
                int64_t line = (z * h.in + y) * w.in;
                for (int64_t x = across.begin; x < across.end; x += w.dilation) {
                    T value = plane[line + x];
                    bool better = (value > best) | (value != value);
                    at += (line + x - at) * int64_t{better};
                    best = plane[at];
                }
            }
        output[o] = best;
        if (indices) indices[o] = at;
    }
}

template <class T>
void run_max_short(const Pool& pool, const T* input, T* output, int64_t* indices) {
    const auto& [d, h, w] = pool.axes;
    auto deep = windows_of(d), high = windows_of(h), wide = windows_of(w);
    parallel_for(0, pool.planes, pool.grain(), [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; p++)
            for (int64_t z = 0; z < d.out; z++)
                for (int64_t y = 0; y < h.out; y++) {
                    int64_t row = ((p * d.out + z) * h.out + y) * w.out;
                    max_short_row(pool, input + p * pool.in_size(), deep[z], high[y], wide,
                                  output + row, indices ? indices + row : nullptr);
                }
    });
}

template <class T>
void run_max(const Pool& pool, const T* input, T* output, int64_t* indices) {
    const auto& [d, h, w] = pool.axes;
    check<RuntimeError>(pool.in_size() <= INT32_MAX, "max_pool: a plane of ", pool.in_size(),
                        " elements is larger than 2^31 - 1");
    if (w.out < 16) return run_max_short(pool, input, output, indices);
    int64_t width = w.out, rows = d.out * h.out, height = h.out;
    parallel_for(0, pool.planes, pool.grain(), [&](int64_t begin, int64_t end) {
        Row<T> row{std::vector<T>(width), std::vector<int32_t>(width)};
        for (int64_t i = begin * rows; i < end * rows; i++) {
            const T* plane = input + i / rows * pool.in_size();
            max_row(pool, plane, i % rows / height, i % height, row);
            std::copy(row.best.begin(), row.best.end(), output + i * width);
            if (indices) std::copy(row.at.begin(), row.at.end(), indices + i * width);
        }
    });
}

template <class F>
void visit_numbers(DType dtype, const char* op, F f) {
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_same_v<T, bool> || kIsComplex<T>)
            fail<NotImplementedError>("\"", op, "\" not implemented for '", name(dtype), "'");
        else
            f(tag);
    });
}

}  // namespace

void max_pool(const Pool& pool, const void* input, void* output, int64_t* indices) {
    visit_numbers(pool.dtype, "max_pool", [&](auto tag) {
        using T = typename decltype(tag)::type;
        run_max<T>(pool, static_cast<const T*>(input), static_cast<T*>(output), indices);
    });
}

void scatter_planes(DType dtype, int64_t planes, int64_t count, int64_t size, const void* values,
                    const int64_t* indices, void* out) {
    visit_numbers(dtype, "max_pool_backward", [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t grain = std::max<int64_t>(1, (1 << 15) / std::max<int64_t>(1, size));
        parallel_for(0, planes, grain, [&](int64_t begin, int64_t end) {
            T* all = static_cast<T*>(out);
            std::memset(static_cast<void*>(all + begin * size), 0,
                        size_t((end - begin) * size) * sizeof(T));
            for (int64_t p = begin; p < end; p++)
                for (int64_t i = p * count; i < (p + 1) * count; i++) {
                    T& to = all[p * size + indices[i]];
                    to = T(to + static_cast<const T*>(values)[i]);
                }
        });
    });
}

void gather_planes(DType dtype, int64_t planes, int64_t count, int64_t size, const void* from,
                   const int64_t* indices, void* out) {
    visit_numbers(dtype, "max_pool_backward", [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t grain = std::max<int64_t>(1, (1 << 15) / std::max<int64_t>(1, count));
        parallel_for(0, planes, grain, [&](int64_t begin, int64_t end) {
            for (int64_t p = begin; p < end; p++)
                for (int64_t i = p * count; i < (p + 1) * count; i++)
                    static_cast<T*>(out)[i] = static_cast<const T*>(from)[p * size + indices[i]];
        });
    });
}

}  // namespace kagari::cpu
