// nll_loss gathers one log-probability per sample; mse_loss is a reduction of two inputs.
#include "ops/nn/loss.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/reduction.h"
#include "ops/rows.h"
#include "runtime/parallel.h"
#include "tensor/batch.h"

namespace kagari::ops {
namespace {

constexpr Reduction kSquaredError{"squared_error", "t", "d", Reduction::Finish};

// nll_loss

/// What the target says: for each of N * S places a class, with its weight; ignored ones weigh 0.
struct Targets {
    int64_t samples = 1, classes = 1, places = 1;  // input is (N, C, S)
    Tensor index, weight;                          // int64; float64 per class, or undefined
    int64_t ignored = -100;
    char reduction = 'm';
    double total = 0;  // of the weights

    int64_t count() const { return samples * places; }
    double weight_of(int64_t c) const { return weight.defined() ? weight.data<double>()[c] : 1.0; }
    /// Position in the input of place `i`, or -1 for one that is ignored.
    int64_t position(int64_t i) const {
        int64_t c = index.data<int64_t>()[i];
        return c == ignored ? -1 : (i / places * classes + c) * places + i % places;
    }
};

constexpr int64_t kBlock = 4096;  // places whose loss is one partial sum

void check_shapes(const Tensor& x, const Tensor& target, const std::optional<Tensor>& weight) {
    check<RuntimeError>(is_floating(x.dtype()), "nll_loss: expected a floating point input, got ",
                        x.dtype());
    check<RuntimeError>(x.dim() >= 1, "nll_loss: input tensor should be at least 1D, got ",
                        x.sizes());
    int64_t channel = x.dim() == 1 ? 0 : 1;
    Dims expected(x.sizes());
    expected.erase(channel);
    bool single = x.dim() == 1 && target.numel() == 1 && target.dim() <= 1;
    check<ValueError>(
        single || x.dim() == 1 || target.dim() == 0 || x.sizes()[0] == target.sizes()[0],
        "nll_loss: Expected input batch_size (", x.sizes()[0], ") to match target batch_size (",
        target.dim() ? target.sizes()[0] : int64_t{1}, ").");
    check<RuntimeError>(single || same_sizes(target.sizes(), expected),
                        "nll_loss: expected target of shape ", IntSpan(expected), " for input ",
                        x.sizes(), ", got ", target.sizes());
    check<RuntimeError>(!weight || (weight->dim() == 1 && weight->numel() == x.sizes()[channel]),
                        "nll_loss: weight tensor should be defined either for all ",
                        x.sizes()[channel],
                        " classes or no classes but got weight tensor of shape: ",
                        weight ? weight->sizes() : IntSpan());
    check<RuntimeError>(is_integral(target.dtype()),
                        "nll_loss: expected target of dtype int64, got ", target.dtype(),
                        "; use target.long()");
}

Targets read_targets(const Tensor& x, const Tensor& target, const std::optional<Tensor>& weight,
                     const std::string& reduction, int64_t ignored) {
    check_shapes(x, target, weight);
    check<ValueError>(reduction == "none" || reduction == "mean" || reduction == "sum",
                      "nll_loss: ", reduction,
                      " is not a valid value for reduction; use 'none', 'mean' or 'sum'");
    Targets t;
    t.classes = x.sizes()[x.dim() == 1 ? 0 : 1];
    t.samples = x.dim() == 1 ? 1 : x.sizes()[0];
    for (int64_t i = 2; i < x.dim(); ++i) t.places *= x.sizes()[i];
    t.index = raw_contiguous(target, DType::I64);
    if (weight) t.weight = raw_contiguous(*weight, DType::F64);
    t.ignored = ignored;
    t.reduction = reduction[0];
    if (x.is_meta()) return t;
    for (int64_t i = 0; i < t.count(); ++i) {
        int64_t c = t.index.data<int64_t>()[i];
        if (c == ignored) continue;
        check<IndexError>(c >= 0 && c < t.classes, "nll_loss: Target ", c, " is out of bounds for ",
                          t.classes, " classes.");
        t.total += t.weight_of(c);
    }
    return t;
}

/// Calls f(place, position in the input, weight) for the places that count, block by block.
template <class F>
void for_places(const Targets& t, F f) {
    parallel_for(0, t.count(), kBlock, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i)
            if (int64_t at = t.position(i); at >= 0)
                f(i, at, t.weight_of(t.index.template data<int64_t>()[i]));
    });
}

double summed_loss(const Tensor& x, const Targets& t) {
    std::vector<double> sums((t.count() + kBlock - 1) / kBlock);
    visit(x.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* from = x.data<T>();
        for_places(t, [&](int64_t i, int64_t at, double w) {
            sums[i / kBlock] -= w * convert<double>(from[at]);
        });
    });
    double sum = 0;
    for (double s : sums) sum += s;
    return sum;
}

/// The gradient of the input, and with it the graph for another derivative.
Tensor nll_gradient(const Tensor& grad, const Targets& t, const Dims& sizes, DType dtype);

Tensor nll_value(const Tensor& input, const Targets& t, IntSpan target_sizes) {
    Tensor x = raw_contiguous(input);
    if (t.reduction != 'n') {
        double sum = summed_loss(x, t);
        return full(Dims(), t.reduction == 'm' ? sum / t.total : sum, x.dtype());
    }
    Tensor out = zeros(target_sizes, x.dtype());
    visit(x.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* from = x.data<T>();
        T* to = out.data<T>();
        for_places(t, [&](int64_t i, int64_t at, double w) {
            to[i] = convert<T>(-w * convert<double>(from[at]));
        });
    });
    return out;
}

