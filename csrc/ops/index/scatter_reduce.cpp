// scatter_reduce: combining elements by sum, product, mean, minimum or maximum along one dimension.
#include "autograd/record.h"
#include "cpu/along.h"
#include "ops/index/gather.h"
#include "ops/index/scatter_write.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/rows.h"

namespace kagari::ops {

namespace {

using cpu::Combine;

Combine way(const std::string& reduce) {
    if (reduce == "sum" || reduce == "mean") return Combine::Add;
    if (reduce == "prod") return Combine::Multiply;
    if (reduce == "amin") return Combine::Minimum;
    if (reduce == "amax") return Combine::Maximum;
    fail<RuntimeError>(
        "scatter_reduce(): reduce argument must be either sum, prod, mean, amax or "
        "amin, got '",
        reduce, "'");
}

/// What a combination starts from where `self` itself does not count.
Tensor identity(Combine combine, const Tensor& like) {
    Tensor one = empty(Dims{}, like.dtype());
    visit(like.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Limits = std::numeric_limits<
            std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>>;
        T value = T(0.0f);
        if (combine == Combine::Multiply) value = T(1.0f);
        if constexpr (!kIsComplex<T>) {
            bool infinite = Limits::has_infinity;
            if (combine == Combine::Minimum)
                value = T(infinite ? Limits::infinity() : Limits::max());
            if (combine == Combine::Maximum)
                value = T(infinite ? -Limits::infinity() : Limits::lowest());
        }
        *one.data<T>() = value;
    });
    return one;
}

/// How many sources went to each place, at least 1.
Tensor counts(const Tensor& like, int64_t dim, const Tensor& index, bool include_self) {
    Tensor start = include_self ? ones_like(like) : zeros_like(like);
    Tensor one = ones(index.sizes(), like.dtype(), like.device());
    return maximum(scatter_add(start, dim, index, one), Scalar(1));
}

Tensor equal(const Tensor& a, const Tensor& b) { return to(eq(a, b), a.dtype()); }

struct Grads {
    Tensor self, src;
};

Grads of_extreme(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& index,
                 const Tensor& src, const Tensor& result) {
    Tensor self_hit = equal(self, result);
    Tensor src_hit = equal(src, gather(result, dim, index));
    Tensor share = div(grad, scatter_add(self_hit, dim, index, src_hit));
    return {mul(self_hit, share), mul(src_hit, gather(share, dim, index))};
}

/// A product's gradient divides by the factor; a factor of zero gets the product of the others.
Grads of_product(const Tensor& grad, const Tensor& self, int64_t dim, const Tensor& index,
                 const Tensor& src, const Tensor& result, bool include_self) {
    Tensor safe_self = masked_fill(self, eq(self, Scalar(0)), Value(Scalar(1)));
    Tensor others = scatter_reduce(safe_self, dim, index, src, "prod", include_self);
    Tensor zero = eq(src, Scalar(0));
    Tensor zeros_here =
        gather(scatter_add(zeros_like(self), dim, index, to(zero, self.dtype())), dim, index);
    Tensor single = logical_and(zero, eq(zeros_here, Scalar(1)));
    Tensor without = masked_fill(src, single, Value(Scalar(1)));
    Tensor around = scatter_reduce(self, dim, index, without, "prod", include_self);
    Tensor safe_src = masked_fill(src, zero, Value(Scalar(1)));
    Tensor regular = div(gather(mul(grad, result), dim, index), safe_src);
    return {div(mul(grad, others), safe_self),
            where(single, gather(mul(grad, around), dim, index), regular)};
}

Grads backward(const std::string& reduce, bool include_self, const Tensor& grad, const Tensor& self,
               int64_t dim, const Tensor& index, const Tensor& src, const Tensor& result) {
    Grads grads;
    if (reduce == "sum") {
        grads = {grad, gather(grad, dim, index)};
    } else if (reduce == "mean") {
        Tensor share = div(grad, counts(grad, dim, index, include_self));
        grads = {share, gather(share, dim, index)};
    } else if (reduce == "prod") {
        grads = of_product(grad, self, dim, index, src, result, include_self);
    } else {
        grads = of_extreme(grad, self, dim, index, src, result);
    }
    if (!include_self) grads.self = scatter(grads.self, dim, index, Value(Scalar(0)), {});
    return grads;
}

void reduce_into(const Tensor& target, int64_t dim, const Tensor& index, const Tensor& src,
                 const std::string& reduce, bool include_self) {
    Combine combine = way(reduce);
    if (!include_self)
        scatter_into(Combine::Assign, target, dim, index, identity(combine, target),
                     "scatter_reduce");
    scatter_into(combine, target, dim, index, src, "scatter_reduce");
    if (reduce != "mean") return;
    NoGrad guard;
    Tensor count = counts(target, dim, index, include_self);
    if (is_differentiable(target.dtype()))
        div.into(target, target, count);
    else
        copy_elements(target, floor_divide(target, count));
}

Tensor scatter_reduce_body(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                           const std::string& reduce, bool include_self) {
    dim = wrap_dim(dim, self.dim(), "scatter_reduce");
    check_scatter(self, dim, index, src, "scatter_reduce");
    way(reduce);
    Tensor result;
    {
        NoGrad guard;
        result = clone(self);
    }
    if (!self.is_meta()) reduce_into(result, dim, index, src, reduce, include_self);
    if (should_record(self, src))
        record("ScatterReduceBackward0", {result}, {self, src}, {self, index, src, result},
               [=](Backward& ctx) -> Tensors {
                   Grads grads = backward(reduce, include_self, ctx.grad(), ctx.saved(0), dim,
                                          ctx.saved(1), ctx.saved(2), ctx.saved(3));
                   return {grads.self, grads.src};
               });
    return result;
}

}  // namespace

const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&, const std::string&, bool)>
    scatter_reduce{
        "scatter_reduce(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool "
        "include_self=True) -> Tensor",
        "fmiO", scatter_reduce_body,
        "A copy of `input` with the elements of `src` combined into the places of `index` along "
        "`dim`; `reduce` is 'sum', 'prod', 'mean', 'amax' or 'amin'."};

}  // namespace kagari::ops
