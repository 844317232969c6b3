// Running the graph backwards on the calling thread.
#pragma once
#include "autograd/node.h"

namespace kagari {

/// A window of a tensor's storage, relative to that of `base`.
struct Window {
    OutputInfo base;
    Dims base_strides;
    OutputInfo view;
    Dims strides;
    int64_t offset = 0;
};

/// Where a view lies in its base.
Window window_of(const Tensor& view);

/// What the engine needs of the ops above it; set by ops/gradient_ops.cpp. All but the in-place
/// ones record themselves.
struct EngineOps {
    Tensor (*add)(const Tensor& a, const Tensor& b) = nullptr;
    /// a += b; only when nobody else can see `a`, or for a leaf's .grad. Under an interceptor,
    /// which may hold more in `b` than `a` has room for, a new sum.
    Tensor (*add_inplace)(const Tensor& a, const Tensor& b) = nullptr;
    Tensor (*zeros)(const OutputInfo& info) = nullptr;
    Tensor (*ones_like)(const Tensor& t) = nullptr;
    /// Brings a gradient to the shape (summing broadcast dimensions) and dtype of what it is for.
    Tensor (*conform)(const Tensor& grad, const OutputInfo& info) = nullptr;
    /// A copy of `t` in memory laid out as that of `like`.
    Tensor (*clone_as)(const Tensor& t, const Tensor& like) = nullptr;
    Tensor (*window)(const Tensor& base_grad, const Window& window) = nullptr;
    /// `base_grad` with `part` in place of the window; an undefined `base_grad` is zeros.
    Tensor (*window_scatter)(const Tensor& base_grad, const Tensor& part,
                             const Window& window) = nullptr;
    bool (*has_nan)(const Tensor& t) = nullptr;
};
extern EngineOps engine_ops;

/// Sums of the gradients of `roots` with respect to leaves go to .grad, or, if `inputs` is not
/// empty, with respect to `inputs` into the result (undefined where unreached).
Tensors run_backward(const Tensors& roots, Tensors root_grads, bool retain_graph, bool create_graph,
                     const Tensors& inputs, bool accumulate);

bool anomaly_enabled();
void set_anomaly(bool enabled, bool check_nan);
/// Called at the making of a node while anomaly mode is on, and when its backward fails.
struct AnomalyHooks {
    void (*note_creation)(Node& node) = nullptr;
    void (*report)(Node& node) = nullptr;
};
extern AnomalyHooks anomaly_hooks;

/// Adds to .grad of a leaf, running its hooks.
void accumulate_grad(const Tensor& leaf, Tensor grad);

/// The node being run, or null.
/// Must a leaf's first gradient have the layout of the leaf? A switch of the thread.
extern thread_local bool grads_as_leaves;
Node* current_node();
/// Calls `callback` when the running backward ends.
void queue_callback(std::function<void()> callback);

}  // namespace kagari
