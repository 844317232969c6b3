// How an op writes itself into the graph: one call with its inputs, what it keeps, and its
// backward.
#pragma once
#include <initializer_list>

#include "autograd/mode.h"
#include "autograd/node.h"
#include "autograd/saved.h"
#include "autograd/tangent.h"

namespace kagari {

/// What a backward closure sees.
class Backward {
  public:
    Backward(Node& node, const Tensors& grads, const std::vector<Saved>& saved)
        : node_(node), grads_(grads), saved_(saved) {}
    /// Gradient of output `i`; undefined if none came.
    const Tensor& grad(size_t i = 0) const { return grads_[i]; }
    /// Gradient of output `i`, zeros if none came.
    Tensor grad_or_zeros(size_t i) const;
    /// What was kept as number `i`, checked against later writes.
    Tensor saved(size_t i) const { return saved_[i].unpack(&node_); }
    bool has_saved(size_t i) const { return saved_[i].defined(); }
    /// Is the gradient of input `i` wanted?
    bool needs(size_t i) const { return static_cast<bool>(node_.edges()[i]); }

  private:
    Node& node_;
    const Tensors& grads_;
    const std::vector<Saved>& saved_;
};

inline bool needs_grad(const Tensor& t) { return t.defined() && t.requires_grad(); }

template <class... T>
inline bool should_record(const T&... inputs) {
    return grad_enabled() && (needs_grad(inputs) || ...);
}
bool should_record_any(const Tensors& inputs);

[[noreturn]] void fail_released();

/// A node whose rule is a closure.
template <class F>
class ClosureNode final : public Node {
  public:
    ClosureNode(const char* name, F rule) : rule_(std::move(rule)), name_(name) {}
    Tensors apply(Tensors grads) override {
        if (released_) fail_released();
        Backward ctx(*this, grads, saved_);
        MadeOfOps scope(name_);
        return rule_(ctx);
    }
    std::string name() const override { return name_; }
    void release_saved() override {
        released_ = !saved_.empty();
        for (Saved& s : saved_) s.release();
    }
    void each_saved(const std::function<void(const Saved&)>& visit) const override {
        for (const Saved& s : saved_) visit(s);
    }
    std::vector<Saved>& saved() { return saved_; }

  private:
    F rule_;
    const char* name_;
    bool released_ = false;
    std::vector<Saved> saved_;
};

/// Ties `outputs` to `node`, whose edges lead to `inputs`. Differentiable dtypes only: integer
/// outputs stay without history.
void attach(const Ref<Node>& node,
            std::initializer_list<std::reference_wrapper<const Tensor>> outputs,
            const Tensors& inputs);
void attach(const Ref<Node>& node, const Tensors& outputs, const Tensors& inputs);

/// Writes an op into the graph. `rule` is called as Tensors(Backward&) and returns one gradient per
/// input, undefined for none. Call only if should_record(inputs...).
template <class F>
void record(const char* name, const Tensors& outputs, const Tensors& inputs, const Tensors& saved,
            F rule) {
    auto node = make_ref<ClosureNode<F>>(name, std::move(rule));
    attach(node, outputs, inputs);
    node->saved().reserve(saved.size());
    for (const Tensor& t : saved) {
        bool is_output = false;
        for (const Tensor& out : outputs) is_output |= out.is(t);
        node->saved().emplace_back(t, is_output);
    }
}

/// After an in-place write to `target` whose result is that of `node` (edges set): gives `target`,
/// and through views its base, the new history. Errors of in-place writes are raised before, by
/// check_inplace.
void rebase_history(const Tensor& target, const Ref<Node>& node);
/// Error if `target` may not be written to now: a leaf that requires grad, an expanded tensor, a
/// view of several outputs.
void check_inplace(const Tensor& target, const char* op);

}  // namespace kagari
