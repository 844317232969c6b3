// Making tensors from sizes and numbers.
#include "ops/movement/creation.h"

#include <cmath>

#include "autograd/record.h"
#include "ops/output.h"
#include "ops/pointwise/loop.h"

namespace kagari::ops {
namespace {

template <class T>
void fill_run(int64_t n, void* const* data, const int64_t* strides) {
    char* to = static_cast<char*>(data[0]);
    const T value = *static_cast<const T*>(data[1]);
    if (strides[0] == sizeof(T)) {
        static const char zeros[sizeof(T)] = {};
        if (!std::memcmp(&value, zeros, sizeof(T))) {
            std::memset(to, 0, static_cast<size_t>(n) * sizeof(T));
            return;
        }
        // whole lines, which memcpy writes with the widest registers there are
        constexpr int64_t kLine = 256 / sizeof(T);
        alignas(64) T line[kLine];
        std::fill_n(line, std::min(n, kLine), value);
        for (; n >= kLine; n -= kLine, to += sizeof line) std::memcpy(to, line, sizeof line);
        std::memcpy(to, line, static_cast<size_t>(n) * sizeof(T));
    } else {
        for (int64_t i = 0; i < n; ++i) *reinterpret_cast<T*>(to + i * strides[0]) = value;
    }
}

}  // namespace

void fill(const Tensor& t, const Scalar& value) {
    if (t.is_meta() || t.numel() == 0) return;
    alignas(16) char bytes[16];
    value.store(t.dtype(), bytes);
    if (t.numel() <= 16 && t.is_contiguous()) {  // a loop costs more than the work
        char* to = static_cast<char*>(t.data());
        for (int64_t i = 0; i < t.numel(); ++i)
            std::memcpy(to + i * t.itemsize(), bytes, t.itemsize());
        return;
    }
    Loop loop(t.sizes());
    loop.add(t);
    loop.add_value(bytes);
    loop.run(visit(t.dtype(),
                   [](auto tag) -> KernelFn { return fill_run<typename decltype(tag)::type>; }),
             static_cast<int64_t>(t.itemsize()));
}

void check_representable(const Scalar& value, DType dtype, const char* op) {
    check<RuntimeError>(value.kind() != Scalar::Complex || is_complex(dtype) ||
                            dtype == DType::Bool || value.to<c128>().imag() == 0,
                        op, ": value cannot be converted to type ", dtype,
                        " without overflow: ", value);
    double top_of[] = {65504.0, 3.3895313892515355e38, 3.4028234663852886e38};
    if (dtype >= DType::F16 && dtype <= DType::F32 && value.kind() != Scalar::Complex) {
        double size = std::abs(value.to<double>());
        check<RuntimeError>(
            size <= top_of[int(dtype) - int(DType::F16)] || std::isinf(size) || std::isnan(size),
            op, ": value cannot be converted to type ", dtype, " without overflow: ", value);
    }
    if (dtype == DType::Bool || dtype >= DType::F16) return;
    double v = value.to<double>();
    int bits = static_cast<int>(8 * itemsize(dtype));
    double top = is_signed(dtype) ? std::ldexp(1.0, bits - 1) : std::ldexp(1.0, bits);
    bool fits = v < top && v >= -std::ldexp(1.0, bits - is_signed(dtype));  // unsigned wrap as in C
    check<RuntimeError>(fits || (bits == 64 && value.is_integral()), op,
                        ": value cannot be converted to type ", dtype,
                        " without overflow: ", value);
}

static Tensor full_body(IntSpan sizes, const Scalar& value, DType dtype, Device device) {
    check_representable(value, dtype, "full");
    Tensor out = empty(sizes, dtype, device);
    fill(out, value);
    return out;
}
static const Op<Tensor(IntSpan, const Scalar&, DType, Device)> full_op{
    "_full(int[] size, Scalar fill_value, dtype dtype, device device) -> Tensor", "p", full_body,
    ""};
Tensor full(IntSpan sizes, const Scalar& value, DType dtype, Device device) {
    return full_op(sizes, value, dtype, device);
}

static Tensor empty_body(IntSpan sizes, DType dtype, Device device) {
    return kagari::empty(sizes, dtype, device);
}
const Op<Tensor(IntSpan, DType, Device)> new_empty{
    "_empty(int[] size, dtype dtype, device device) -> Tensor", "p", empty_body, ""};

static Tensor empty_strided_body(IntSpan sizes, IntSpan strides, DType dtype, Device device) {
    return kagari::empty_strided(sizes, strides, dtype, device);
}
static const Op<Tensor(IntSpan, IntSpan, DType, Device)> empty_strided_op{
    "_empty_strided(int[] size, int[] stride, dtype dtype, device device) -> Tensor", "p",
    empty_strided_body, ""};

static Tensor empty_like_body(const Tensor& t, DType dtype, Device device) {
    if (device == t.device()) return kagari::empty_like(t, dtype);
    Dims strides = t.is_contiguous() ? Dims(t.strides()) : preserved_strides(t);
    return kagari::empty_strided(t.sizes(), strides, dtype, device);
}
const Op<Tensor(const Tensor&, DType, Device)> new_empty_like{
    "_empty_like(Tensor input, dtype dtype, device device) -> Tensor", "p", empty_like_body, ""};

static Tensor full_like_body(const Tensor& t, const Scalar& value, DType dtype, Device device) {
    check_representable(value, dtype, "full_like");
    Tensor out = empty_like_body(t, dtype, device);
    fill(out, value);
    return out;
}
const Op<Tensor(const Tensor&, const Scalar&, DType, Device)> full_like{
    "_full_like(Tensor input, Scalar fill_value, dtype dtype, device device) -> Tensor", "p",
    full_like_body, ""};

Tensor zeros(IntSpan sizes, DType dtype, Device device) { return full(sizes, 0, dtype, device); }
Tensor ones(IntSpan sizes, DType dtype, Device device) { return full(sizes, 1, dtype, device); }
static Tensor new_zeros_body(const Tensor& t, IntSpan sizes) {
    return zeros(sizes, t.dtype(), t.device());
}
const Op<Tensor(const Tensor&, IntSpan)> new_zeros{"_new_zeros(Tensor input, int[] size) -> Tensor",
                                                   "p", new_zeros_body, ""};
Tensor zeros_like(const Tensor& t) { return full_like(t, 0, t.dtype(), t.device()); }
Tensor ones_like(const Tensor& t) { return full_like(t, 1, t.dtype(), t.device()); }
Tensor scalar_tensor(const Scalar& value, DType dtype, Device device) {
    return full({}, value, dtype, device);
}

/// In-place fill: the old values matter no more, so no gradient flows back to them.
static Tensor fill_body(const Tensor& self, const Scalar& value) {
    check_representable(value, self.dtype(), "fill_");
    check_inplace(self, "fill_");
    fill(self, value);
    self.bump_version();
    if (should_record(self)) {
        auto rule = [](Backward&) -> Tensors { return {Tensor()}; };
        auto node = make_ref<ClosureNode<decltype(rule)>>("FillBackward0", rule);
        node->edges() = {gradient_edge(self)};
        node->outputs().push_back({self.body()->sizes, self.dtype(), self.device()});
        rebase_history(self, node);
    }
    return self;
}
static const Op<Tensor(const Tensor&, const Scalar&)> fill_op{
    "_fill_(Tensor input, Scalar value) -> Tensor", "p", fill_body, ""};

static Tensor zero_body(const Tensor& self) { return fill_op(self, 0); }
const Op<Tensor(const Tensor&)> zero_{"zero_(Tensor input) -> Tensor", "fm", zero_body,
                                      "Fills this tensor with zeros and returns it."};

/// Number of steps from start to end; errors as PyTorch's.
static int64_t range_length(double start, double end, double step, const char* op) {
    check<RuntimeError>(step != 0 && std::isfinite(step), op, ": step must be nonzero, got ", step);
    check<RuntimeError>(std::isfinite(start) && std::isfinite(end), op,
                        ": unsupported range: ", start, " -> ", end);
    check<RuntimeError>((step > 0) == (end >= start) || end == start, op,
                        ": upper bound and lower bound inconsistent with step sign: ", start,
                        " -> ", end, " by ", step);
    double length = std::ceil((end - start) / step);
    check<RuntimeError>(length < 9.2e18, op, ": invalid size, possible overflow: ", length,
                        " elements");
    return static_cast<int64_t>(length);
}

static Tensor arange_body(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype,
                          Device device) {
    check<NotImplementedError>(!is_complex(dtype) && dtype != DType::Bool,
                               "arange: not implemented for ", dtype,
                               "; expected an integer or floating dtype");
    int64_t n;
    bool integral = start.is_integral() && end.is_integral() && step.is_integral();
    if (dtype == DType::I64 && !integral) {  // it counts in integers
        range_length(start.to<double>(), end.to<double>(), step.to<double>(), "arange");
        check<ValueError>(step.to<int64_t>() != 0, "arange: step must be nonzero, got ", step,
                          " for dtype int64");
        integral = true;
    }
    if (integral) {
        int64_t a = start.to<int64_t>(), b = end.to<int64_t>(), s = step.to<int64_t>();
        range_length(static_cast<double>(a), static_cast<double>(b), static_cast<double>(s),
                     "arange");
        using wide = __int128;
        n = a == b ? 0 : static_cast<int64_t>((wide(b) - a + s + (s > 0 ? -1 : 1)) / s);
    } else {
        n = range_length(start.to<double>(), end.to<double>(), step.to<double>(), "arange");
    }
    Tensor out = kagari::empty(Dims{n}, dtype, device);
    if (out.is_meta()) return out;
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* data = out.data<T>();
        if constexpr (std::is_integral_v<T>) {
            auto a = static_cast<uint64_t>(start.to<int64_t>());
            auto s = static_cast<uint64_t>(step.to<int64_t>());
            for (int64_t i = 0; i < n; ++i)
                data[i] = static_cast<T>(a + s * static_cast<uint64_t>(i));
        } else if constexpr (!kIsComplex<T>) {
            double a = start.to<double>(), s = step.to<double>();
            for (int64_t i = 0; i < n; ++i)
                data[i] = static_cast<T>(static_cast<float>(0) + a + s * static_cast<double>(i));
        }
    });
    return out;
}
const Op<Tensor(const Scalar&, const Scalar&, const Scalar&, DType, Device)> arange_on{
    "_arange(Scalar start, Scalar end, Scalar step, dtype dtype, device device) -> Tensor", "p",
    arange_body, ""};
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype) {
    return arange_on(start, end, step, dtype, kCPU);
}

