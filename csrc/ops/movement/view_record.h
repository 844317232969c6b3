// What every view op ends in, and what every view's backward is made of.
#pragma once
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"

namespace kagari::ops {

/// A window on the storage of `t` with its place in the graph. `rule` maps the gradient of the view
/// to that of `t`.
template <class Rule>
Tensor make_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset, DType dtype,
                 const char* name, Rule rule) {
    Tensor out = raw_view(t, sizes, strides, offset, dtype);
    TensorBody& body = *out.body();
    const Ref<TensorBody>& base = t.body()->base;
    body.base = base ? base : t.ref();
    body.view_version = t.version();
    if (!t.requires_grad()) return out;
    if (grad_enabled())
        record(name, {out}, {t}, {},
               [rule = std::move(rule)](Backward& ctx) -> Tensors { return {rule(ctx.grad())}; });
    else
        variable(out).view_origin = "was created in no_grad mode";
    return out;
}
template <class Rule>
Tensor make_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset, const char* name,
                 Rule rule) {
    return make_view(t, sizes, strides, offset, t.dtype(), name, std::move(rule));
}

/// Zeros of `sizes` with `part` where `view` points; the backward of a view that leaves elements
/// out.
template <class View>
Tensor embed(const Tensor& part, IntSpan sizes, View view) {
    Tensor out;
    if (intercepted()) {
        out = new_zeros(part, sizes);
        copy_(view(out), part, false);
        return out;
    }
    {
        NoGrad guard;
        out = zeros(sizes, part.dtype(), part.device());
        copy_(view(out), part, false);
    }
    if (should_record(part))
        record("EmbedBackward0", {out}, {part}, {},
               [view](Backward& ctx) -> Tensors { return {view(ctx.grad())}; });
    return out;
}

}  // namespace kagari::ops
