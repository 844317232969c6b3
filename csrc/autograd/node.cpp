// Nodes, variables and the in-place rules of views.
#include "autograd/node.h"

#include <algorithm>
#include <unordered_set>

#include "autograd/engine.h"
#include "autograd/mode.h"
#include "autograd/record.h"
#include "tensor/batch.h"

namespace kagari {

thread_local ModeState mode;
AnomalyHooks anomaly_hooks;

namespace {
std::atomic<int64_t> hook_ids{1};
thread_local uint64_t next_sequence = 1;
}  // namespace

Node::Node() : sequence_(next_sequence++) {
    if (anomaly_enabled() && anomaly_hooks.note_creation) anomaly_hooks.note_creation(*this);
}
Node::~Node() = default;

int64_t Node::next_hook_id() { return hook_ids.fetch_add(1); }

// A chain of 100,000 nodes would recurse as deep: deletions inside a deletion wait in a list.
void Node::destroy() const noexcept {
    static thread_local std::vector<const Node*> waiting;
    static thread_local bool draining = false;
    if (draining) {
        waiting.push_back(this);
        return;
    }
    draining = true;
    delete this;
    while (!waiting.empty()) {
        const Node* node = waiting.back();
        waiting.pop_back();
        delete node;
    }
    draining = false;
}

namespace {

/// Where the gradient of a leaf arrives. It keeps the leaf alive as long as a graph leads here;
/// then it is parked in the leaf's Variable, which owns it, for the next graph.
class Accumulator final : public Node {
  public:
    explicit Accumulator(const Tensor& leaf) {
        run_first();
        outputs().push_back({Dims(leaf.sizes()), leaf.dtype(), leaf.device()});
    }
    void unpark(const Tensor& leaf) {
        if (!leaf_.defined()) leaf_ = leaf;
    }
    void destroy() const noexcept override {
        // dropping the leaf may delete it, its Variable, and with that this object
        Tensor leaf = std::move(leaf_);
        leaf_ = Tensor();
    }
    Tensors apply(Tensors grads) override {
        if (grads[0].defined()) accumulate_grad(leaf_, std::move(grads[0]));
        return {};
    }
    std::string name() const override { return "AccumulateGrad"; }
    Tensor variable() const override { return leaf_; }
    bool is_accumulator() const override { return true; }

  private:
    mutable Tensor leaf_;
};

/// The history of a view whose base was written to: a window on the base's gradient.
class WindowNode final : public Node {
  public:
    explicit WindowNode(Window window) : window_(std::move(window)) {}
    Tensors apply(Tensors grads) override {
        if (!grads[0].defined()) return {Tensor()};
        return {engine_ops.window_scatter({}, grads[0], window_)};
    }
    std::string name() const override { return "AsStridedBackward0"; }

  private:
    Window window_;
};

/// The history of a base that was written to through a view: outside the window the gradient passes
/// on, inside it goes through the op that wrote.
class WindowWriteNode final : public Node {
  public:
    WindowWriteNode(Window window, Ref<Node> op) : window_(std::move(window)), op_(std::move(op)) {}
    Tensors apply(Tensors grads) override {
        if (!op_) fail_released();
        if (!grads[0].defined()) return Tensors(edges().size());
        Tensors inner = op_->apply({engine_ops.window(grads[0], window_)});
        Tensor part = inner[0].defined() ? engine_ops.conform(inner[0], window_.view)
                                         : engine_ops.zeros(window_.view);
        inner[0] = engine_ops.window_scatter(grads[0], part, window_);
        return inner;
    }
    std::string name() const override { return "CopySlices"; }
    void release_saved() override {
        if (op_) op_->release_saved();
    }

