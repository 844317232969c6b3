// Average pooling over fixed and adaptive windows. It is linear: forward and backward are each
// other's derivative, to any order.
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/views.h"
#include "ops/nn/channels_last.h"
#include "ops/nn/pool_shape.h"
#include "runtime/parallel.h"
#include "tensor/batch.h"

namespace kagari::ops {
namespace {

constexpr int64_t kUnlockElements = 1 << 16;  // about 20 microseconds of adding

Tensor averaged(const char* name, const cpu::Pool& plan, const Tensor& input, IntSpan sizes);
Tensor spread(const char* name, const cpu::Pool& plan, const Tensor& grad, IntSpan sizes);

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

/// `f`, averaged or spread, for all samples of a batched `t`: they are more planes.
Tensor for_samples(decltype(averaged)* f, const char* name, cpu::Pool plan, const Tensor& t,
                   IntSpan sizes) {
    const BatchSlot& batch = *batch_of(t);
    int64_t count = batch.value.size(0);
    Dims from(batch.value.sizes()), to{count};
    for (int64_t s : sizes) to.push_back(s);
    plan.planes *= count;
    Dims rows(IntSpan(from).last(from.size() - 1)), result(sizes);
    rows[0] *= count;
    result[0] *= count;
    Tensor out = f(name, plan, reshape(batch.value, rows), result);
    return make_batched(reshape(out, to), batch.level);
}

Tensor averaged(const char* name, const cpu::Pool& plan, const Tensor& input, IntSpan sizes) {
    if (batch_of(input)) return for_samples(averaged, name, plan, input, sizes);
    Tensor out = empty_in_format(sizes, input);
    compute(plan, input, out, cpu::average_pool);
    if (should_record(input))
        record(name, {out}, {input}, {},
               [name, plan, sizes = Dims(input.sizes())](Backward& ctx) -> Tensors {
                   return {spread(name, plan, ctx.grad(), sizes)};
               });
    return out;
}

Tensor spread(const char* name, const cpu::Pool& plan, const Tensor& grad, IntSpan sizes) {
    if (batch_of(grad)) return for_samples(spread, name, plan, grad, sizes);
    Tensor out = empty_in_format(sizes, grad);
    compute(plan, grad, out, cpu::average_pool_backward);
    if (should_record(grad))
        record(name, {out}, {grad}, {},
               [name, plan, sizes = Dims(grad.sizes())](Backward& ctx) -> Tensors {
                   return {averaged(name, plan, ctx.grad(), sizes)};
               });
    return out;
}

template <int N>
Tensor average_body(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding,
                    bool ceil_mode, bool count_include_pad, std::optional<int64_t> divisor) {
    constexpr const char* op = N == 1 ? "avg_pool1d" : N == 2 ? "avg_pool2d" : "avg_pool3d";
    constexpr const char* node = N == 1   ? "AvgPool1DBackward0"
                                 : N == 2 ? "AvgPool2DBackward0"
                                          : "AvgPool3DBackward0";
    check<RuntimeError>(!divisor || *divisor != 0, op, ": divisor must be not zero");
    Dims one{1};
    cpu::Pool plan = pool_plan(op, input, N, {kernel, stride, padding, one, ceil_mode});
    plan.count_padding = count_include_pad;
    plan.divisor = divisor.value_or(0);
    return averaged(node, plan, input, pool_output_size(input, N, plan));
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
    constexpr const char* node = N == 1   ? "AdaptiveAvgPool1DBackward0"
                                 : N == 2 ? "AdaptiveAvgPool2DBackward0"
                                          : "AdaptiveAvgPool3DBackward0";
    Dims sizes = output_size.size() == 1 ? Dims(size_t(N), output_size[0]) : Dims(output_size);
    check<RuntimeError>(sizes.size() == N, op, ": output_size must be ", N, " numbers");
    cpu::Pool plan = adaptive_pool_plan(op, input, sizes);
    return averaged(node, plan, input, pool_output_size(input, N, plan));
}

const Op<Tensor(const Tensor&, IntSpan, IntSpan, IntSpan, bool, bool)> avg_pool1d{
    "avg_pool1d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, bool "
    "ceil_mode=False, bool count_include_pad=True) -> Tensor",
    "f", average1d_body, "Means over windows of the last dimension."};

#define KAGARI_AVERAGE_POOL(n)                                                                     \
    const Op<Tensor(const Tensor&, IntSpan, IntSpan, IntSpan, bool, bool, std::optional<int64_t>)> \
        avg_pool##n##d{                                                                            \
            "avg_pool" #n                                                                          \
            "d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "                \
            "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) "      \
            "-> Tensor",                                                                           \
            "f", average_body<n>, "Means over windows of the last " #n " dimensions."}
KAGARI_AVERAGE_POOL(2);
KAGARI_AVERAGE_POOL(3);

#define KAGARI_ADAPTIVE_POOL(n)                                                     \
    const Op<Tensor(const Tensor&, IntSpan)> adaptive_avg_pool##n##d{               \
        "adaptive_avg_pool" #n "d(Tensor input, int[] output_size) -> Tensor", "f", \
        adaptive_body<n>,                                                           \
        "Means over as many windows of the last " #n " dimensions as output_size says."}
KAGARI_ADAPTIVE_POOL(1);
KAGARI_ADAPTIVE_POOL(2);
KAGARI_ADAPTIVE_POOL(3);

}  // namespace
}  // namespace kagari::ops
