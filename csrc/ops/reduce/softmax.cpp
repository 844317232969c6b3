// Softmax along one dimension: forward, its derivative from the output, and the derivative of that.
#include "ops/reduce/softmax.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/rowwise.h"
#include "ops/rows.h"

namespace kagari::ops {
namespace {

constexpr RowKernels kSoftmax{"softmax"}, kSoftmaxBackward{"softmax_backward"};
constexpr RowKernels kLogSoftmax{"log_softmax"}, kLogSoftmaxBackward{"log_softmax_backward"};

Tensor run_rows(const RowKernels& kernels, int64_t dim, std::initializer_list<Tensor> inputs) {
    const Tensor& first = *inputs.begin();
    Tensor out = empty_like(first);
    if (first.is_meta() || first.numel() == 0) return out;
    RowWalk walk;
    walk.set_sizes_of(first, dim);
    walk.add(out, dim);
    for (const Tensor& t : inputs) walk.add(t, dim);
    walk.run(kernels(first.dtype()), 1);
    return out;
}

/// The dtype to compute in; NotImplementedError for one without exponentials.
Tensor as_input(const Tensor& x, std::optional<DType> dtype, const char* op) {
    DType wanted = dtype.value_or(x.dtype());
    check<NotImplementedError>(is_floating(wanted), op, "(): expected a floating point input, got ",
                               wanted, "; pass dtype=float32 or convert it");
    return to(x, wanted);
}

Tensor softmax_body(const Tensor& input, int64_t dim, std::optional<DType> dtype) {
    Tensor x = as_input(input, dtype, "softmax");
    int64_t at = wrap_dim(dim, x.dim(), "softmax");
    Tensor out = run_rows(kSoftmax, at, {x});
    if (should_record(x))
        record("SoftmaxBackward0", {out}, {x}, {out}, [at](Backward& ctx) -> Tensors {
            return {softmax_backward(ctx.grad(), ctx.saved(0), at)};
        });
    return out;
}

/// grad - the mean of grad weighted by y, along the row.
Tensor less_weighted(const Tensor& grad, const Tensor& y, int64_t dim) {
    return sub(grad, sum(mul(grad, y), Dims{dim}, true, std::nullopt));
}

/// The dimension, wrapped; an error unless gradient and output have one shape.
int64_t checked_dim(const char* op, const Tensor& grad, const Tensor& y, int64_t dim) {
    check(same_sizes(grad.sizes(), y.sizes()), op,
          ": expected grad_output of the shape of output, got ", grad.sizes(), " and ", y.sizes());
    return wrap_dim(dim, y.dim(), op);
}

Tensor softmax_backward_body(const Tensor& grad, const Tensor& y, int64_t dim) {
    dim = checked_dim("_softmax_backward_data", grad, y, dim);
    Tensor out = run_rows(kSoftmaxBackward, dim, {to(grad, y.dtype()), y});
    if (should_record(grad, y))
        record("SoftmaxBackwardDataBackward0", {out}, {grad, y}, {grad, y},
               [dim](Backward& ctx) -> Tensors {
                   Tensor g = ctx.saved(0), y = ctx.saved(1), v = ctx.grad();
                   Tensor to_grad, to_y;
                   if (ctx.needs(0)) to_grad = softmax_backward(v, y, dim);
                   if (ctx.needs(1)) {
                       Tensor inner = sum(mul(v, y), Dims{dim}, true, std::nullopt);
                       to_y = sub(mul(v, less_weighted(g, y, dim)), mul(g, inner));
                   }
                   return {to_grad, to_y};
               });
    return out;
}

Tensor log_softmax_body(const Tensor& input, int64_t dim, std::optional<DType> dtype) {
    Tensor x = as_input(input, dtype, "log_softmax");
    int64_t at = wrap_dim(dim, x.dim(), "log_softmax");
    Tensor out = run_rows(kLogSoftmax, at, {x});
    if (should_record(x))
        record("LogSoftmaxBackward0", {out}, {x}, {out}, [at](Backward& ctx) -> Tensors {
            return {log_softmax_backward(ctx.grad(), ctx.saved(0), at)};
        });
    return out;
}

Tensor log_softmax_backward_body(const Tensor& grad, const Tensor& y, int64_t dim) {
    dim = checked_dim("_log_softmax_backward_data", grad, y, dim);
    Tensor out = run_rows(kLogSoftmaxBackward, dim, {to(grad, y.dtype()), y});
    if (should_record(grad, y))
        record("LogSoftmaxBackwardDataBackward0", {out}, {grad, y}, {grad, y},
               [dim](Backward& ctx) -> Tensors {
                   Tensor g = ctx.saved(0), p = exp(ctx.saved(1)), v = ctx.grad();
                   Tensor to_grad, to_y;
                   if (ctx.needs(0))
                       to_grad = sub(v, sum(mul(v, p), Dims{dim}, true, std::nullopt));
                   if (ctx.needs(1))
                       to_y = neg(mul(mul(v, p), sum(g, Dims{dim}, true, std::nullopt)));
                   return {to_grad, to_y};
               });
    return out;
}

}  // namespace

const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> softmax{
    "softmax(Tensor input, int dim, dtype? dtype=None) -> Tensor", "fmOS", softmax_body,
    "exp(input) divided by its sum along `dim`."};
const Op<Tensor(const Tensor&, int64_t, std::optional<DType>)> log_softmax{
    "log_softmax(Tensor input, int dim, dtype? dtype=None) -> Tensor", "fmOS", log_softmax_body,
    "The logarithm of softmax along `dim`, computed without forming it."};
const Op<Tensor(const Tensor&, const Tensor&, int64_t)> softmax_backward{
    "_softmax_backward_data(Tensor grad_output, Tensor output, int dim) -> Tensor", "p",
    softmax_backward_body, "The derivative of softmax, from its output."};
const Op<Tensor(const Tensor&, const Tensor&, int64_t)> log_softmax_backward{
    "_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim) -> Tensor", "p",
    log_softmax_backward_body, "The derivative of log_softmax, from its output."};

}  // namespace kagari::ops
