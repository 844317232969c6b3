// Ops that write part of a tensor, as one function for the op that returns a copy (`scatter`) and
// the one that writes in place (`scatter_`).
#pragma once
#include "autograd/record.h"
#include "ops/movement/copy.h"

namespace kagari {

/// Ties an in-place write of `inputs[0]` to a node; inputs, saved and rule are as in record().
template <class F>
void record_inplace(const char* name, const Tensors& inputs, const Tensors& saved, F rule) {
    auto node = make_ref<ClosureNode<F>>(name, std::move(rule));
    for (const Tensor& t : inputs)
        node->edges().push_back(needs_grad(t) ? gradient_edge(t) : Edge{});
    node->outputs().push_back({Dims(inputs[0].sizes()), inputs[0].dtype(), inputs[0].device()});
    for (const Tensor& t : saved) node->saved().emplace_back(t, false);
    rebase_history(inputs[0], node);
}

/// Runs `write(target)`, where target is `inputs[0]` itself or a copy of it, then writes the op
/// into the graph.
template <bool inplace, class W, class F>
Tensor written(const char* op, const char* node, const Tensors& inputs, const Tensors& saved,
               W write, F rule) {
    bool recorded = grad_enabled() && should_record_any(inputs);
    Tensor target = inputs[0];
    if constexpr (inplace) {
        check_inplace(target, op);
    } else {
        NoGrad guard;
        target = ops::clone(target);
    }
    if (!target.is_meta()) write(target);
    if constexpr (inplace) {
        target.bump_version();
        if (recorded) record_inplace(node, inputs, saved, std::move(rule));
    } else {
        if (recorded) record(node, {target}, inputs, saved, std::move(rule));
    }
    return target;
}

}  // namespace kagari
