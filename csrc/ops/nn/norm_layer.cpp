// Normalisation over the last dimensions: layer_norm and rms_norm.
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/nn/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/rowwise.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr RowKernels kLayerNorm{"layer_norm"}, kLayerNormPlain{"layer_norm_plain"};
constexpr RowKernels kLayerNormBackward{"layer_norm_backward"};
constexpr RowKernels kParameters{"layer_norm_parameters"};
constexpr RowKernels kRmsNorm{"rms_norm"}, kRmsNormBackward{"rms_norm_backward"};

constexpr int64_t kLongest = 1 << 15;  // longer rows are reduced in blocks, by other ops
constexpr int64_t kBlock = 128;        // rows whose share in a parameter's gradient is one sum

/// The input as `rows` rows of `size` elements.
struct Shape {
    int64_t rows = 1, size = 1;
    Dims normalized;

    Shape(const Tensor& x, IntSpan shape, const char* op) : normalized(shape) {
        check<RuntimeError>(!shape.empty(), op,
                            "(): Expected normalized_shape to be at least 1-dimensional, got ()");
        int64_t lead = x.dim() - static_cast<int64_t>(shape.size());
        bool fits = lead >= 0;
        for (size_t i = 0; fits && i < shape.size(); ++i) fits = x.sizes()[lead + i] == shape[i];
        check<RuntimeError>(fits, op, "(): Given normalized_shape=", shape,
                            ", expected the input's last dimensions to be these, but got input of "
                            "size",
                            x.sizes());
        for (int64_t i = 0; i < lead; ++i) rows *= x.sizes()[i];
        for (int64_t s : shape) size *= s;
    }
    void check_parameter(const OptionalTensor& p, const char* name, const char* op) const {
        check<RuntimeError>(!p || same_sizes(p->sizes(), normalized), op, "(): Expected ", name,
                            " to be of same shape as normalized_shape, but got ", name,
                            " of shape ", p ? p->sizes() : IntSpan(),
                            " and normalized_shape = ", IntSpan(normalized));
    }
    Dims dims(const Tensor& x) const {
        Dims found;
        for (size_t i = 0; i < normalized.size(); ++i)
            found.push_back(x.dim() - static_cast<int64_t>(normalized.size() - i));
        return found;
    }
};

DType compute_dtype(DType t) { return is_half(t) ? DType::F32 : t; }

Tensor parameter(const OptionalTensor& p, const Shape& shape, double otherwise, DType dtype) {
    return p ? raw_contiguous(*p, dtype) : full(Dims{shape.size}, otherwise, dtype);
}

/// Adds operands to a walk over rows.
struct Rows {
    RowWalk walk;
    explicit Rows(const Shape& shape) { walk.set_sizes(Dims{shape.rows}, shape.size); }
    Rows& element(const Tensor& t, int64_t size) {
        walk.add(t.data(), t.itemsize(), Dims{size}, 1);
        return *this;
    }
    Rows& row(const Tensor& t) {
        walk.add(t.data(), t.itemsize(), Dims{1}, 0);
        return *this;
    }
    Rows& column(const Tensor& t) {
        walk.add(t.data(), t.itemsize(), Dims{0}, 1);
        return *this;
    }
};

