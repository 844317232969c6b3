// Reverse mode: nodes run in the reverse of the order in which they were made, each when all its
// gradients are in. One thread, no recursion.
#include "autograd/engine.h"

#include <algorithm>
#include <deque>
#include <queue>

#include "autograd/mode.h"
#include "autograd/record.h"
#include "autograd/tangent.h"

namespace kagari {

EngineOps engine_ops;

namespace {

struct Capture {
    uint32_t slot;
    size_t input;
};

/// What one run knows of one node.
struct State {
    Ref<Node> node;
    int32_t waiting = 0;  // edges that still lead here
    bool needed = true;
    uint64_t owned = 0;  // bit per gradient that this run has made itself and may write to
    Tensors grads;
    std::vector<Capture> captures;
};

/// Node -> State, by open addressing: one lookup per edge is on the hot path.
class States {
  public:
    State& at(Node* node, bool* fresh = nullptr) {
        if (2 * (states_.size() + 1) > slots_.size()) grow();
        size_t i = find(node);
        if (fresh) *fresh = !slots_[i].node;
        if (!slots_[i].node) {
            slots_[i] = {node, static_cast<uint32_t>(states_.size())};
            states_.emplace_back().node = Ref<Node>(node);
        }
        return states_[slots_[i].index];
    }
    std::deque<State>& all() { return states_; }

  private:
    struct Slot {
        Node* node = nullptr;
        uint32_t index = 0;
    };
    size_t find(const Node* node) const {
        size_t i = (reinterpret_cast<uintptr_t>(node) >> 4) * 0x9E3779B97F4A7C15ull;
        for (i &= slots_.size() - 1; slots_[i].node && slots_[i].node != node;)
            i = (i + 1) & (slots_.size() - 1);
        return i;
    }
    void grow() {
        std::vector<Slot> old(std::max<size_t>(32, 2 * slots_.size()));
        old.swap(slots_);
        for (const Slot& slot : old)
            if (slot.node) slots_[find(slot.node)] = slot;
    }
    std::vector<Slot> slots_;
    std::deque<State> states_;  // stable addresses
};

struct Later {
    bool operator()(const State* a, const State* b) const {
        return a->node->sequence() < b->node->sequence();
    }
};

thread_local Node* running = nullptr;
thread_local std::vector<std::function<void()>> callbacks;
thread_local int depth = 0;
bool anomaly = false, anomaly_nan = true;

class Run {
  public:
    Run(bool retain_graph, bool create_graph) : retain_(retain_graph), create_(create_graph) {}

    void add_root(const Edge& edge, Tensor grad) {
        State& state = discover(edge.node.get());
        give(state, edge.slot, std::move(grad));
    }

    void capture(const Edge& edge, size_t input) {
        bool fresh;
        State& state = states_.at(edge.node.get(), &fresh);
        if (fresh) unreached_.push_back(&state);
        state.captures.push_back({edge.slot, input});
        only_needed_ = true;
    }

    /// Counts, for every node reachable from the roots, the edges that lead to it.
    void plan() {
        for (size_t i = 0; i < order_.size(); ++i)
            for (const Edge& edge : order_[i]->node->edges())
                if (edge) ++discover(edge.node.get()).waiting;
        if (only_needed_) mark_needed();
    }

    void execute(Tensors& captured) {
        std::priority_queue<State*, std::vector<State*>, Later> ready;
        for (State* state : order_)
            if (state->waiting == 0) ready.push(state);
        State* next = nullptr;
        while (next || !ready.empty()) {
            State* state = next;
            if (!state) {
                state = ready.top();
                ready.pop();
            }
            next = nullptr;
            step(*state, captured, [&](State* follower) {
                if (!next && ready.empty())
                    next = follower;  // a chain needs no queue
                else {
                    ready.push(follower);
                    if (next) ready.push(std::exchange(next, nullptr));
                }
            });
        }
    }

  private:
    State& discover(Node* node) {
        bool fresh;
        State& state = states_.at(node, &fresh);
        if (!fresh && !unreached_.empty()) {
            auto it = std::find(unreached_.begin(), unreached_.end(), &state);
            if (it != unreached_.end()) {
                unreached_.erase(it);
                fresh = true;
            }
        }
        if (fresh) {
            state.grads.resize(std::max<size_t>(1, node->outputs().size()));
            order_.push_back(&state);
        }
        return state;
    }

