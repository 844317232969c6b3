// Convolutions: result, kernel call and gradients. The gradient with respect to the input of one
// kind is a convolution of the other kind; that with respect to the weight is an op of its own, so
// that it can be differentiated again.
#include "ops/nn/conv.h"

#include <algorithm>

#include "autograd/record.h"
#include "cpu/conv.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/pad.h"
#include "ops/movement/views.h"
#include "ops/nn/channels_last.h"
#include "ops/nn/conv_shape.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"
#include "runtime/parallel.h"

namespace kagari::ops {

static constexpr int64_t kUnlockMacs = 1 << 19;  // about 20 microseconds of multiplying

static Tensor result(IntSpan sizes, const Tensor& input, const Tensor& weight) {
    return empty_in_format(sizes, is_channels_last(input) ? input : weight);
}

static bool any_strides(DType t) { return t == DType::F32 || t == DType::BF16; }

// What the kernels read: oneDNN takes any layout without holes, the rest row-major.
static Tensor readable(const Tensor& t) {
    bool ready = any_strides(t.dtype()) ? is_dense(t) : t.is_contiguous();
    return ready ? t : raw_contiguous(t);
}

// `image` is the input of the plain convolution, `features` its result.
static cpu::Conv describe(const Tensor& image, const Tensor& weight, const Tensor& features,
                          const ConvWindow& w) {
    cpu::Conv c;
    c.dtype = image.dtype();
    c.spatial = int(w.stride.size());
    c.batch = image.sizes()[0], c.groups = w.groups;
    c.in_channels = image.sizes()[1], c.out_channels = features.sizes()[1];
    for (int d = 0; d < c.spatial; d++) {
        c.in[d] = image.sizes()[2 + d], c.out[d] = features.sizes()[2 + d];
        c.kernel[d] = weight.sizes()[2 + d];
        c.stride[d] = w.stride[d], c.dilation[d] = w.dilation[d], c.padding[d] = w.padding[d];
    }
    for (int d = 0; d < c.spatial + 2; d++) {
        c.in_strides[d] = image.strides()[d], c.out_strides[d] = features.strides()[d];
        c.weight_strides[d] = weight.strides()[d];
    }
    return c;
}

static Tensor per_channel(const Tensor& bias, size_t spatial) {
    Dims sizes(spatial + 2, 1);
    sizes[1] = bias.numel();
    Tensor row_major = raw_contiguous(bias);
    return raw_view(row_major, sizes, contiguous_strides(sizes), row_major.offset());
}

// Runs `kernel(conv, image, weight, features)`; float16 is computed in float32.
static void compute(const Tensor& out, const Tensor& input, const Tensor& weight,
                    const Tensor& bias, const ConvWindow& w) {
    if (out.dtype() == DType::F16) {
        Tensor wide = empty(out.sizes(), DType::F32);
        Tensor b = bias.defined() ? raw_contiguous(bias, DType::F32) : bias;
        compute(wide, raw_contiguous(input, DType::F32), raw_contiguous(weight, DType::F32), b, w);
        return copy_elements(out, wide);
    }
    if (input.numel() == 0 || weight.numel() == 0) {
        fill(out, 0);
        if (bias.defined()) add.into(out, out, per_channel(bias, w.stride.size()));
        return;
    }
    Tensor x = readable(input), k = readable(weight), b = bias;
    Tensor target =
        any_strides(out.dtype()) || out.is_contiguous() ? out : empty(out.sizes(), out.dtype());
    cpu::Conv conv = w.transposed ? describe(target, k, x, w) : describe(x, k, target, w);
    if (b.defined()) b = raw_contiguous(b);
    {
        Unlocked unlocked(conv.macs() > kUnlockMacs);
        if (w.transposed)
            cpu::conv_backward_input(conv, x.data(), k.data(), target.data());
        else
            cpu::conv_forward(conv, x.data(), k.data(), b.defined() ? b.data() : nullptr,
                              target.data());
    }
    if (w.transposed && b.defined()) add.into(target, target, per_channel(b, w.stride.size()));
    if (!target.is(out)) copy_elements(out, target);
}

static Tensor bias_gradient(const Tensor& grad) {
    Dims dims{0};
    for (int64_t d = 2; d < grad.dim(); d++) dims.push_back(d);
    return sum(grad, dims, false, {});
}

// The windows of a convolution that `sizes` has; output_padding may make room for more.
static Tensor windows_of(Tensor t, IntSpan sizes) {
    for (size_t d = 2; d < sizes.size(); d++)
        if (t.sizes()[d] > sizes[d]) t = narrow(t, int64_t(d), 0, sizes[d]);
    return t;
}

static Tensor input_gradient(const Tensor& grad, const Tensor& weight, const ConvWindow& w,
                             IntSpan sizes) {
    Dims none(w.stride.size());
    if (w.transposed)
        return windows_of(
            convolution(grad, weight, {}, w.stride, w.padding, w.dilation, false, none, w.groups),
            sizes);
    Dims missing = missing_output(sizes, grad.sizes(), weight.sizes(), w);
    return convolution(grad, weight, {}, w.stride, w.padding, w.dilation, true, missing, w.groups);
}

static Tensor weight_gradient(const Tensor& input, const Tensor& grad, IntSpan sizes,
                              const ConvWindow& w) {
    if (w.transposed)
        return conv_weight_gradient(grad, conjugate(input), sizes, w.stride, w.padding, w.dilation,
                                    w.groups);
    return conv_weight_gradient(conjugate(input), grad, sizes, w.stride, w.padding, w.dilation,
                                w.groups);
}

static Tensor convolution_batched(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                  const ConvWindow& w) {
    check_conv(input, weight, bias, w);
    Tensor out = result(conv_output_size(input.sizes(), weight.sizes(), w), input, weight);
    if (!out.is_meta() && out.numel()) compute(out, input, weight, bias, w);
    if (should_record(input, weight, bias))
        record("ConvolutionBackward0", {out},
               bias.defined() ? Tensors{input, weight, bias} : Tensors{input, weight},
               {input, weight}, [w, with_bias = bias.defined()](Backward& ctx) -> Tensors {
                   Tensor gx, gw, x = ctx.saved(0), weight = ctx.saved(1);
                   if (ctx.needs(0))
                       gx = input_gradient(ctx.grad(), conjugate(weight), w, x.sizes());
                   if (ctx.needs(1)) gw = weight_gradient(x, ctx.grad(), weight.sizes(), w);
                   if (!with_bias) return {gx, gw};
                   return {gx, gw, ctx.needs(2) ? bias_gradient(ctx.grad()) : Tensor()};
               });
    return out;
}

static Tensor convolution_body(const Tensor& input, const Tensor& weight,
                               const std::optional<Tensor>& bias, IntSpan stride, IntSpan padding,
                               IntSpan dilation, bool transposed, IntSpan output_padding,
                               int64_t groups) {
    check<RuntimeError>(weight.dim() >= 3,
                        "convolution: expected weight to have 3 to 5 dimensions, ", "got size ",
                        weight.sizes());
    size_t spatial = weight.sizes().size() - 2;
    ConvWindow w =
        conv_window(spatial, stride, padding, dilation, transposed, output_padding, groups);
    Tensor b = bias.value_or(Tensor());
    if (input.dim() + 1 == weight.dim())
        return squeeze(convolution_batched(unsqueeze(input, 0), weight, b, w), Dims{0});
    return convolution_batched(input, weight, b, w);
}
const Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntSpan, IntSpan,
                IntSpan, bool, IntSpan, int64_t)>
    convolution{
        "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, "
        "int[] dilation, bool transposed, int[] output_padding, int groups) -> Tensor",
        "f", convolution_body, "A convolution of one to three dimensions, plain or transposed."};