/// Gradients of weight and bias in float64: per block of rows, then summed.
std::pair<Tensor, Tensor> parameter_gradients(const Tensor& grad, const Tensor& x,
                                              const Tensor& mean, const Tensor& inverse,
                                              const Shape& shape, int64_t mean_step) {
    int64_t blocks = shape.rows / kBlock, tail = shape.rows % kBlock;
    Dims sizes{blocks + (tail > 0), shape.size};
    Tensor weight = empty(sizes, DType::F64), bias = empty(sizes, DType::F64);
    auto part = [&](int64_t first, int64_t count, int64_t rows) {
        RowWalk walk;
        walk.set_sizes(Dims{count, shape.size}, rows);
        auto add = [&](const Tensor& t, int64_t from, IntSpan steps, int64_t inner) {
            auto skip = from * static_cast<int64_t>(t.itemsize());
            walk.add(t.data<char>() + skip, t.itemsize(), steps, inner);
        };
        for (const Tensor& out : {weight, bias})
            add(out, first * shape.size, Dims{shape.size, 1}, 0);
        int64_t from = first * kBlock;
        for (const Tensor& in : {grad, x})
            add(in, from * shape.size, Dims{kBlock * shape.size, 1}, shape.size);
        add(mean, from * mean_step, Dims{kBlock * mean_step, 0}, mean_step);
        add(inverse, from, Dims{kBlock, 0}, 1);
        walk.run(kParameters(x.dtype()), 2);
    };
    if (blocks) part(0, blocks, kBlock);
    if (tail) part(blocks, 1, tail);
    Dims first{0};
    return {sum(weight, first, false, std::nullopt), sum(bias, first, false, std::nullopt)};
}

Tensor times(const Tensor& t, const Tensor& weight) {
    return weight.defined() ? mul(t, weight) : t;
}

Tensor inverse_root(const Tensor& mean_square, double eps) { return rsqrt(add(mean_square, eps)); }

// The same by other ops: for very long rows, and wherever the derivative is differentiated again

Tensor mean_of(const Tensor& t, const Dims& dims) { return mean(t, dims, true, std::nullopt); }

Tensor composed_layer_norm(const Tensor& x, const Dims& dims, const OptionalTensor& weight,
                           const OptionalTensor& bias, double eps) {
    Tensor wide = to(x, compute_dtype(x.dtype()));
    auto [spread, middle] = var_mean(wide, dims, Scalar(0), true);
    Tensor y = mul(sub(wide, middle), inverse_root(spread, eps));
    if (weight) y = mul(y, *weight);
    if (bias) y = add(y, *bias);
    return to(y, x.dtype());
}

Tensors composed_gradients(const Tensor& grad, const Tensor& input, const Tensor& weight,
                           const Shape& shape, double eps, bool centred) {
    Dims dims = shape.dims(input);
    DType wide = compute_dtype(input.dtype());
    Tensor g = to(grad, wide), x = to(input, wide);
    if (centred) x = sub(x, mean_of(x, dims));
    Tensor inverse = inverse_root(mean_of(mul(x, x), dims), eps), y = mul(x, inverse);
    Tensor gw = times(g, weight), rest = sub(gw, mul(y, mean_of(mul(gw, y), dims)));
    if (centred) rest = sub(rest, mean_of(gw, dims));
    return {to(mul(rest, inverse), input.dtype()), sum_to_size(mul(g, y), shape.normalized),
            sum_to_size(g, shape.normalized)};
}

// layer_norm

struct Kept {
    Tensor mean, inverse;
};

Tensor run_layer_norm(const Tensor& x, const Shape& shape, const OptionalTensor& weight,
                      const OptionalTensor& bias, double eps, Kept& kept) {
    DType wide = compute_dtype(x.dtype());
    Tensor out = empty(x.sizes(), x.dtype());
    kept = {empty(Dims{shape.rows}, wide), empty(Dims{shape.rows}, wide)};
    Rows rows(shape);
    rows.element(out, shape.size).row(kept.mean).row(kept.inverse).element(x, shape.size);
    bool plain = !weight && !bias;
    Tensor w, b;
    if (!plain) {
        w = parameter(weight, shape, 1.0, wide);
        b = parameter(bias, shape, 0.0, wide);
        rows.column(w).column(b);
    }
    rows.walk.add_scalar(eps);
    rows.walk.run((plain ? kLayerNormPlain : kLayerNorm)(x.dtype()), 3);
    return out;
}

