// Normalisation of channels: batch_norm over the batch, group_norm within each sample. Both are a
// scale and a shift per channel; what the scale is made of is a few numbers, computed in float64.
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/nn/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/reduce_shape.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr Reduction kMeanVariance{"mean_variance", "dd", "ddd"};
constexpr Reduction kGradientSums{"gradient_sums", "dd", "dd"};
constexpr RowKernels kScaleShift{"scale_shift"}, kScaleShiftTwo{"scale_shift_two"};

DType compute_dtype(DType t) { return is_half(t) ? DType::F32 : t; }

/// The stride of all dimensions beyond the second taken as one; none if they are no single run.
std::optional<int64_t> spatial_stride(const Tensor& t) {
    int64_t size = 1, step = 1;
    for (int64_t i = t.dim() - 1; i >= 2; --i) {
        if (t.sizes()[i] == 1) continue;  // its stride means nothing
        if (size == 1)
            step = t.strides()[i];
        else if (t.strides()[i] != size * step)
            return std::nullopt;
        size *= t.sizes()[i];
    }
    return step;
}

/// (N, C, S): samples, channels, all that is beyond them. A view where strides allow it.
Tensor as_channels(const Tensor& t) {
    std::optional<int64_t> step = spatial_stride(t);
    if (!step) return as_channels(raw_contiguous(t));
    int64_t size = 1;
    for (int64_t i = 2; i < t.dim(); ++i) size *= t.sizes()[i];
    return raw_view(t, Dims{t.sizes()[0], t.sizes()[1], size},
                    Dims{t.strides()[0], t.strides()[1], *step}, t.offset());
}

/// A result of the sizes of `x` that can be written to as (N, C, S), in its layout if possible.
Tensor channels_like(const Tensor& x) {
    Tensor out = empty_like(x);
    return spatial_stride(out) ? out : empty(x.sizes(), x.dtype());
}

/// The same values in the strides of `like`.
Tensor with_strides_of(const Tensor& t, const Tensor& like) {
    if (same_sizes(t.strides(), like.strides()) && t.dtype() == like.dtype()) return t;
    Tensor out = empty_strided(like.sizes(), like.strides(), like.dtype());
    copy_elements(out, t);
    return out;
}

/// A parameter in float64; empty if there is none.
std::vector<double> numbers(const OptionalTensor& t) {
    if (!t) return {};
    Tensor wide = raw_contiguous(*t, DType::F64);
    return {wide.data<double>(), wide.data<double>() + wide.numel()};
}
std::vector<double> numbers(const Tensor& t) { return numbers(OptionalTensor(t)); }

/// Numbers per sample and channel, as a kernel reads them. `samples` 1: the same for all.
Tensor per_channel(const std::vector<double>& values, int64_t samples, int64_t channels,
                   DType dtype) {
    Tensor wide = empty(Dims{samples, channels}, DType::F64);
    std::copy(values.begin(), values.end(), wide.data<double>());
    return raw_contiguous(wide, compute_dtype(dtype));
}

/// Runs a kernel of per-channel coefficients: out from the inputs, all (N, C, S).
void run_channels(const RowKernels& kernels, const Tensor& out, const Tensors& inputs,
                  const Tensors& coefficients) {
    if (out.numel() == 0) return;
    int64_t dim = out.size(2) > 1 ? 2 : 0;
    RowWalk walk;
    walk.set_sizes_of(out, dim);
    walk.add(out, dim);
    for (const Tensor& t : inputs) walk.add(t, dim);
    for (const Tensor& t : coefficients) {
        int64_t sample = t.size(0) == 1 ? 0 : t.strides()[0];
        // Along samples a row value may not change: only shared coefficients go that way
        if (dim == 2)
            walk.add(t.data(), t.itemsize(), Dims{sample, 1}, 0);
        else
            walk.add(t.data(), t.itemsize(), Dims{1, 0}, 0);
    }
    walk.run(kernels(out.dtype()), 1);
}

