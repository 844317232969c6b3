// Maximum pooling with its gradients, which move values along the indices of the maxima.
// Averages are in pool_average.cpp.
#include "ops/nn/pool.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/nn/channels_last.h"
#include "ops/nn/pool_shape.h"
#include "runtime/parallel.h"

namespace kagari::ops {

using Pooled = std::tuple<Tensor, Tensor>;

static constexpr int64_t kUnlockElements = 1 << 16;  // about 20 microseconds of comparing

// Kernels read and write row-major planes; `out` may have another layout.
static Tensor row_major_like(const Tensor& out) {
    return out.is_contiguous() ? out : empty(out.sizes(), out.dtype());
}

static void finish(const Tensor& out, const Tensor& written) {
    if (!written.is(out)) copy_elements(out, written);
}

static void compute_max(const cpu::Pool& plan, const Tensor& input, const Tensor& values,
                        const Tensor& indices) {
    Tensor x = raw_contiguous(input), v = row_major_like(values);
    Tensor i = indices.defined() ? row_major_like(indices) : Tensor();
    {
        Unlocked unlocked(x.numel() > kUnlockElements);
        cpu::max_pool(plan, x.data(), v.data(), i.defined() ? i.data<int64_t>() : nullptr);
    }
    finish(values, v);
    if (i.defined()) finish(indices, i);
}

// The one body of all maximum pooling; indices are made when asked for or needed for gradients.
static Pooled max_pooled(const char* name, const cpu::Pool& plan, const Tensor& input,
                         int64_t spatial, bool with_indices) {
    Dims sizes = pool_output_size(input, spatial, plan);
    bool recorded = should_record(input);
    Tensor values = empty_in_format(sizes, input), indices;
    if (with_indices || recorded)
        indices = empty_strided(sizes, values.strides(), DType::I64, input.device());
    if (!input.is_meta() && values.numel()) compute_max(plan, input, values, indices);
    if (recorded)
        record(name, {values}, {input}, {indices},
               [in_sizes = Dims(input.sizes()), spatial](Backward& ctx) -> Tensors {
                   return {pool_scatter(ctx.grad(), ctx.saved(0), in_sizes, spatial)};
               });
    return {values, indices};
}

static int64_t plane_size(IntSpan sizes, int64_t spatial) {
    int64_t size = 1;
    for (int64_t d = 0; d < spatial; d++) size *= sizes[sizes.size() - 1 - size_t(d)];
    return size;
}

static Tensor pool_gather_body(const Tensor& input, const Tensor& indices, int64_t spatial) {
    Tensor out = empty_in_format(indices.sizes(), input);
    if (!input.is_meta() && out.numel()) {
        Tensor x = raw_contiguous(input), at = raw_contiguous(indices), v = row_major_like(out);
        int64_t count = plane_size(at.sizes(), spatial);
        cpu::gather_planes(x.dtype(), at.numel() / count, count, plane_size(x.sizes(), spatial),
                           x.data(), at.data<int64_t>(), v.data());
        finish(out, v);
    }
    if (should_record(input))
        record("MaxPoolBackwardBackward0", {out}, {input}, {indices},
               [sizes = Dims(input.sizes()), spatial](Backward& ctx) -> Tensors {
                   return {pool_scatter(ctx.grad(), ctx.saved(0), sizes, spatial)};
               });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&, int64_t)> pool_gather{
    "_pool_gather(Tensor input, Tensor indices, int spatial) -> Tensor", "p", pool_gather_body, ""};

static Tensor pool_scatter_body(const Tensor& values, const Tensor& indices, IntSpan sizes,
                                int64_t spatial) {
    Tensor out = empty_in_format(sizes, values);
    if (!values.is_meta() && out.numel()) {
        Tensor v = raw_contiguous(values), at = raw_contiguous(indices), to = row_major_like(out);
        int64_t size = plane_size(sizes, spatial), count = plane_size(at.sizes(), spatial);
        Unlocked unlocked(out.numel() > kUnlockElements);
        cpu::scatter_planes(v.dtype(), out.numel() / size, count, size, v.data(),
                            at.data<int64_t>(), to.data());
        finish(out, to);
    }
    if (should_record(values))
        record("MaxPoolBackward0", {out}, {values}, {indices}, [spatial](Backward& ctx) -> Tensors {
            return {pool_gather(ctx.grad(), ctx.saved(0), spatial)};
        });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&, IntSpan, int64_t)> pool_scatter{
    "_pool_scatter(Tensor values, Tensor indices, int[] sizes, int spatial) -> Tensor", "p",
    pool_scatter_body, ""};

template <int N>
inline constexpr const char* kMaxName = N == 1   ? "max_pool1d"
                                        : N == 2 ? "max_pool2d"
                                                 : "max_pool3d";
template <int N>
inline constexpr const char* kMaxNode = N == 1   ? "MaxPool1DWithIndicesBackward0"
                                        : N == 2 ? "MaxPool2DWithIndicesBackward0"
                                                 : "MaxPool3DWithIndicesBackward0";
template <int N>
inline constexpr const char* kAdaptiveNode = N == 1   ? "AdaptiveMaxPool1DBackward0"
                                             : N == 2 ? "AdaptiveMaxPool2DBackward0"
                                                      : "AdaptiveMaxPool3DBackward0";

template <int N>
static Pooled max_indices_body(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding,
                               IntSpan dilation, bool ceil_mode) {
    PoolWindow w{kernel, stride, padding, dilation, ceil_mode};
    return max_pooled(kMaxNode<N>, pool_plan(kMaxName<N>, input, N, w), input, N, true);
}

template <int N>
static Tensor max_body(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding,
                       IntSpan dilation, bool ceil_mode) {
    PoolWindow w{kernel, stride, padding, dilation, ceil_mode};
    return std::get<0>(
        max_pooled(kMaxNode<N>, pool_plan(kMaxName<N>, input, N, w), input, N, false));
}

template <int N>
static Pooled adaptive_body(const Tensor& input, IntSpan output_size) {
    constexpr const char* op = N == 1   ? "adaptive_max_pool1d"
                               : N == 2 ? "adaptive_max_pool2d"
                                        : "adaptive_max_pool3d";
    Dims sizes = output_size.size() == 1 ? Dims(size_t(N), output_size[0]) : Dims(output_size);
    check<RuntimeError>(sizes.size() == N, op, ": internal error: output_size.size() must be ", N);
    return max_pooled(kAdaptiveNode<N>, adaptive_pool_plan(op, input, sizes), input, N, true);
}

#define KAGARI_MAX_POOL(n)                                                                      \
    static const Op<Tensor(const Tensor&, IntSpan, IntSpan, IntSpan, IntSpan, bool)>            \
        max_pool##n##d{"max_pool" #n                                                            \
                       "d(Tensor input, int[] kernel_size, int[] stride=[], int[] padding=0, "  \
                       "int[] dilation=1, bool ceil_mode=False) -> Tensor",                     \
                       "f", max_body<n>, "Maxima over windows of the last " #n " dimensions."}; \
    static const Op<Pooled(const Tensor&, IntSpan, IntSpan, IntSpan, IntSpan, bool)>            \
        max_pool##n##d_with_indices{                                                            \
            "max_pool" #n                                                                       \
            "d_with_indices(Tensor input, int[] kernel_size, int[] stride=[], "                 \
            "int[] padding=0, int[] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",     \
            "f", max_indices_body<n>,                                                           \
            "Maxima over windows of the last " #n " dimensions, and where they were."};         \
    static const Op<Pooled(const Tensor&, IntSpan)> adaptive_max_pool##n##d{                    \
        "adaptive_max_pool" #n "d(Tensor input, int[] output_size) -> (Tensor, Tensor)", "f",   \
        adaptive_body<n>,                                                                       \
        "Maxima over as many windows of the last " #n " dimensions as output_size says."}
KAGARI_MAX_POOL(1);
KAGARI_MAX_POOL(2);
KAGARI_MAX_POOL(3);

}  // namespace kagari::ops
