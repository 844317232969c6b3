// Keeping tensors for backward, with the check that nobody wrote to them since.
#include "autograd/saved.h"

#include "autograd/engine.h"
#include "autograd/record.h"
#include "autograd/tangent.h"

namespace kagari {

static thread_local std::vector<std::shared_ptr<SavedHooks>> saved_hooks;

void push_saved_hooks(std::shared_ptr<SavedHooks> hooks) {
    saved_hooks.push_back(std::move(hooks));
}
void pop_saved_hooks() { saved_hooks.pop_back(); }

/// `t` with its tangents, and nothing else that differentiation knows.
static Tensor without_history(const Tensor& t) {
    MadeOfOps nobody(nullptr);
    Tensor out = detach(t);
    if (dual_levels) share_tangents(out, t);
    return out;
}

Saved::Saved(const Tensor& t, bool is_output) : is_output_(is_output) {
    if (!t.defined()) return;
    check<RuntimeError>(
        !t.body()->inference,
        "backward: Inference tensors cannot be saved for backward. Make a clone to get a "
        "normal tensor and use it in autograd.");
    version_ = t.version();
    if (is_output) {
        // the node must not keep alive the tensor that keeps the node alive
        requires_grad_ = t.body()->requires_grad;
        if (Variable* v = find_variable(t)) slot_ = v->slot;
        tensor_ = without_history(t);
    } else {
        tensor_ = t;
    }
    if (!saved_hooks.empty()) [[unlikely]] {
        NoGrad guard;
        auto hooks = saved_hooks.back();
        auto value = hooks->pack(tensor_);
        Edge source;
        if (!is_output && t.requires_grad()) source = gradient_edge(t);
        packed_ = std::unique_ptr<Packed>(
            new Packed{std::move(hooks), std::move(value), std::move(source)});
        tensor_ = {};
    }
}

static void give_history(const Tensor& t, const Ref<Node>& node, uint32_t slot) {
    Variable& v = variable(t);
    v.grad_fn = node;
    v.slot = slot;
    t.body()->requires_grad = true;
}

Tensor Saved::unpack(Node* node) const {
    if (packed_) {
        Tensor value = packed_->hooks->unpack(packed_->value);
        Edge source = is_output_ && requires_grad_ ? Edge{Ref<Node>(node), slot_} : packed_->source;
        if (!source || !value.defined()) return value;
        Tensor out = detach(value);
        give_history(out, source.node, source.slot);
        return out;
    }
    if (!tensor_.defined()) return {};
    check<RuntimeError>(
        tensor_.version() == version_,
        "backward: one of the variables needed for gradient computation has been modified by an "
        "inplace operation: tensor of ",
        tensor_.dtype(), " ", tensor_.sizes(), ", needed by ",
        node ? node->name() : "a custom function", ", is at version ", tensor_.version(),
        "; expected version ", version_,
        " instead. Clone the tensor before writing to it; autograd.set_detect_anomaly(True) shows "
        "where it was used.");
    if (!is_output_) return tensor_;
    Tensor out = without_history(tensor_);
    if (requires_grad_ && node) give_history(out, Ref<Node>(node), slot_);
    return out;
}

Tensor Backward::grad_or_zeros(size_t i) const {
    return grads_[i].defined() ? grads_[i] : engine_ops.zeros(node_.outputs()[i]);
}

}  // namespace kagari