static void compute_weight_gradient(const Tensor& out, const Tensor& input, const Tensor& grad,
                                    const ConvWindow& w) {
    if (out.dtype() == DType::F16) {
        Tensor wide = empty(out.sizes(), DType::F32);
        compute_weight_gradient(wide, raw_contiguous(input, DType::F32),
                                raw_contiguous(grad, DType::F32), w);
        return copy_elements(out, wide);
    }
    if (input.numel() == 0 || grad.numel() == 0) return fill(out, 0);
    Tensor x = readable(input), g = readable(grad);
    cpu::Conv conv = describe(x, out, g, w);
    Unlocked unlocked(conv.macs() > kUnlockMacs);
    cpu::conv_backward_weight(conv, x.data(), g.data(), out.data());
}

static Tensor conv_weight_gradient_body(const Tensor& input, const Tensor& grad, IntSpan size,
                                        IntSpan stride, IntSpan padding, IntSpan dilation,
                                        int64_t groups) {
    size_t spatial = size.size() - 2;
    ConvWindow w = conv_window(spatial, stride, padding, dilation, false, Dims{0}, groups);
    check<RuntimeError>(input.dtype() == grad.dtype(), "convolution: the gradient's dtype ",
                        name(grad.dtype()), " must be the input's, ", name(input.dtype()));
    Tensor out = empty(size, input.dtype(), input.device());
    if (!out.is_meta() && out.numel()) compute_weight_gradient(out, input, grad, w);
    if (should_record(input, grad))
        record("ConvolutionBackwardBackward0", {out}, {input, grad}, {input, grad},
               [w](Backward& ctx) -> Tensors {
                   Tensor gx, gg, x = ctx.saved(0), g = ctx.saved(1);
                   if (ctx.needs(0)) gx = input_gradient(conjugate(g), ctx.grad(), w, x.sizes());
                   if (ctx.needs(1))
                       gg =
                           windows_of(convolution(conjugate(x), ctx.grad(), {}, w.stride, w.padding,
                                                  w.dilation, false, w.output_padding, w.groups),
                                      g.sizes());
                   return {gx, gg};
               });
    return out;
}
const Op<Tensor(const Tensor&, const Tensor&, IntSpan, IntSpan, IntSpan, IntSpan, int64_t)>
    conv_weight_gradient{
        "_conv_weight_gradient(Tensor input, Tensor grad, int[] weight_size, int[] "
        "stride, int[] padding, int[] dilation, int groups) -> Tensor",
        "p", conv_weight_gradient_body, ""};