static Tensor linspace_body(const Scalar& start, const Scalar& end, int64_t steps, DType dtype,
                            Device device) {
    check<RuntimeError>(steps >= 0, "linspace: number of steps must be non-negative, got ", steps);
    check<NotImplementedError>(dtype != DType::Bool, "linspace: not implemented for bool");
    bool complex_ends = start.kind() == Scalar::Complex || end.kind() == Scalar::Complex;
    check<RuntimeError>(is_complex(dtype) || !complex_ends, "linspace: the ends ", start, " and ",
                        end, " cannot be converted to ", dtype, " without overflow");
    Tensor out = kagari::empty(Dims{steps}, dtype, device);
    if (out.is_meta()) return out;
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        // counted from both ends, so that the last element is `end` exactly; ends and step have
        // the dtype of the result, but steps between integers have fractions
        constexpr bool whole = std::is_integral_v<T>, half = sizeof(T) == 2 && !whole;
        using S = std::conditional_t<whole, double, std::conditional_t<half, float, T>>;
        auto rounded = [](S value) { return half ? convert<S>(convert<T>(value)) : value; };
        S a = rounded(start.to<S>()), b = rounded(end.to<S>());
        if constexpr (whole) a = std::trunc(a), b = std::trunc(b);
        S step = steps > 1 ? rounded((b - a) / S(static_cast<double>(steps - 1))) : S(0);
        T* data = out.data<T>();
        for (int64_t i = 0; i < steps; ++i) {
            S v = i < steps / 2 || steps == 1 ? a + step * S(static_cast<double>(i))
                                              : b - step * S(static_cast<double>(steps - i - 1));
            data[i] = convert<T>(v);
        }
    });
    return out;
}
const Op<Tensor(const Scalar&, const Scalar&, int64_t, DType, Device)> linspace{
    "_linspace(Scalar start, Scalar end, int steps, dtype dtype, device device) -> Tensor", "p",
    linspace_body, ""};

static Tensor eye_body(int64_t rows, int64_t cols, DType dtype, Device device) {
    check<RuntimeError>(rows >= 0 && cols >= 0, "eye: n and m must be greater or equal to 0, got ",
                        rows, " and ", cols);
    Tensor out = zeros(Dims{rows, cols}, dtype, device);
    fill(raw_view(out, Dims{std::min(rows, cols)}, Dims{cols + 1}, 0), 1);
    return out;
}
static const Op<Tensor(int64_t, int64_t, DType, Device)> eye_op{
    "_eye(int n, int m, dtype dtype, device device) -> Tensor", "p", eye_body, ""};

}  // namespace kagari::ops
