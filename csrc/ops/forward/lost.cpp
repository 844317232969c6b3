// Finds tangents that the history of a result would lose in backward. The rule of an op gives its
// results tangents; an op made of others has also saved what lies between, which has none.
#include <unordered_set>

#include "autograd/saved.h"
#include "ops/forward/rules.h"
#include "tensor/batch.h"

namespace kagari {
namespace {

using Nodes = std::unordered_set<const Node*>;

const Node* node_of(const Tensor& t) { return gradient_edge(recorded(t)).node.get(); }

/// Calls `visit` for every node from `start` on, up to those in `ends`; stops when it returns true.
template <class F>
bool any_node(const Node* start, const Nodes& ends, Nodes& seen, F visit) {
    std::vector<const Node*> waiting{start};
    while (!waiting.empty()) {
        const Node* node = waiting.back();
        waiting.pop_back();
        if (!node || !seen.insert(node).second) continue;
        if (visit(node)) return true;
        if (ends.contains(node)) continue;
        for (const Edge& edge : node->edges()) waiting.push_back(edge.node.get());
    }
    return false;
}

}  // namespace

bool loses_tangents(const DualCall& call, const Values& results) {
    if (!grad_enabled()) return false;
    Nodes args, duals, seen;
    for (const Value& v : call.args)
        each_tensor(v, [&](const Tensor& t) {
            if (!t.requires_grad()) return;
            args.insert(node_of(t));
            if (call.level.tangent(t).defined()) duals.insert(node_of(t));
        });
    if (duals.empty()) return false;
    auto lost = [&](const Node* node) {
        bool found = false;
        if (args.contains(node)) return found;
        node->each_saved([&](const Saved& s) {
            if (found || !s.depends() || call.level.tangent(s.kept()).defined()) return;
            const Node* from = s.kept().requires_grad() ? node_of(s.kept()) : node;
            Nodes passed;
            found = any_node(from, args, passed, [&](const Node* n) { return duals.contains(n); });
        });
        return found;
    };
    bool found = false;
    for (const Value& v : results)
        each_tensor(v, [&](const Tensor& t) {
            if (!found && t.requires_grad()) found = any_node(node_of(t), args, seen, lost);
        });
    return found;
}

}  // namespace kagari