    /// With inputs given, only what lies between them and the roots runs.
    void mark_needed() {
        std::vector<State*> oldest_first(order_);
        std::sort(oldest_first.begin(), oldest_first.end(), [](State* a, State* b) {
            // accumulators end every path, whatever their number
            bool end_a = a->node->edges().empty(), end_b = b->node->edges().empty();
            return end_a != end_b ? end_a : a->node->sequence() < b->node->sequence();
        });
        for (State* state : oldest_first) {
            state->needed = false;
            for (const Edge& edge : state->node->edges()) {
                if (!edge) continue;
                State& to = states_.at(edge.node.get());
                state->needed |= to.needed || !to.captures.empty();
            }
        }
    }

    void give(State& state, uint32_t slot, Tensor grad) {
        Tensor& have = state.grads[slot];
        uint64_t bit = slot < 64 ? uint64_t{1} << slot : 0;
        if (!have.defined()) {
            have = std::move(grad);
        } else if (!create_ && (state.owned & bit)) {
            have = engine_ops.add_inplace(have, grad);
        } else {
            have = engine_ops.add(have, grad);
            state.owned |= bit;
        }
    }

    template <class Ready>
    void step(State& state, Tensors& captured, Ready ready) {
        Node& node = *state.node;
        Tensors grads = std::move(state.grads);
        if (!node.hooks().empty()) run_pre_hooks(node, grads);
        for (const Capture& c : state.captures) captured[c.input] = grads[c.slot];
        Tensors out;
        if (state.needed) {
            out = apply(node, std::move(grads));
            if (!retain_) node.release_saved();
        }
        const auto& edges = node.edges();
        for (size_t i = 0; i < edges.size(); ++i) {
            if (!edges[i]) continue;
            State& to = states_.at(edges[i].node.get());
            if (i < out.size() && out[i].defined() && (to.needed || !to.captures.empty()))
                give(to, edges[i].slot, conform(std::move(out[i]), edges[i]));
            if (--to.waiting == 0) ready(&to);
        }
        state.node = nullptr;  // frees what the graph no longer needs as early as possible
    }

    Tensors apply(Node& node, Tensors grads) {
        bool any = false;
        for (const Tensor& g : grads) any |= g.defined();
        if (!any) return Tensors(node.edges().size());
        Node* before = std::exchange(running, &node);
        struct Restore {
            Node* node;
            ~Restore() { running = node; }
        } restore{before};
        try {
            Tensors out;
            bool post = std::any_of(node.hooks().begin(), node.hooks().end(),
                                    [](const NodeHook& h) { return static_cast<bool>(h.post); });
            Tensors kept = post ? grads : Tensors();
            out = node.apply(std::move(grads));
            if (post)
                for (size_t i = 0; i < node.hooks().size(); ++i)
                    if (auto hook = node.hooks()[i].post) hook(out, kept);
            if (anomaly && anomaly_nan) check_nan(node, out);
            return out;
        } catch (const std::exception&) {
            if (anomaly && anomaly_hooks.report) anomaly_hooks.report(node);
            throw;
        }
    }

    static void run_pre_hooks(Node& node, Tensors& grads) {
        for (bool last : {false, true})
            for (size_t i = 0; i < node.hooks().size(); ++i)
                if (node.hooks()[i].pre && node.hooks()[i].after_others == last) {
                    auto hook = node.hooks()[i].pre;  // a hook may remove itself
                    hook(grads);
                }
    }

    static Tensor conform(Tensor grad, const Edge& edge) {
        const OutputInfo& info = edge.node->outputs()[edge.slot];
        if (same_sizes(grad.sizes(), info.sizes) && grad.dtype() == info.dtype) return grad;
        return engine_ops.conform(grad, info);
    }

    static void check_nan(const Node& node, const Tensors& out) {
        for (size_t i = 0; i < out.size(); ++i)
            check<RuntimeError>(!out[i].defined() || !engine_ops.has_nan(out[i]), "Function '",
                                node.name(), "' returned nan values in its ", i, "th output.");
    }

