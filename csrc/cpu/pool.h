// Pooling over one to three dimensions of row-major planes: maximum and average, with fixed or
// adaptive windows. Shape rules and gradients' recording are left to ops/nn/pool.cpp.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "tensor/dtype.h"

namespace kagari::cpu {

/// The windows along one dimension. Adaptive ones cut `in` into `out` parts that may overlap.
struct PoolAxis {
    int64_t in = 1, out = 1;
    int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;
    bool adaptive = false;

    /// First place of window `o` that lies inside, and one past its last.
    int64_t begin(int64_t o) const {
        if (adaptive) return o * in / out;
        int64_t first = o * stride - padding;
        return first >= 0 ? first : first + (-first + dilation - 1) / dilation * dilation;
    }
    int64_t end(int64_t o) const {
        if (adaptive) return ((o + 1) * in + out - 1) / out;
        return std::min(in, o * stride - padding + (kernel - 1) * dilation + 1);
    }
    /// Places of the window, those in the padding included.
    int64_t padded_count(int64_t o) const {
        if (adaptive) return end(o) - begin(o);
        int64_t first = o * stride - padding;
        return std::min(first + kernel, in + padding) - first;
    }
    /// The outputs [low, high) whose window has its place number `k` inside.
    std::pair<int64_t, int64_t> inside(int64_t k) const {
        int64_t shift = padding - k * dilation;  // place = o * stride - shift
        int64_t low = shift <= 0 ? 0 : (shift + stride - 1) / stride;
        int64_t high = in + shift <= 0 ? 0 : (in + shift - 1) / stride + 1;
        return {std::min(low, out), std::min(high, out)};
    }
};

struct Pool {
    DType dtype = DType::F32;
    int64_t planes = 1;
    std::array<PoolAxis, 3> axes;  // depth, height, width
    bool count_padding = true;     // average: the divisor counts places in the padding
    int64_t divisor = 0;           // average: replaces the count unless 0

    int64_t in_size() const { return axes[0].in * axes[1].in * axes[2].in; }
    int64_t out_size() const { return axes[0].out * axes[1].out * axes[2].out; }
    int64_t grain() const { return std::max<int64_t>(1, (1 << 15) / std::max<int64_t>(1, work())); }

  private:
    int64_t work() const {
        int64_t work = in_size();
        for (const PoolAxis& axis : axes) work *= axis.adaptive ? 1 : 1 + axis.kernel / axis.stride;
        return work;
    }
};

/// `indices` (places in the plane) may be null.
void max_pool(const Pool& pool, const void* input, void* output, int64_t* indices);
void average_pool(const Pool& pool, const void* input, void* output);
void average_pool_backward(const Pool& pool, const void* grad_output, void* grad_input);

/// out[plane][index] += values[plane][i], out zeroed first; and values[plane][index] the other way.
void scatter_planes(DType dtype, int64_t planes, int64_t count, int64_t size, const void* values,
                    const int64_t* indices, void* out);
void gather_planes(DType dtype, int64_t planes, int64_t count, int64_t size, const void* from,
                   const int64_t* indices, void* out);

}  // namespace kagari::cpu