void scale_shift(const Tensor& out, const Tensors& inputs, const std::vector<double>& scale,
                 const std::vector<double>& second, const std::vector<double>& shift) {
    int64_t channels = out.size(1);
    auto samples = static_cast<int64_t>(scale.size()) / std::max<int64_t>(1, channels);
    Tensors coefficients;
    for (const auto* values : {&scale, &second, &shift})
        if (!values->empty())
            coefficients.push_back(per_channel(*values, samples, channels, out.dtype()));
    Tensor to = out;
    Tensors from = inputs;
    if (samples > 1 && out.size(2) == 1)  // coefficients differ along samples: rows of one element
        to = raw_view(out, Dims{1, out.size(0) * channels, 1}, Dims{0, 1, 1}, out.offset());
    if (!to.is(out)) {
        for (Tensor& t : from)
            t = raw_view(raw_contiguous(t), to.sizes(), to.strides(), raw_contiguous(t).offset());
        for (Tensor& t : coefficients) t = raw_view(t, Dims{1, t.numel()}, Dims{0, 1}, t.offset());
    }
    run_channels(inputs.size() == 1 ? kScaleShift : kScaleShiftTwo, to, from, coefficients);
}

/// Sums over the reduced dimensions of grad and of grad * (x - mean), per kept element.
std::pair<std::vector<double>, std::vector<double>> gradient_sums(const Tensor& x,
                                                                  const Tensor& grad,
                                                                  const Tensor& mean,
                                                                  const Reduced& gone) {
    Tensors sums = kGradientSums(x, gone, false, 0, {grad}, {mean});
    return {numbers(sums[0]), numbers(sums[1])};
}

void check_channels(const Tensor& x, int64_t channels, const OptionalTensor& t, const char* name,
                    const char* op) {
    check<RuntimeError>(
        !t || (t->dim() == 1 && t->numel() == channels), op, "(): Expected ", name,
        " to be a vector of size equal to the number of channels in input, but got ", name,
        " of shape ", t ? t->sizes() : IntSpan(), " and input of shape ", x.sizes());
}

Tensor or_nothing(const OptionalTensor& t) { return t ? *t : Tensor(); }

OptionalTensor optional(const Backward& ctx, size_t i) {
    return ctx.has_saved(i) ? OptionalTensor(ctx.saved(i)) : std::nullopt;
}

/// 1-d of `channels`, to be broadcast against an input of this rank.
Tensor as_channel_shape(const Tensor& t, int64_t rank) {
    Dims sizes(rank, 1);
    sizes[1] = t.numel();
    return reshape(t, sizes);
}

// batch_norm

struct BatchNorm {
    double eps;
    bool training;  // by the statistics of the batch
    bool has_weight;

    /// The same by differentiable ops.
    Tensors composed_gradients(const Tensor& g, const Tensor& x, const OptionalTensor& weight,
                               const Tensor& mean, const Tensor& inverse) const {
        Dims dims;
        for (int64_t i = 0; i < x.dim(); ++i)
            if (i != 1) dims.push_back(i);
        Tensor middle = as_channel_shape(to(mean, compute_dtype(x.dtype())), x.dim());
        Tensor scale = as_channel_shape(to(inverse, compute_dtype(x.dtype())), x.dim());
        if (training) {
            auto [spread, found] = var_mean(x, dims, Scalar(0), true);
            middle = found;
            scale = rsqrt(add(spread, eps));
        }
        Tensor y = mul(sub(x, middle), scale);
        Tensor dw = sum(mul(g, y), dims, false, std::nullopt);
        Tensor db = sum(g, dims, false, std::nullopt);
        Tensor gw = weight ? mul(g, as_channel_shape(*weight, x.dim())) : g;
        Tensor rest = gw;
        if (training) {
            auto count = [&](const Tensor& t) { return ops::mean(t, dims, true, std::nullopt); };
            rest = sub(sub(gw, count(gw)), mul(y, count(mul(gw, y))));
        }
        return {to(mul(rest, scale), x.dtype()), dw, db};
    }

