// Running the graph backwards on the calling thread.
#pragma once
#include "autograd/node.h"

namespace kagari {

/// What the engine needs of the ops above it; set by ops/.
struct EngineOps {
    Tensor (*add)(const Tensor& a, const Tensor& b) = nullptr;
    /// a += b without recording; only when nobody else can see `a`.
    void (*add_inplace)(const Tensor& a, const Tensor& b) = nullptr;
    Tensor (*zeros)(const OutputInfo& info) = nullptr;
    Tensor (*ones_like)(const Tensor& t) = nullptr;
    /// Brings a gradient to its tensor's dtype; sums broadcast dimensions away.
    Tensor (*conform)(const Tensor& grad, const OutputInfo& info, const char* node) = nullptr;
    /// A fresh copy laid out like `like`.
    Tensor (*clone_like)(const Tensor& t, const Tensor& like) = nullptr;
    /// The window (sizes, strides, offset) of `view` on a tensor shaped like its base.
    Tensor (*window)(const Tensor& base_like, const OutputInfo& base, const Tensor& view) = nullptr;
    void (*copy)(const Tensor& to, const Tensor& from) = nullptr;
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

/// The node being run, or null.
Node* current_node();
/// Calls `callback` when the running backward ends.
void queue_callback(std::function<void()> callback);

}  // namespace kagari
