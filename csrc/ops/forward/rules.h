// What an op does to tangents: derived for pointwise rows, declared for linear ops, and for all
// others by transposing their backward.
#pragma once
#include "ops/forward/level.h"

namespace kagari {

struct PointwiseRow;

/// An op that has been called with tangents.
struct DualCall {
    const OpRecord& op;
    const Values& args;
    const DualLevel& level;
    Tensor tangent(const Value& v) const;
};

/// Results, and the tangent of each tensor among them in order; undefined for none.
struct DualResult {
    Values results;
    Tensors tangents;
    /// What the graph of the results keeps instead of the arguments with tangents, in their order.
    Tensors aliases = {};
};

/// Called with every tensor in `v`, alone or in a list.
void each_tensor(const Value& v, const std::function<void(const Tensor&)>& visit);

DualResult pointwise_tangent(PointwiseRow& row, const DualCall& call);
/// True if the op is linear in some of its arguments; then `result` is set.
bool linear_tangent(const DualCall& call, DualResult& result);
/// Results have no tangent whatever the arguments have: `full_like`, `argmax`...
bool is_constant(std::string_view op);

/// Has the history of the results saved what depends on tangents and has none?
bool loses_tangents(const DualCall& call, const Values& results);

/// By differentiating the op's backward with respect to the gradient it starts with; set by
/// python/. `tangents`: one per tensor among the arguments, undefined for none.
extern DualResult (*transposed_tangent)(const OpRecord& op, const Values& args,
                                        const Tensors& tangents);

}  // namespace kagari
