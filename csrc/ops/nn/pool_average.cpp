// Average pooling over fixed and adaptive windows. It is linear: forward and backward are each
// other's derivative, to any order.
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/nn/channels_last.h"
#include "ops/nn/pool_shape.h"
#include "ops/op.h"
#include "runtime/parallel.h"

namespace kagari::ops {
namespace {

constexpr int64_t kUnlockElements = 1 << 16;  // about 20 microseconds of adding

using AverageOp = Op<Tensor(const Tensor&, IntSpan, IntSpan)>;
extern const AverageOp average, spread;

/// What averages, and over how many dimensions: the number under which it is recorded.
constexpr const char* kNodes[] = {"AvgPool1DBackward0",         "AvgPool2DBackward0",
                                  "AvgPool3DBackward0",         "AdaptiveAvgPool1DBackward0",
                                  "AdaptiveAvgPool2DBackward0", "AdaptiveAvgPool3DBackward0"};

/// A plan as numbers, which an op can have as an argument.
Dims packed(int64_t kind, const cpu::Pool& plan) {
    Dims numbers{kind, plan.count_padding, plan.divisor};
    for (const cpu::PoolAxis& a : plan.axes)
        for (int64_t n : {a.in, a.out, a.kernel, a.stride, a.padding, a.dilation,
                          static_cast<int64_t>(a.adaptive)})
            numbers.push_back(n);
    return numbers;
}

cpu::Pool unpacked(IntSpan numbers, const Tensor& t, bool averaged) {
    check<RuntimeError>(numbers.size() == 24, "_average_pool: expected a plan of 24 numbers");
    cpu::Pool plan;
    plan.dtype = t.dtype();
    plan.count_padding = numbers[1] != 0;
    plan.divisor = numbers[2];
    const int64_t* at = numbers.data() + 3;
    for (cpu::PoolAxis& a : plan.axes) {
        a = {at[0], at[1], at[2], at[3], at[4], at[5], at[6] != 0};
        at += 7;
    }
    plan.planes = t.numel() / std::max<int64_t>(1, averaged ? plan.in_size() : plan.out_size());
    return plan;
}

void compute(const cpu::Pool& plan, const Tensor& from, const Tensor& to,
             void (*kernel)(const cpu::Pool&, const void*, void*)) {
    if (from.is_meta() || to.numel() == 0) return;
    Tensor x = raw_contiguous(from);
    Tensor out = to.is_contiguous() ? to : empty(to.sizes(), to.dtype());
    {
        Unlocked unlocked(plan.planes * plan.in_size() > kUnlockElements);
        kernel(plan, x.data(), out.data());
    }
    if (!out.is(to)) copy_elements(to, out);
}

template <bool kAverage>
Tensor linear_body(const Tensor& from, IntSpan sizes, IntSpan plan) {
    Tensor out = empty_in_format(sizes, from);
    compute(unpacked(plan, from, kAverage), from, out,
            kAverage ? cpu::average_pool : cpu::average_pool_backward);
    if (should_record(from))
        record(kNodes[plan[0]], {out}, {from}, {},
               [plan = Dims(plan), sizes = Dims(from.sizes())](Backward& ctx) -> Tensors {
                   return {(kAverage ? spread : average)(ctx.grad(), sizes, plan)};
               });
    return out;
}
const AverageOp average{"_average_pool(Tensor input, int[] sizes, int[] plan) -> Tensor", "p",
                        linear_body<true>, ""};
const AverageOp spread{"_average_pool_backward(Tensor grad, int[] sizes, int[] plan) -> Tensor",
                       "p", linear_body<false>, ""};

template <int N>
Tensor average_body(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding,
                    bool ceil_mode, bool count_include_pad, std::optional<int64_t> divisor) {
    constexpr const char* op = N == 1 ? "avg_pool1d" : N == 2 ? "avg_pool2d" : "avg_pool3d";
    check<RuntimeError>(!divisor || *divisor != 0, op, ": divisor must be not zero");
    Dims one{1};
    cpu::Pool plan = pool_plan(op, input, N, {kernel, stride, padding, one, ceil_mode});
    plan.count_padding = count_include_pad;
    plan.divisor = divisor.value_or(0);
    return average(input, pool_output_size(input, N, plan), packed(N - 1, plan));
}

Tensor average1d_body(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding,
                      bool ceil_mode, bool count_include_pad) {
    return average_body<1>(input, kernel, stride, padding, ceil_mode, count_include_pad, {});
}

template <int N>
Tensor adaptive_body(const Tensor& input, IntSpan output_size) {
    constexpr const char* op = N == 1   ? "adaptive_avg_pool1d"
                               : N == 2 ? "adaptive_avg_pool2d"
                                        : "adaptive_avg_pool3d";
    Dims sizes = output_size.size() == 1 ? Dims(size_t(N), output_size[0]) : Dims(output_size);
    check<RuntimeError>(sizes.size() == N, op, ": output_size must be ", N, " numbers");
    cpu::Pool plan = adaptive_pool_plan(op, input, sizes);
    return average(input, pool_output_size(input, N, plan), packed(N + 2, plan));
}

const Op<Tensor(const Tensor&, IntSpan, IntSpan, IntSpan, bool, bool)> avg_pool1d{
    "avg_pool1d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, bool "
    "ceil_mode=False, bool count_include_pad=True) -> Tensor",
    "fb", average1d_body, "Means over windows of the last dimension."};

#define KAGARI_AVERAGE_POOL(n)                                                                     \
    const Op<Tensor(const Tensor&, IntSpan, IntSpan, IntSpan, bool, bool, std::optional<int64_t>)> \
        avg_pool##n##d{                                                                            \
            "avg_pool" #n                                                                          \
            "d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "                \
            "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) "      \
            "-> Tensor",                                                                           \
            "fOb", average_body<n>, "Means over windows of the last " #n " dimensions."}
KAGARI_AVERAGE_POOL(2);
KAGARI_AVERAGE_POOL(3);

#define KAGARI_ADAPTIVE_POOL(n)                                                      \
    const Op<Tensor(const Tensor&, IntSpan)> adaptive_avg_pool##n##d{                \
        "adaptive_avg_pool" #n "d(Tensor input, int[] output_size) -> Tensor", "fb", \
        adaptive_body<n>,                                                            \
        "Means over as many windows of the last " #n " dimensions as output_size says."}
KAGARI_ADAPTIVE_POOL(1);
KAGARI_ADAPTIVE_POOL(2);
KAGARI_ADAPTIVE_POOL(3);

}  // namespace
}  // namespace kagari::ops