    Tensors gradients(Backward& ctx) const {
        Tensor x = ctx.saved(0), mean = ctx.saved(2), inverse = ctx.saved(3);
        OptionalTensor weight = has_weight ? optional(ctx, 1) : std::nullopt;
        if (composing()) return composed_gradients(ctx.grad(), x, weight, mean, inverse);
        Tensor in = as_channels(x), grad = with_strides_of(as_channels(ctx.grad()), in);
        int64_t channels = in.size(1);
        Tensor middle =
            raw_view(raw_contiguous(mean, compute_dtype(x.dtype())), in.sizes(), Dims{0, 1, 0}, 0);
        auto [sums, products] = gradient_sums(in, grad, middle, {true, false, true});
        std::vector<double> m = numbers(mean), inv = numbers(inverse), w = numbers(weight);
        auto count = static_cast<double>(in.size(0) * in.size(2));
        std::vector<double> of_grad(channels), of_input(channels), shift(channels);
        Tensor dw = empty(Dims{channels}, DType::F64), db = empty(Dims{channels}, DType::F64);
        for (int64_t c = 0; c < channels; ++c) {
            double scale = (w.empty() ? 1.0 : w[c]) * inv[c];
            of_grad[c] = scale;
            of_input[c] = -scale * inv[c] * inv[c] * products[c] / count;
            shift[c] = -scale * sums[c] / count - of_input[c] * m[c];
            dw.data<double>()[c] = products[c] * inv[c];
            db.data<double>()[c] = sums[c];
        }
        Tensor dx;
        if (ctx.needs(0)) {
            dx = channels_like(x);
            Tensor out = as_channels(dx);
            if (training)
                scale_shift(out, {grad, in}, of_grad, of_input, shift);
            else
                scale_shift(out, {grad}, of_grad, {}, std::vector<double>(channels, 0.0));
        }
        return {dx, dw, db};
    }
};

/// running = (1 - momentum) * running + momentum * value
void update_running(const OptionalTensor& running, const std::vector<double>& values,
                    double momentum) {
    if (!running) return;
    std::vector<double> mixed = numbers(running);
    for (size_t i = 0; i < mixed.size(); ++i)
        mixed[i] = (1 - momentum) * mixed[i] + momentum * values[i];
    copy_elements(*running,
                  reshape(per_channel(mixed, 1, static_cast<int64_t>(mixed.size()), DType::F64),
                          running->sizes()));
    running->bump_version();
}

struct Statistics {
    std::vector<double> mean, variance;
};

Statistics batch_statistics(const Tensor& in, const OptionalTensor& running_mean,
                            const OptionalTensor& running_var, bool training, double momentum) {
    if (!training) return {numbers(running_mean), numbers(running_var)};
    Tensors found = kMeanVariance(in, {true, false, true}, false);
    Statistics s{numbers(found[0]), numbers(found[1])};
    if (in.numel() == 0) return s;  // an empty batch says nothing of the running statistics
    update_running(running_mean, s.mean, momentum);
    auto count = static_cast<double>(in.size(0) * in.size(2));
    std::vector<double> unbiased = s.variance;
    for (double& v : unbiased) v *= count / (count - 1);
    update_running(running_var, unbiased, momentum);
    return s;
}