Tensors layer_norm_gradients(Backward& ctx, const Shape& shape, double eps, bool has_weight,
                             const Tensor& x) {
    Tensor weight = has_weight ? ctx.saved(1) : Tensor();
    if (composing()) return composed_gradients(ctx.grad(), x, weight, shape, eps, true);
    DType wide = compute_dtype(x.dtype());
    Tensor grad = raw_contiguous(ctx.grad(), x.dtype()), in = raw_contiguous(x);
    Tensor mean = ctx.saved(2), inverse = ctx.saved(3), dx, dw, db;
    if (ctx.needs(0)) {
        dx = empty(x.sizes(), x.dtype());
        Tensor w = parameter(has_weight ? OptionalTensor(weight) : std::nullopt, shape, 1.0, wide);
        Rows rows(shape);
        rows.element(dx, shape.size).element(grad, shape.size).element(in, shape.size);
        rows.row(mean).row(inverse).column(w).walk.run(kLayerNormBackward(x.dtype()), 2);
    }
    if (ctx.needs(1) || ctx.needs(2)) {
        auto [w, b] = parameter_gradients(grad, in, mean, inverse, shape, 1);
        dw = reshape(w, shape.normalized);
        db = reshape(b, shape.normalized);
    }
    return {dx, dw, db};
}

/// An edge for a parameter that is not there leads nowhere.
Tensor or_nothing(const OptionalTensor& t) { return t ? *t : Tensor(); }

extern const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, const OptionalTensor&,
                       double)>
    fused_layer_norm;

Tensor layer_norm_body(const Tensor& x, IntSpan normalized_shape, const OptionalTensor& weight,
                       const OptionalTensor& bias, double eps, bool) {
    const char* op = "layer_norm";
    check<RuntimeError>(is_floating(x.dtype()), op, "(): expected a floating point input, got ",
                        x.dtype());
    Shape shape(x, normalized_shape, op);
    shape.check_parameter(weight, "weight", op);
    shape.check_parameter(bias, "bias", op);
    if (x.is_meta()) return empty(x.sizes(), x.dtype(), x.device());
    if (shape.size > kLongest) return composed_layer_norm(x, shape.dims(x), weight, bias, eps);
    return fused_layer_norm(x, normalized_shape, weight, bias, eps);
}

Tensor fused_layer_norm_body(const Tensor& x, IntSpan normalized_shape,
                             const OptionalTensor& weight, const OptionalTensor& bias, double eps) {
    Shape shape(x, normalized_shape, "layer_norm");
    Kept kept;
    Tensor out;
    {
        NoGrad guard;
        out = run_layer_norm(raw_contiguous(x), shape, weight, bias, eps, kept);
    }
    Tensor w = or_nothing(weight), b = or_nothing(bias);
    if (should_record(x, w, b))
        record("NativeLayerNormBackward0", {out}, {x, w, b}, {x, w, kept.mean, kept.inverse},
               [shape, eps, has_weight = w.defined()](Backward& ctx) -> Tensors {
                   return layer_norm_gradients(ctx, shape, eps, has_weight, ctx.saved(0));
               });
    return out;
}

// rms_norm

double epsilon_of(DType t) {
    switch (t) {
        case DType::F16:
            return 0x1p-10;
        case DType::BF16:
            return 0x1p-7;
        case DType::F32:
            return 0x1p-23;
        default:
            return 0x1p-52;
    }
}

Tensor run_rms_norm(const Tensor& x, const Shape& shape, const OptionalTensor& weight, double eps,
                    Tensor& inverse) {
    DType wide = compute_dtype(x.dtype());
    Tensor out = empty(x.sizes(), x.dtype()), w = parameter(weight, shape, 1.0, wide);
    inverse = empty(Dims{shape.rows}, wide);
    Rows rows(shape);
    rows.element(out, shape.size).row(inverse).element(x, shape.size).column(w);
    rows.walk.add_scalar(eps);
    rows.walk.run(kRmsNorm(x.dtype()), 2);
    return out;
}

