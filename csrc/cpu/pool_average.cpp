// Average pooling, forward and backward; both are linear, so each is the other's derivative.
#include <cmath>
#include <cstring>
#include <vector>

#include "cpu/clones.h"
#include "cpu/pool.h"
#include "cpu/pool_places.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

// Sums of half precision are kept in float, of integers in int64.
template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, int64_t,
                               std::conditional_t<std::is_same_v<T, double>, double, float>>;

template <class T, class Step>
[[gnu::always_inline]] inline void add_places(const T* in, Step stride, int64_t n,
                                              Sum<T>* __restrict sums) {
    for (int64_t i = 0; i < n; i++) sums[i] += Sum<T>(in[i * stride]);
}

template <int64_t N>
using Fixed = std::integral_constant<int64_t, N>;

KAGARI_CLONES void add_float(const float* in, int64_t stride, int64_t n, float* sums) {
    if (stride == 1) return add_places(in, Fixed<1>(), n, sums);
    if (stride == 2) return add_places(in, Fixed<2>(), n, sums);
    add_places(in, stride, n, sums);
}

// Sixteen partial sums, added in one order: the same on every machine.
KAGARI_CLONES float sum_float(const float* in, int64_t n) {
    float parts[16] = {};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 16; j++) parts[j] += in[i + j];
    for (int j = 0; i < n; i++, j++) parts[j] += in[i];
    for (int half = 8; half; half /= 2)
        for (int j = 0; j < half; j++) parts[j] += parts[j + half];
    return parts[0];
}

template <class T>
Sum<T> sum_line(const T* in, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
        return sum_float(in, n);
    } else {
        Sum<T> sum = 0;
        for (int64_t i = 0; i < n; i++) sum += Sum<T>(in[i]);
        return sum;
    }
}

struct Plan {
    const Pool& pool;
    Places d{pool.axes[0]}, h{pool.axes[1]}, w{pool.axes[2]};
};

template <class T>
void add_line(const Plan& plan, const T* line, Sum<T>* sums) {
    const PoolAxis& w = plan.pool.axes[2];
    for (const Places::Run& run : plan.w.runs) {
        const T* first = line + run.start;
        if constexpr (std::is_same_v<T, float>)
            add_float(first, w.stride, run.high - run.low, sums + run.low);
        else
            add_places(first, w.stride, run.high - run.low, sums + run.low);
    }
    for (size_t o = 0; w.adaptive && o < plan.w.begin.size(); o++)
        sums[o] += sum_line(line + plan.w.begin[o], plan.w.end[o] - plan.w.begin[o]);
}

// The sums of one row of windows.
template <class T>
void add_row(const Plan& plan, const T* plane, int64_t od, int64_t oh, Sum<T>* sums) {
    const auto& [d, h, w] = plan.pool.axes;
    bool whole_lines = w.adaptive && w.out == 1;  // then neighbouring lines are one
    for (int64_t z = plan.d.begin[od]; z < plan.d.end[od]; z++) {
        int64_t top = plan.h.begin[oh], bottom = plan.h.end[oh];
        if (whole_lines && top < bottom)
            sums[0] += sum_line(plane + (z * h.in + top) * w.in, (bottom - top) * w.in);
        else
            for (int64_t y = top; y < bottom; y++)
                add_line(plan, plane + (z * h.in + y) * w.in, sums);
    }
}

// What one window along an axis counts for the divisor; 0 where it lies outside altogether.
int64_t places(const Pool& pool, const PoolAxis& axis, int64_t o) {
    int64_t inside = std::max<int64_t>(0, axis.end(o) - axis.begin(o));
    return pool.count_padding && inside ? axis.padded_count(o) : inside;
}

std::vector<int64_t> divisors(const Pool& pool, int64_t od, int64_t oh) {
    const auto& [d, h, w] = pool.axes;
    int64_t outer = places(pool, d, od) * places(pool, h, oh);
    std::vector<int64_t> result(size_t(w.out));
    for (int64_t o = 0; o < w.out; o++) {
        int64_t count = outer * places(pool, w, o);
        result[size_t(o)] = count && pool.divisor ? pool.divisor : count;
    }
    return result;
}