Tensor batch_norm_body(const Tensor& x, const OptionalTensor& weight, const OptionalTensor& bias,
                       const OptionalTensor& running_mean, const OptionalTensor& running_var,
                       bool training, double momentum, double eps, bool) {
    const char* op = "batch_norm";
    check<RuntimeError>(is_floating(x.dtype()), op, "(): expected a floating point input, got ",
                        x.dtype());
    if (x.dim() == 1 && x.numel() == 0) return clone(x);
    check<IndexError>(x.dim() >= 2, op,
                      "(): expected an input with at least 2 dimensions (N, C, ...), got shape ",
                      x.sizes());
    int64_t channels = x.size(1);
    check_channels(x, channels, weight, "weight", op);
    check_channels(x, channels, bias, "bias", op);
    check_channels(x, channels, running_mean, "running_mean", op);
    check_channels(x, channels, running_var, "running_var", op);
    check<RuntimeError>(training || (running_mean && running_var), op,
                        "(): Expected running_mean and running_var to be defined when training is "
                        "False");
    if (x.is_meta()) return empty_like(x);
    Tensor out = channels_like(x), w = or_nothing(weight), b = or_nothing(bias), mean, inverse;
    {
        NoGrad guard;
        Tensor in = as_channels(x), to = as_channels(out);
        Statistics s = batch_statistics(in, running_mean, running_var, training, momentum);
        std::vector<double> scale = numbers(weight), shift = numbers(bias);
        scale.resize(channels, 1.0);
        shift.resize(channels, 0.0);
        mean = empty(Dims{channels}, DType::F64);
        inverse = empty(Dims{channels}, DType::F64);
        for (int64_t c = 0; c < channels; ++c) {
            double inv = 1 / std::sqrt(s.variance[c] + eps);
            mean.data<double>()[c] = s.mean[c];
            inverse.data<double>()[c] = inv;
            scale[c] *= inv;
            shift[c] -= s.mean[c] * scale[c];
        }
        scale_shift(to, {in}, scale, {}, shift);
    }
    if (should_record(x, w, b)) {
        BatchNorm rule{eps, training, w.defined()};
        record("NativeBatchNormBackward0", {out}, {x, w, b}, {x, w, mean, inverse},
               [rule](Backward& ctx) -> Tensors { return rule.gradients(ctx); });
    }
    return out;
}

// group_norm

struct GroupNorm {
    int64_t groups;
    double eps;
    bool has_weight;

    Tensors composed_gradients(const Tensor& grad, const Tensor& x,
                               const OptionalTensor& weight) const {
        int64_t row = groups && x.size(0) ? x.numel() / (x.size(0) * groups) : 0;
        Dims grouped{x.size(0), groups, row};
        Tensor g = weight ? mul(grad, as_channel_shape(*weight, x.dim())) : grad;
        Tensor gx = reshape(g, grouped), in = reshape(x, grouped);
        auto [spread, middle] = var_mean(in, Dims{2}, Scalar(0), true);
        Tensor scale = rsqrt(add(spread, eps)), y = mul(sub(in, middle), scale);
        auto average = [](const Tensor& t) { return mean(t, Dims{2}, true, std::nullopt); };
        Tensor rest = sub(sub(gx, average(gx)), mul(y, average(mul(gx, y))));
        Dims dims;
        for (int64_t i = 0; i < x.dim(); ++i)
            if (i != 1) dims.push_back(i);
        Tensor dw = sum(mul(grad, reshape(y, x.sizes())), dims, false, std::nullopt);
        return {reshape(mul(rest, scale), x.sizes()), dw, sum(grad, dims, false, std::nullopt)};
    }

    Tensors gradients(Backward& ctx) const {
        Tensor x = ctx.saved(0);
        OptionalTensor weight = has_weight ? optional(ctx, 1) : std::nullopt;
        if (composing()) return composed_gradients(ctx.grad(), x, weight);
        Tensor in = as_channels(raw_contiguous(x));
        Tensor grad = as_channels(raw_contiguous(ctx.grad(), x.dtype()));
        int64_t n = in.size(0), channels = in.size(1), size = channels / groups;
        std::vector<double> mean = numbers(ctx.saved(2)), inv = numbers(ctx.saved(3));
        std::vector<double> w = numbers(weight), of_mean(n * channels);
        w.resize(channels, 1.0);
        for (int64_t i = 0; i < n * channels; ++i) of_mean[i] = mean[i / size];
        Tensor middle = raw_view(per_channel(of_mean, n, channels, x.dtype()), in.sizes(),
                                 Dims{channels, 1, 0}, 0);
        auto [sums, products] = gradient_sums(in, grad, middle, {false, false, true});
        std::vector<double> of_grad(n * channels), of_input(n * channels), shift(n * channels);
        Tensor dw = zeros(Dims{channels}, DType::F64), db = zeros(Dims{channels}, DType::F64);
        auto count = static_cast<double>(size * in.size(2));
        for (int64_t g = 0; g < n * groups; ++g) {
            double total = 0, product = 0;
            for (int64_t i = g * size; i < (g + 1) * size; ++i) {
                total += w[i % channels] * sums[i];
                product += w[i % channels] * products[i];
                dw.data<double>()[i % channels] += products[i] * inv[g];
                db.data<double>()[i % channels] += sums[i];
            }
            for (int64_t i = g * size; i < (g + 1) * size; ++i) {
                of_grad[i] = w[i % channels] * inv[g];
                of_input[i] = -inv[g] * inv[g] * inv[g] * product / count;
                shift[i] = -inv[g] * total / count - of_input[i] * mean[g];
            }
        }
        Tensor dx = empty(x.sizes(), x.dtype());
        scale_shift(as_channels(dx), {grad, in}, of_grad, of_input, shift);
        return {dx, dw, db};
    }
};