  private:
    Window window_;
    Ref<Node> op_;
};

}  // namespace

Window window_of(const Tensor& view) {
    Tensor base(view.body()->base);
    int64_t ratio = static_cast<int64_t>(base.itemsize() / view.itemsize());
    Window w;
    w.base = {Dims(base.sizes()), base.dtype(), base.device()};
    w.base_strides = Dims(base.strides());
    w.view = {Dims(view.sizes()), view.dtype(), view.device()};
    w.strides = Dims(view.strides());
    w.offset = ratio ? view.offset() - base.offset() * ratio
                     : view.offset() - base.offset() / 2;  // complex view of real memory
    return w;
}

Variable::~Variable() {
    if (self) *self = nullptr;
    delete accumulator;
}

Variable* find_variable(const Tensor& t) {
    return static_cast<Variable*>(t.body()->autograd.get());
}

Variable& variable(const Tensor& t) {
    auto& slot = t.body()->autograd;
    if (!slot) slot = std::make_unique<Variable>();
    return static_cast<Variable&>(*slot);
}

Ref<Node> grad_fn(const Tensor& t) {
    const TensorBody* body = t.body();
    if (!body->base) {
        Variable* v = find_variable(t);
        return v ? v->grad_fn : nullptr;
    }
    if (!t.requires_grad()) return {};
    Variable& v = variable(t);
    if (body->view_version == t.version() || !body->base->requires_grad) return v.grad_fn;
    Tensor base(body->base);
    t.body()->view_version = t.version();
    if (!grad_fn(base) && v.view_origin) return v.grad_fn;  // made under no_grad from a leaf
    auto node = make_ref<WindowNode>(window_of(t));
    node->edges().push_back(gradient_edge(base));
    node->outputs().push_back({Dims(t.sizes()), t.dtype(), t.device()});
    v.grad_fn = node;
    v.slot = 0;
    return v.grad_fn;
}

bool is_leaf(const Tensor& t) { return !grad_fn(t); }

Edge gradient_edge(const Tensor& t) {
    if (!needs_grad(t)) return {};
    if (Ref<Node> fn = grad_fn(t)) return {std::move(fn), find_variable(t)->slot};
    Variable& v = variable(t);
    if (!v.accumulator) v.accumulator = new Accumulator(t);
    Edge edge{Ref<Node>(v.accumulator), 0};
    static_cast<Accumulator*>(v.accumulator)->unpark(t);
    return edge;
}

void set_requires_grad(const Tensor& t, bool value) {
    check<RuntimeError>(
        !value || is_differentiable(t.dtype()),
        "requires_grad_: only Tensors of floating point dtype can require gradients, "
        "got ",
        t.dtype());
    check<RuntimeError>(
        value || is_leaf(t),
        "requires_grad_: you can only change requires_grad flags of leaf variables. If "
        "you want to use a computed variable in a subgraph that doesn't require "
        "differentiation use var_no_grad = var.detach().");
    check<RuntimeError>(!value || !t.body()->inference || making_inference_tensors,
                        "requires_grad_: Setting requires_grad=True on inference tensor outside "
                        "InferenceMode is not allowed; clone it first");
    t.body()->requires_grad = value;
}

Tensor grad(const Tensor& t) {
    Variable* v = find_variable(t);
    return v ? v->grad : Tensor();
}

void set_grad(const Tensor& t, const Tensor& value) { variable(t).grad = value; }

Tensor detach(const Tensor& t) { return raw_view(t, t.sizes(), t.strides(), t.offset()); }

bool depends_on_others(const Tensors& tensors, const Tensors& own) {
    std::unordered_set<const Node*> seen;
    std::vector<Ref<Node>> waiting;
    auto visit = [&](const Edge& edge) {
        if (edge && seen.insert(edge.node.get()).second) waiting.push_back(edge.node);
    };
    for (const Tensor& t : tensors) visit(gradient_edge(recorded(t)));
    while (!waiting.empty()) {
        Ref<Node> node = std::move(waiting.back());
        waiting.pop_back();
        if (node->is_accumulator()) {
            Tensor leaf = node->variable();
            bool known = std::any_of(own.begin(), own.end(),
                                     [&](const Tensor& t) { return recorded(t).is(leaf); });
            if (!known) return true;
        }
        for (const Edge& edge : node->edges()) visit(edge);
    }
    return false;
}

void retain_grad(const Tensor& t) {
    check<RuntimeError>(t.requires_grad(),
                        "retain_grad: can't retain_grad on Tensor that has requires_grad=False");
    Ref<Node> fn = grad_fn(t);
    Variable& v = variable(t);
    if (!fn || v.retains_grad) return;
    v.retains_grad = true;
    v.self = std::make_shared<TensorBody*>(t.body());
    NodeHook hook{Node::next_hook_id(), {}, {}, v.slot, true};
    hook.pre = [self = v.self, slot = v.slot](Tensors& grads) {
        if (!*self || !grads[slot].defined()) return;
        Tensor kept{Ref<TensorBody>(*self)};
        Tensor before = grad(kept);
        set_grad(kept, before.defined() ? engine_ops.add(before, grads[slot])
                                        : engine_ops.clone_as(grads[slot], grads[slot]));
    };
    fn->hooks().push_back(std::move(hook));
}

void attach(const Ref<Node>& node, const Tensors& outputs, const Tensors& inputs) {
    auto& edges = node->edges();
    edges.reserve(inputs.size());
    for (const Tensor& input : inputs) edges.push_back(gradient_edge(input));
    node->outputs().reserve(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
        const Tensor& out = outputs[i];
        if (!out.defined()) {
            node->outputs().push_back({});
            continue;
        }
        node->outputs().push_back({out.body()->sizes, out.dtype(), out.device()});
        if (!is_differentiable(out.dtype())) continue;
        Variable& v = variable(out);
        v.grad_fn = node;
        v.slot = static_cast<uint32_t>(i);
        out.body()->requires_grad = true;
    }
}

void check_inplace(const Tensor& target, const char* op) {
    check<RuntimeError>(!overlaps_itself(target), op,
                        ": unsupported operation: more than one element of the written-to tensor "
                        "refers to a single memory location. Please clone() the tensor before "
                        "performing the operation.");
    check<RuntimeError>(
        !target.body()->inference || making_inference_tensors, op,
        ": Inplace update to inference tensor outside InferenceMode is not allowed. "
        "You can make a clone to get a normal tensor before doing inplace update.");
    if (!grad_enabled()) return;
    const Ref<TensorBody>& base = target.body()->base;
    if (target.requires_grad() && is_leaf(target) && !base)
        fail<RuntimeError>(op,
                           ": a leaf Variable that requires grad is being used in an in-place "
                           "operation. Use no_grad() or .data if this is meant.");
    if (!base) return;
    Variable* v = find_variable(target);
    if (v && v->view_origin && target.requires_grad())
        fail<RuntimeError>(op, ": Output ", v->slot,
                           " of a view op is a view and is being modified "
                           "inplace. This view ",
                           v->view_origin,
                           " and can therefore not be written to while its history is recorded. "
                           "Clone it first.");
    if (base->requires_grad && is_leaf(Tensor(base)))
        fail<RuntimeError>(op,
                           ": a view of a leaf Variable that requires grad is being used in an "
                           "in-place operation. Use no_grad() or .data if this is meant.");
}

void rebase_history(const Tensor& target, const Ref<Node>& node) {
    if (!target.body()->base) {
        Variable& v = variable(target);
        v.grad_fn = node;
        v.slot = 0;
        target.body()->requires_grad = true;
        return;
    }
    Tensor base(target.body()->base);
    auto write = make_ref<WindowWriteNode>(window_of(target), node);
    write->edges() = node->edges();
    write->edges()[0] = gradient_edge(base);
    write->outputs().push_back({Dims(base.sizes()), base.dtype(), base.device()});
    Variable& v = variable(base);
    v.grad_fn = write;
    v.slot = 0;
    base.body()->requires_grad = true;
    target.body()->view_version = -1;  // its history is now a window on the base's
}

void fail_released() {
    fail<RuntimeError>(
        "backward: Trying to backward through the graph a second time (or directly access saved "
        "tensors after they have already been freed). Saved intermediate values of the graph are "
        "freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need "
        "to backward through the graph a second time.");
}

bool should_record_any(const Tensors& inputs) {
    if (!grad_enabled()) return false;
    for (const Tensor& t : inputs)
        if (needs_grad(t)) return true;
    return false;
}

}  // namespace kagari