template <int N>
static void check_rank(const Tensor& input, const Tensor& weight) {
    check<RuntimeError>(input.dim() == N + 1 || input.dim() == N + 2, "conv", N, "d: Expected ",
                        N + 1, "D (unbatched) or ", N + 2, "D (batched) input to conv", N,
                        "d, but got input of size: ", input.sizes());
    check<RuntimeError>(weight.dim() == N + 2, "conv", N, "d: expected weight to have ", N + 2,
                        " dimensions, but got size ", weight.sizes());
}

using ConvOp = Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, IntSpan,
                         IntSpan, IntSpan, int64_t)>;
template <int N>
static Tensor plain_body(const Tensor& input, const Tensor& weight,
                         const std::optional<Tensor>& bias, IntSpan stride, IntSpan padding,
                         IntSpan dilation, int64_t groups) {
    check_rank<N>(input, weight);
    return convolution(input, weight, bias, stride, padding, dilation, false, Dims{0}, groups);
}
/// As plain_body, with the padding by name: as much as keeps the size, or none.
template <int N>
static Tensor named_padding_body(const Tensor& given, const Tensor& weight,
                                 const std::optional<Tensor>& bias, IntSpan stride,
                                 const std::string& padding, IntSpan dilation, int64_t groups) {
    check_rank<N>(given, weight);
    check<RuntimeError>(padding == "same" || padding == "valid", "conv", N,
                        "d: Invalid padding string: '", padding,
                        "'; expected integers, 'same' or 'valid'");
    if (padding == "valid")
        return plain_body<N>(given, weight, bias, stride, Dims{0}, dilation, groups);
    for (int64_t s : stride)
        check<RuntimeError>(s == 1, "conv", N,
                            "d: padding='same' is not supported for strided convolutions, got "
                            "stride ",
                            stride);
    check<RuntimeError>(dilation.size() == 1 || dilation.size() == N, "conv", N,
                        "d: dilation: expected 1 or ", N, " numbers, got ", dilation);
    Dims half, sides;  // sides: what is added at the end, last dimension first
    for (size_t d = 0; d < N; ++d) {
        int64_t total = dilation[dilation.size() == 1 ? 0 : d] * (weight.sizes()[d + 2] - 1);
        half.push_back(total / 2);
        sides.insert(size_t{0}, total % 2);
        sides.insert(size_t{0}, int64_t{0});
    }
    bool odd = std::any_of(sides.begin(), sides.end(), [](int64_t s) { return s != 0; });
    Tensor input = odd ? pad(given, sides, "constant", {}) : given;
    return plain_body<N>(input, weight, bias, stride, half, dilation, groups);
}

using NamedPaddingOp = Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                                 IntSpan, const std::string&, IntSpan, int64_t)>;
#define KAGARI_CONV(n)                                                              \
    static const ConvOp conv##n##d{                                                 \
        "conv" #n                                                                   \
        "d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] "  \
        "padding=0, int[] dilation=1, int groups=1) -> Tensor",                     \
        "f", plain_body<n>, "A convolution over the last " #n " dimensions."};      \
    static const NamedPaddingOp conv##n##d_padding{                                 \
        "conv" #n                                                                   \
        "d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[] "          \
        "stride=1, str padding='valid', int[] dilation=1, int groups=1) -> Tensor", \
        "fb", named_padding_body<n>, ""}
KAGARI_CONV(1);
KAGARI_CONV(2);
KAGARI_CONV(3);

using ConvTransposeOp = Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&,
                                  IntSpan, IntSpan, IntSpan, int64_t, IntSpan)>;
template <int N>
static Tensor transposed_body(const Tensor& input, const Tensor& weight,
                              const std::optional<Tensor>& bias, IntSpan stride, IntSpan padding,
                              IntSpan output_padding, int64_t groups, IntSpan dilation) {
    check_rank<N>(input, weight);
    return convolution(input, weight, bias, stride, padding, dilation, true, output_padding,
                       groups);
}
#define KAGARI_CONV_TRANSPOSE(n)                                                              \
    static const ConvTransposeOp conv_transpose##n##d{                                        \
        "conv_transpose" #n                                                                   \
        "d(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, "                  \
        "int[] padding=0, int[] output_padding=0, int groups=1, int[] dilation=1) -> Tensor", \
        "f", transposed_body<n>, "The gradient of conv" #n "d with respect to its input."}
KAGARI_CONV_TRANSPOSE(1);
KAGARI_CONV_TRANSPOSE(2);
KAGARI_CONV_TRANSPOSE(3);

}  // namespace kagari::ops