Tensor group_norm_body(const Tensor& x, int64_t groups, const OptionalTensor& weight,
                       const OptionalTensor& bias, double eps, bool) {
    const char* op = "group_norm";
    check<RuntimeError>(x.dim() >= 2, op,
                        "(): Expected at least 2 dimensions for input tensor but received ",
                        x.dim());
    check<RuntimeError>(is_floating(x.dtype()), op, "(): expected a floating point input, got ",
                        x.dtype());
    int64_t n = x.size(0), channels = x.size(1);
    check<RuntimeError>(groups > 0 && channels % groups == 0, op,
                        "(): Expected number of channels in input to be divisible by num_groups, "
                        "but got input of shape ",
                        x.sizes(), " and num_groups=", groups);
    check_channels(x, channels, weight, "weight", op);
    check_channels(x, channels, bias, "bias", op);
    if (x.is_meta()) return empty_like(x);
    Tensor out = empty(x.sizes(), x.dtype()), w = or_nothing(weight), b = or_nothing(bias);
    Tensor mean, inverse;
    {
        NoGrad guard;
        Tensor in = as_channels(raw_contiguous(x));
        int64_t size = channels / groups, row = size * in.size(2);
        Tensor grouped =
            raw_view(in, Dims{n, groups, row}, Dims{groups * row, row, 1}, in.offset());
        Tensors found = kMeanVariance(grouped, {false, false, true}, false);
        mean = found[0];
        inverse = rsqrt(add(found[1], eps));
        std::vector<double> m = numbers(mean), inv = numbers(inverse), scale(n * channels),
                            shift(n * channels), ws = numbers(weight), bs = numbers(bias);
        ws.resize(channels, 1.0);
        bs.resize(channels, 0.0);
        for (int64_t i = 0; i < n * channels; ++i) {
            scale[i] = ws[i % channels] * inv[i / size];
            shift[i] = bs[i % channels] - m[i / size] * scale[i];
        }
        scale_shift(as_channels(out), {in}, scale, {}, shift);
    }
    if (should_record(x, w, b)) {
        GroupNorm rule{groups, eps, w.defined()};
        record("NativeGroupNormBackward0", {out}, {x, w, b}, {x, w, mean, inverse},
               [rule](Backward& ctx) -> Tensors { return rule.gradients(ctx); });
    }
    return out;
}

}  // namespace

const Op<Tensor(const Tensor&, const OptionalTensor&, const OptionalTensor&, const OptionalTensor&,
                const OptionalTensor&, bool, double, double, bool)>
    batch_norm{
        "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
        "Tensor? running_var, bool training, float momentum, float eps, "
        "bool cudnn_enabled=True) -> Tensor",
        "f", batch_norm_body,
        "Normalise each channel over the batch, or by the running statistics."};
const Op<Tensor(const Tensor&, int64_t, const OptionalTensor&, const OptionalTensor&, double, bool)>
    group_norm{
        "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, "
        "float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
        "f", group_norm_body, "Normalise each group of channels of each sample."};

}  // namespace kagari::ops