    bool retain_, create_, only_needed_ = false;
    States states_;
    std::vector<State*> order_;      // reachable from the roots
    std::vector<State*> unreached_;  // inputs that no root has led to yet
};

Tensor root_grad(const Tensor& root, Tensor grad) {
    check<RuntimeError>(needs_grad(root),
                        "backward: element 0 of tensors does not require grad and does not have a "
                        "grad_fn: nothing it was computed from has requires_grad=True");
    if (!grad.defined()) {
        check<RuntimeError>(
            root.numel() == 1,
            "backward: grad can be implicitly created only for scalar outputs, got a "
            "tensor of shape ",
            root.sizes(), "; pass the gradient argument");
        check<RuntimeError>(!is_complex(root.dtype()),
                            "backward: grad can be implicitly created only for real scalar outputs "
                            "but got ",
                            root.dtype());
        return engine_ops.ones_like(root);
    }
    check<RuntimeError>(same_sizes(grad.sizes(), root.sizes()),
                        "backward: Mismatch in shape: grad_output[0] has a shape of ", grad.sizes(),
                        " and output[0] has a shape of ", root.sizes(), ".");
    check<RuntimeError>(
        is_complex(grad.dtype()) == is_complex(root.dtype()),
        "backward: For complex Tensors, both grad_output and output are required to "
        "have the same dtype. Mismatch in dtype: grad_output[0] has a dtype of ",
        grad.dtype(), " and output[0] has a dtype of ", root.dtype(), ".");
    return grad;
}

/// Only the outermost run ends with the callbacks.
struct Depth {
    Depth() { ++depth; }
    ~Depth() {
        if (--depth == 0) callbacks.clear();
    }
    void finish() {
        if (depth != 1) return;
        for (size_t i = 0; i < callbacks.size(); ++i) callbacks[i]();
    }
};

}  // namespace

Tensors run_backward(const Tensors& roots, Tensors root_grads, bool retain_graph, bool create_graph,
                     const Tensors& inputs, bool accumulate) {
    GradMode guard(create_graph);
    Depth scope;
    Run run(retain_graph, create_graph);
    for (size_t i = 0; i < inputs.size(); ++i) {
        Edge edge = gradient_edge(inputs[i]);
        check<RuntimeError>(static_cast<bool>(edge),
                            "grad: One of the differentiated Tensors does not require grad: input ",
                            i);
        run.capture(edge, i);
    }
    for (size_t i = 0; i < roots.size(); ++i) {
        Tensor grad = root_grad(roots[i], i < root_grads.size() ? root_grads[i] : Tensor());
        Edge edge = gradient_edge(roots[i]);
        run.add_root(edge, engine_ops.conform(grad, edge.node->outputs()[edge.slot]));
    }
    run.plan();
    Tensors captured(inputs.size());
    run.execute(captured);
    if (accumulate)
        for (size_t i = 0; i < inputs.size(); ++i)
            if (captured[i].defined()) accumulate_grad(inputs[i], captured[i]);
    scope.finish();
    return captured;
}

thread_local bool grads_as_leaves = true;

void accumulate_grad(const Tensor& leaf, Tensor grad) {
    Variable& v = variable(leaf);
    Tensors grads{std::move(grad)};
    for (size_t i = 0; i < v.hooks.size(); ++i) {
        auto hook = v.hooks[i].pre;
        hook(grads);
    }
    Tensor& g = grads[0];
    if (!v.grad.defined()) {
        bool alike = (g.is_contiguous() && leaf.is_contiguous()) || !grads_as_leaves ||
                     same_sizes(g.strides(), preserved_strides(leaf));
        bool sole = alike && !g.body()->twin() && g.body()->count() == 1 && !g.storage()->twin() &&
                    g.storage()->count() == 1;
        v.grad = sole ? g : engine_ops.clone_as(g, leaf);
        if (!sole && !grad_enabled() && !dual_levels) v.grad = detach(v.grad);
    } else if (!grad_enabled()) {
        v.grad = engine_ops.add_inplace(v.grad, g);
    } else {
        v.grad = engine_ops.add(v.grad, g);
    }
    for (size_t i = 0; i < v.post_accumulate.size(); ++i) {
        Tensors self{leaf};
        auto hook = v.post_accumulate[i].pre;
        hook(self);
    }
}

bool anomaly_enabled() { return anomaly; }
void set_anomaly(bool enabled, bool nan) {
    anomaly = enabled;
    anomaly_nan = nan;
}
Node* current_node() { return running; }
void queue_callback(std::function<void()> callback) {
    check<RuntimeError>(depth > 0, "queue_callback: expected a running backward, found none");
    callbacks.push_back(std::move(callback));
}

}  // namespace kagari
