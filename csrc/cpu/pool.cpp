// Maximum pooling, and the moves along its indices. Averages are in pool_average.cpp.
#include "cpu/pool.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/clones.h"
#include "cpu/pool_places.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

constexpr int64_t kShortRow = 16;  // outputs

template <class T>
T lowest() {
    if constexpr (std::is_integral_v<T>)
        return std::numeric_limits<T>::min();
    else
        return T(-std::numeric_limits<float>::infinity());
}

struct MaxPlan {
    const Pool& pool;
    Places d{pool.axes[0]}, h{pool.axes[1]}, w{pool.axes[2]};
};

// Which maximum wins is as good as random: a branch would be mispredicted half the time.
template <class T>
[[gnu::always_inline]] inline T chosen(bool first, T a, T b) {
    if constexpr (sizeof(T) == 4) {
        auto mask = -static_cast<uint32_t>(first);
        return std::bit_cast<T>((std::bit_cast<uint32_t>(a) & mask) |
                                (std::bit_cast<uint32_t>(b) & ~mask));
    } else {
        return first ? a : b;
    }
}

// One place of the window for `n` neighbouring outputs; NaN wins, the last of them.
template <class T, class Step>
[[gnu::always_inline]] inline void take_places(const T* in, Step stride, int64_t n, int32_t first,
                                               T* __restrict best, int32_t* __restrict at) {
    for (int64_t i = 0; i < n; i++) {
        T value = in[i * stride];
        bool better = (value > best[i]) | (value != value);
        best[i] = chosen(better, value, best[i]);
        at[i] = chosen(better, first + int32_t(i * stride), at[i]);
    }
}

// One line of the input, `offset` into the plane, into a row of outputs.
template <class T, class Step>
[[gnu::always_inline]] inline void take_line(const MaxPlan& plan, Step stride, const T* plane,
                                             int64_t offset, T* best, int32_t* at) {
    const T* line = plane + offset;
    for (const Places::Run& run : plan.w.runs)
        take_places(line + run.start, stride, run.high - run.low, int32_t(offset + run.start),
                    best + run.low, at + run.low);
    if (!plan.pool.axes[2].adaptive) return;
    for (size_t o = 0; o < plan.w.begin.size(); o++)
        for (int64_t i = plan.w.begin[o]; i < plan.w.end[o]; i++)
            take_places(line + i, 1, 1, int32_t(offset + i), best + o, at + o);
}

// All outputs of one plane; `at` is room for the indices of one row.
template <class T, class Step>
[[gnu::always_inline]] inline void max_plane(const MaxPlan& plan, Step stride, const T* plane,
                                             T* out, int64_t* indices, int32_t* at) {
    const auto& [d, h, w] = plan.pool.axes;
    int64_t row = 0;
    for (int64_t od = 0; od < d.out; od++)
        for (int64_t oh = 0; oh < h.out; oh++, row++) {
            T* best = out + row * w.out;
            int64_t corner = (plan.d.begin[od] * h.in + plan.h.begin[oh]) * w.in;
            for (int64_t o = 0; o < w.out; o++) {
                best[o] = lowest<T>();
                at[o] = int32_t(corner + plan.w.begin[o]);
            }
            for (int64_t z = plan.d.begin[od]; z < plan.d.end[od]; z += d.dilation)
                for (int64_t y = plan.h.begin[oh]; y < plan.h.end[oh]; y += h.dilation)
                    take_line(plan, stride, plane, (z * h.in + y) * w.in, best, at);
            if (indices)
                for (int64_t o = 0; o < w.out; o++) indices[row * w.out + o] = at[o];
        }
}

// Rows too short for vectors: output by output, the place of the maximum by arithmetic.
template <class T>
void max_plane_short(const MaxPlan& plan, const T* plane, T* out, int64_t* indices) {
    const auto& [d, h, w] = plan.pool.axes;
    int64_t i = 0;
    for (int64_t od = 0; od < d.out; od++)
        for (int64_t oh = 0; oh < h.out; oh++)
            for (int64_t ow = 0; ow < w.out; ow++, i++) {
                int64_t left = plan.w.begin[ow], right = plan.w.end[ow];
                int64_t at = (plan.d.begin[od] * h.in + plan.h.begin[oh]) * w.in + left;
                T best = plane[at];
                for (int64_t z = plan.d.begin[od]; z < plan.d.end[od]; z += d.dilation)
                    for (int64_t y = plan.h.begin[oh]; y < plan.h.end[oh]; y += h.dilation)
                        for (int64_t x = left; x < right; x += w.dilation) {
                            int64_t place = (z * h.in + y) * w.in + x;
                            T value = plane[place];
                            bool better = (value > best) | (value != value);
                            at += (place - at) * int64_t{better};
                            best = plane[at];
                        }
                out[i] = best;
                if (indices) indices[i] = at;
            }
}

template <int64_t N>
using Fixed = std::integral_constant<int64_t, N>;

KAGARI_CLONES void max_plane_float(const MaxPlan& plan, const float* plane, float* out,
                                   int64_t* indices, int32_t* at) {
    int64_t stride = plan.pool.axes[2].stride;
    if (stride == 1) return max_plane(plan, Fixed<1>(), plane, out, indices, at);
    if (stride == 2) return max_plane(plan, Fixed<2>(), plane, out, indices, at);
    max_plane(plan, stride, plane, out, indices, at);
}

template <class T>
void run_max(const Pool& pool, const T* input, T* output, int64_t* indices) {
    check<RuntimeError>(pool.in_size() <= INT32_MAX, "max_pool: a plane of ", pool.in_size(),
                        " elements is larger than 2^31 - 1");
    MaxPlan plan{pool};
    parallel_for(0, pool.planes, pool.grain(), [&](int64_t begin, int64_t end) {
        std::vector<int32_t> at(size_t(pool.axes[2].out));
        for (int64_t i = begin; i < end; i++) {
            const T* plane = input + i * pool.in_size();
            T* out = output + i * pool.out_size();
            int64_t* to = indices ? indices + i * pool.out_size() : nullptr;
            if (pool.axes[2].out < kShortRow)
                max_plane_short(plan, plane, out, to);
            else if constexpr (std::is_same_v<T, float>)
                max_plane_float(plan, plane, out, to, at.data());
            else
                max_plane(plan, pool.axes[2].stride, plane, out, to, at.data());
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
