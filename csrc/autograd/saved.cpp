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
        packed_ = std::unique_ptr<Packed>(new Packed{std::move(hooks), std::move(value)});
        tensor_ = {};
    }
}

Tensor Saved::unpack(Node* node) const {
    if (packed_) return packed_->hooks->unpack(packed_->value);
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
    if (requires_grad_ && node) {
        Variable& v = variable(out);
        v.grad_fn = Ref<Node>(node);
        v.slot = slot_;
        out.body()->requires_grad = true;
    }
    return out;
}

Tensor Backward::grad_or_zeros(size_t i) const {
    return grads_[i].defined() ? grads_[i] : engine_ops.zeros(node_.outputs()[i]);
}

}  // namespace kagari