/// What an element of the input counts for in the loss.
Tensor nll_factors(const Targets& t, const Dims& sizes, const Dims& target_sizes, DType dtype) {
    NoGrad guard;
    return nll_gradient(ones(target_sizes, dtype), t, sizes, dtype);
}

/// Linear in the input, so its derivative's derivative is itself.
Tensor nll_of(const Tensor& x, const Targets& t, const Dims& target_sizes) {
    if (batch_of(x)) {
        Tensor parts = mul(x, nll_factors(t, Dims(x.sizes()), target_sizes, x.dtype()));
        Dims classes{x.dim() == 1 ? 0 : 1};
        return sum(parts, t.reduction == 'n' ? classes : Dims(), false, std::nullopt);
    }
    Tensor out;
    {
        NoGrad guard;
        out = nll_value(x, t, target_sizes);
    }
    if (should_record(x))
        record("NllLossBackward0", {out}, {x}, {},
               [t, sizes = Dims(x.sizes()), dtype = x.dtype()](Backward& ctx) -> Tensors {
                   return {nll_gradient(ctx.grad(), t, sizes, dtype)};
               });
    return out;
}

Tensor nll_gradient(const Tensor& grad, const Targets& t, const Dims& sizes, DType dtype) {
    if (batch_of(grad)) {
        Tensor factors = nll_factors(t, sizes, Dims(grad.sizes()), dtype);
        return mul(grad.dim() ? unsqueeze(grad, 1) : grad, factors);
    }
    Tensor out;
    if (intercepted()) {
        // ops for the interceptor: what a gradient of one gives, times the gradient
        NoInterceptors plain;
        Tensor ones = ops::ones(t.reduction == 'n' ? grad.sizes() : IntSpan(), grad.dtype());
        out = nll_gradient(ones, t, sizes, dtype);
    }
    if (out.defined())
        return mul(out, t.reduction == 'n' ? unsqueeze(grad, sizes.size() > 1 ? 1 : 0) : grad);
    {
        NoGrad guard;
        out = zeros(sizes, dtype);
        Tensor g = raw_contiguous(grad, DType::F64);
        const double* from = g.data<double>();
        double scale = t.reduction == 'm' ? 1 / t.total : 1.0;
        visit(dtype, [&](auto tag) {
            using T = typename decltype(tag)::type;
            T* to = out.data<T>();
            for_places(t, [&](int64_t i, int64_t at, double w) {
                to[at] = convert<T>(-w * scale * from[t.reduction == 'n' ? i : 0]);
            });
        });
    }
    if (should_record(grad))
        record("NllLossBackwardBackward0", {out}, {grad}, {},
               [t, target = Dims(grad.sizes())](Backward& ctx) -> Tensors {
                   return {nll_of(ctx.grad(), t, target)};
               });
    return out;
}

Tensor nll_loss_body(const Tensor& x, const Tensor& target, const std::optional<Tensor>& weight,
                     const std::string& reduction, int64_t ignore_index) {
    Targets t = read_targets(x, target, weight, reduction, ignore_index);
    Dims sizes = t.reduction == 'n' ? Dims(target.sizes()) : Dims();
    if (x.is_meta()) return empty(sizes, x.dtype(), x.device());
    return nll_of(x, t, sizes);
}

// mse_loss

Tensor mse_loss_body(const Tensor& x, const Tensor& target, const std::string& reduction) {
    check<ValueError>(reduction == "mean" || reduction == "sum", "mse_loss: ", reduction,
                      " is not a valid value for reduction; use 'mean' or 'sum'");
    check<RuntimeError>(same_sizes(x.sizes(), target.sizes()) && x.dtype() == target.dtype() &&
                            is_floating(x.dtype()),
                        "mse_loss: expected input and target of one floating point dtype and one "
                        "shape, got ",
                        x.dtype(), " ", x.sizes(), " and ", target.dtype(), " ", target.sizes());
    double count = reduction == "mean" ? static_cast<double>(x.numel()) : 1.0;
    Tensor out;
    {
        NoGrad guard;
        Tensor a = x, b = target;
        if (!same_sizes(a.strides(), b.strides()))
            a = raw_contiguous(x), b = raw_contiguous(target);
        out = kSquaredError(a, Reduced(a.sizes().size(), true), false, count, {b})[0];
    }
    if (should_record(x, target))
        record("MseLossBackward0", {out}, {x, target}, {x, target},
               [count](Backward& ctx) -> Tensors {
                   Tensor share = mul(ctx.grad(), 2 / count);
                   Tensor g = mul(sub(ctx.saved(0), ctx.saved(1)), share);
                   return {ctx.needs(0) ? g : Tensor(), ctx.needs(1) ? neg(g) : Tensor()};
               });
    return out;
}

}  // namespace

const Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, const std::string&,
                int64_t)>
    nll_loss{
        "nll_loss(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean', "
        "int ignore_index=-100) -> Tensor",
        "N", nll_loss_body, "Minus the log-probability of the target class."};
const Op<Tensor(const Tensor&, const Tensor&, const std::string&)> mse_loss{
    "mse_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor", "N", mse_loss_body,
    "The squares of the differences, averaged or summed."};

}  // namespace kagari::ops