Tensors rms_norm_gradients(Backward& ctx, const Shape& shape, double eps, bool has_weight) {
    Tensor x = ctx.saved(0), weight = has_weight ? ctx.saved(1) : Tensor();
    if (composing()) {
        Tensors all = composed_gradients(ctx.grad(), x, weight, shape, eps, false);
        return {all[0], all[1]};
    }
    DType wide = compute_dtype(x.dtype());
    Tensor grad = raw_contiguous(ctx.grad(), x.dtype()), in = raw_contiguous(x);
    Tensor inverse = ctx.saved(2), dx, dw;
    if (ctx.needs(0)) {
        dx = empty(x.sizes(), x.dtype());
        Tensor w = parameter(has_weight ? OptionalTensor(weight) : std::nullopt, shape, 1.0, wide);
        Rows rows(shape);
        rows.element(dx, shape.size).element(grad, shape.size).element(in, shape.size);
        rows.row(inverse).column(w).walk.run(kRmsNormBackward(x.dtype()), 2);
    }
    if (ctx.needs(1)) {
        Tensor none = zeros(Dims{1}, wide);  // a mean of zero for every row
        dw =
            reshape(parameter_gradients(grad, in, none, inverse, shape, 0).first, shape.normalized);
    }
    return {dx, dw};
}

Tensor composed_rms_norm(const Tensor& x, const Dims& dims, const OptionalTensor& weight,
                         double eps) {
    Tensor wide = to(x, compute_dtype(x.dtype()));
    Tensor y = mul(wide, inverse_root(mean_of(mul(wide, wide), dims), eps));
    return to(weight ? mul(y, *weight) : y, x.dtype());
}

extern const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, double)> fused_rms_norm;

Tensor rms_norm_body(const Tensor& x, IntSpan normalized_shape, const OptionalTensor& weight,
                     std::optional<double> given_eps) {
    const char* op = "rms_norm";
    check<RuntimeError>(is_differentiable(x.dtype()), op,
                        "(): expected a floating point or complex input, got ", x.dtype());
    Shape shape(x, normalized_shape, op);
    shape.check_parameter(weight, "weight", op);
    double eps = given_eps.value_or(epsilon_of(real_counterpart(x.dtype())));
    if (x.is_meta()) return empty(x.sizes(), x.dtype(), x.device());
    if (shape.size > kLongest || is_complex(x.dtype()))
        return composed_rms_norm(x, shape.dims(x), weight, eps);
    return fused_rms_norm(x, normalized_shape, weight, eps);
}

Tensor fused_rms_norm_body(const Tensor& x, IntSpan normalized_shape, const OptionalTensor& weight,
                           double eps) {
    Shape shape(x, normalized_shape, "rms_norm");
    Tensor out, inverse, w = or_nothing(weight);
    {
        NoGrad guard;
        out = run_rms_norm(raw_contiguous(x), shape, weight, eps, inverse);
    }
    if (should_record(x, w))
        record("FusedRmsNormBackward0", {out}, {x, w}, {x, w, inverse},
               [shape, eps, has_weight = w.defined()](Backward& ctx) -> Tensors {
                   return rms_norm_gradients(ctx, shape, eps, has_weight);
               });
    return out;
}

const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, const OptionalTensor&, double)>
    fused_layer_norm{
        "_fused_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, "
        "float eps) -> Tensor",
        "p", fused_layer_norm_body, ""};
const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, double)> fused_rms_norm{
    "_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float eps) -> Tensor",
    "p", fused_rms_norm_body, ""};

}  // namespace

const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, const OptionalTensor&, double, bool)>
    layer_norm{
        "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, "
        "Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor",
        "fb", layer_norm_body,
        "Normalise over the last dimensions, then scale by `weight` and shift by `bias`."};
const Op<Tensor(const Tensor&, IntSpan, const OptionalTensor&, std::optional<double>)> rms_norm{
    "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
    "Tensor",
    "fb", rms_norm_body, "Divide by the root of the mean square over the last dimensions."};

}  // namespace kagari::ops