template <class T>
void forward(const Pool& pool, const T* input, T* output) {
    const auto& [d, h, w] = pool.axes;
    int64_t rows = d.out * h.out;
    Plan plan{pool};
    std::vector<std::vector<int64_t>> by_row;
    for (int64_t r = 0; r < rows; r++) by_row.push_back(divisors(pool, r / h.out, r % h.out));
    parallel_for(0, pool.planes, pool.grain(), [&](int64_t begin, int64_t end) {
        const auto& [d, h, w] = pool.axes;
        std::vector<Sum<T>> sums(size_t(w.out));
        for (int64_t i = begin * rows; i < end * rows; i++) {
            const T* plane = input + i / rows * pool.in_size();
            int64_t od = i % rows / h.out, oh = i % h.out;
            std::fill(sums.begin(), sums.end(), Sum<T>(0));
            add_row(plan, plane, od, oh, sums.data());
            const auto& divide = by_row[size_t(i % rows)];
            for (int64_t o = 0; o < w.out; o++)
                output[i * w.out + o] = divide[o] ? T(sums[o] / Sum<T>(divide[o])) : T(0);
        }
    });
}

template <class T>
void spread_line(const Places& w, const Sum<T>* shares, Sum<T>* line) {
    for (size_t o = 0; o < w.begin.size(); o++)
        for (int64_t x = w.begin[o]; x < w.end[o]; x++) line[x] += shares[o];
}

template <class T>
void backward(const Pool& pool, const T* grad, T* result) {
    int64_t rows = pool.axes[0].out * pool.axes[1].out, size = pool.in_size();
    Plan plan{pool};
    std::vector<std::vector<int64_t>> by_row;
    for (int64_t r = 0; r < rows; r++)
        by_row.push_back(divisors(pool, r / pool.axes[1].out, r % pool.axes[1].out));
    parallel_for(0, pool.planes, pool.grain(), [&](int64_t begin, int64_t end) {
        const auto& [d, h, w] = pool.axes;
        std::vector<Sum<T>> plane(static_cast<size_t>(size)), shares(size_t(w.out));
        for (int64_t p = begin; p < end; p++) {
            std::fill(plane.begin(), plane.end(), Sum<T>(0));
            for (int64_t r = 0; r < rows; r++) {
                const T* line = grad + (p * rows + r) * w.out;
                const auto& divide = by_row[size_t(r)];
                for (int64_t o = 0; o < w.out; o++)
                    shares[o] = divide[o] ? Sum<T>(line[o]) / Sum<T>(divide[o]) : Sum<T>(0);
                for (int64_t z = plan.d.begin[r / h.out]; z < plan.d.end[r / h.out]; z++)
                    for (int64_t y = plan.h.begin[r % h.out]; y < plan.h.end[r % h.out]; y++)
                        spread_line<T>(plan.w, shares.data(),
                                       &plane[size_t((z * h.in + y) * w.in)]);
            }
            for (int64_t i = 0; i < size; i++) result[p * size + i] = T(plane[size_t(i)]);
        }
    });
}

template <class F>
void visit_averaged(DType dtype, F f) {
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_same_v<T, int64_t> || std::is_floating_point_v<T> ||
                      std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>)
            f(tag);
        else
            fail<NotImplementedError>("\"avg_pool\" not implemented for '", name(dtype), "'");
    });
}

}  // namespace

void average_pool(const Pool& pool, const void* input, void* output) {
    visit_averaged(pool.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        forward<T>(pool, static_cast<const T*>(input), static_cast<T*>(output));
    });
}

void average_pool_backward(const Pool& pool, const void* grad_output, void* grad_input) {
    visit_averaged(pool.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        backward<T>(pool, static_cast<const T*>(grad_output), static_cast<T*>(grad_input));
    });
}

}  // namespace kagari::cpu
