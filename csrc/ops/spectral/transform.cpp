// Discrete Fourier transforms over several dimensions: which lines are transformed, in what order.
// Gradients, norms and sizes as users write them are in src/kagari/fft.py.
#include <cmath>

#include "cpu/fft/transform.h"
#include "cpu/strided.h"
#include "ops/op.h"
#include "runtime/parallel.h"

namespace kagari::ops {
namespace {

using cpu::fft::Places;

/// Offsets of the lines along `dim`: one for each position of the other dimensions.
std::vector<int64_t> line_starts(const Tensor& t, size_t dim) {
    Dims sizes, strides;
    for (size_t d = 0; d < t.sizes().size(); ++d) {
        if (d == dim) continue;
        sizes.push_back(t.sizes()[d]);
        strides.push_back(t.strides()[d]);
    }
    return cpu::offsets_of(sizes, strides);
}

/// Calls f(lines of `from`, lines of `to`) along one dimension.
template <class F>
void along(const Tensor& from, const Tensor& to, int64_t dim, F f) {
    if (to.numel() == 0) return;
    auto d = static_cast<size_t>(dim);
    std::vector<int64_t> from_starts = line_starts(from, d), to_starts = line_starts(to, d);
    Unlocked unlocked(to.numel() * static_cast<int64_t>(to.itemsize()) >= kUnlockBytes);
    f(Places{from.data(), from_starts, from.strides()[d]},
      Places{to.data(), to_starts, to.strides()[d]});
}

/// Over all of `dims`, from one tensor to another and then in place. The scale is applied once.
void complex_along(const Tensor& from, const Tensor& to, IntSpan dims, bool forward, double scale) {
    const Tensor* source = &from;
    for (size_t i = dims.size(); i-- > 0; source = &to)
        along(*source, to, dims[i], [&](const Places& in, const Places& out) {
            cpu::fft::complex_lines(real_counterpart(to.dtype()),
                                    to.sizes()[static_cast<size_t>(dims[i])], in, out, forward,
                                    i == 0 ? scale : 1.0);
        });
}

Tensor resized(const Tensor& t, int64_t dim, int64_t size, DType dtype) {
    Dims sizes(t.sizes());
    sizes[static_cast<size_t>(dim)] = size;
    return empty(sizes, dtype, t.device());
}

Tensor complex_body(const Tensor& input, IntSpan dims, double scale, bool forward) {
    Tensor out = empty(input.sizes(), input.dtype(), input.device());
    if (!out.is_meta()) complex_along(input, out, dims, forward, scale);
    return out;
}

Tensor real_body(const Tensor& input, IntSpan dims, double scale) {
    int64_t last = dims.back(), n = input.size(last);
    Tensor out = resized(input, last, n / 2 + 1, complex_counterpart(input.dtype()));
    if (out.is_meta()) return out;
    IntSpan others = dims.first(dims.size() - 1);
    along(input, out, last, [&](const Places& from, const Places& to) {
        cpu::fft::real_lines(input.dtype(), n, from, to, others.empty() ? scale : 1.0);
    });
    complex_along(out, out, others, true, scale);
    return out;
}

Tensor half_body(const Tensor& input, IntSpan dims, double scale, int64_t length) {
    int64_t last = dims.back();
    DType dtype = real_counterpart(input.dtype());
    Tensor out = resized(input, last, length, dtype), half = input;
    if (out.is_meta()) return out;
    IntSpan others = dims.first(dims.size() - 1);
    if (!others.empty()) {
        half = empty(input.sizes(), input.dtype(), input.device());
        complex_along(input, half, others, false, 1.0);
    }
    along(half, out, last, [&](const Places& from, const Places& to) {
        cpu::fft::half_lines(dtype, length, from, to, scale);
    });
    return out;
}

// F32 and F64 and their complex counterparts; dims are not negative, and there is at least one.
const Op<Tensor(const Tensor&, IntSpan, double, bool)> complex_op{
    "_fft_complex(Tensor input, int[] dims, float scale, bool forward) -> Tensor", "p",
    complex_body, ""};
const Op<Tensor(const Tensor&, IntSpan, double)> real_op{
    "_fft_real(Tensor input, int[] dims, float scale) -> Tensor", "p", real_body, ""};
const Op<Tensor(const Tensor&, IntSpan, double, int64_t)> half_op{
    "_fft_half(Tensor input, int[] dims, float scale, int length) -> Tensor", "p", half_body, ""};

}  // namespace
}  // namespace kagari::ops
