// The graph that differentiation walks: nodes, edges, hooks. Running it is left to engine.h, making
// nodes to record.h.
#pragma once
#include <functional>
#include <string>

#include "tensor/small_vector.h"
#include "tensor/tensor.h"

namespace kagari {

class Node;
class Saved;

/// Where a gradient goes: input `slot` of `node`. An empty edge drops it.
struct Edge {
    Ref<Node> node;
    uint32_t slot = 0;
    explicit operator bool() const { return static_cast<bool>(node); }
};

/// Shape and dtype of a forward result: what its gradient must look like.
struct OutputInfo {
    Dims sizes;
    DType dtype = DType::F32;
    Device device;
};

/// Something foreign (a Python callable) that sees gradients on their way. Removed by id.
struct NodeHook {
    int64_t id;
    /// Before the node: may replace the gradients of its outputs.
    std::function<void(Tensors& grads)> pre;
    /// After it: sees what came in, may replace what goes out.
    std::function<void(Tensors& grads_in, const Tensors& grads_out)> post;
    uint32_t slot = 0;          // of a tensor pre hook
    bool after_others = false;  // retain_grad sees the gradient that all other hooks have left
};

class Node : public Counted, public Pooled {
  public:
    Node();
    ~Node() override;
    void destroy() const noexcept override;

    /// Gradients of the inputs from those of the outputs. An undefined tensor means zero.
    virtual Tensors apply(Tensors grads) = 0;
    virtual std::string name() const = 0;
    /// Drops saved tensors; a second apply is then an error.
    virtual void release_saved() {}
    /// The tensor that a leaf's accumulator stands for.
    virtual Tensor variable() const { return {}; }
    virtual bool is_accumulator() const { return false; }
    virtual void each_saved(const std::function<void(const Saved&)>&) const {}
    /// Saved values by name for Python (`grad_fn._saved_self`).
    virtual std::vector<std::pair<std::string, Tensor>> saved_values() const { return {}; }

    using Edges = SmallVector<Edge, 2>;
    Edges& edges() { return edges_; }
    const Edges& edges() const { return edges_; }
    using Outputs = SmallVector<OutputInfo, 1>;
    Outputs& outputs() { return outputs_; }
    uint64_t sequence() const { return sequence_; }
    /// Accumulators run as soon as they are ready.
    void run_first() { sequence_ = UINT64_MAX; }

    std::vector<NodeHook>& hooks() { return hooks_; }
    static int64_t next_hook_id();

    /// Python's `metadata` and the stack trace of anomaly mode, kept by the Python room.
    std::shared_ptr<void> python_data;

  private:
    Edges edges_;      // one per forward input
    Outputs outputs_;  // one per forward output
    std::vector<NodeHook> hooks_;
    uint64_t sequence_;
};

struct Tangents;

/// What a tensor knows of differentiation.
struct Variable final : AutogradSlot, Pooled {
    Ref<Node> grad_fn;
    uint32_t slot = 0;  // which output of grad_fn the tensor is
    Tensor grad;
    Node* accumulator = nullptr;  // of a leaf; parked here while no graph needs it
    std::vector<NodeHook> hooks;  // of a leaf; of others they sit on grad_fn
    std::vector<NodeHook> post_accumulate;
    std::shared_ptr<Tangents> tangents;  // of forward mode (tangent.h)
    /// Why an in-place write through this view is an error; null when it is none.
    const char* view_origin = nullptr;
    bool retains_grad = false;
    std::shared_ptr<TensorBody*>
        self;  // emptied when the tensor goes; for hooks that must not keep it
    ~Variable() override;
};

/// The slot of `t`, made if there is none.
Variable& variable(const Tensor& t);
/// The slot or null.
Variable* find_variable(const Tensor& t);
/// The node that made `t`, brought up to date if `t` is a view whose base was written to.
Ref<Node> grad_fn(const Tensor& t);
bool is_leaf(const Tensor& t);
/// Where the gradient of `t` goes: its grad_fn or, for a leaf that requires it, an accumulator.
Edge gradient_edge(const Tensor& t);
void set_requires_grad(const Tensor& t, bool value);
Tensor grad(const Tensor& t);
void set_grad(const Tensor& t, const Tensor& value);
/// A tensor with the same storage and no history.
Tensor detach(const Tensor& t);
/// Do these tensors depend on a leaf that is not among `own`?
bool depends_on_others(const Tensors& tensors, const Tensors& own);
/// Keeps .grad of a tensor that is not a leaf.
void retain_grad(const Tensor& t);

}  // namespace kagari
