// A tensor kept for backward: it remembers the version it was saved at, so that a later in-place
// write is an error and never a wrong gradient.
#pragma once
#include "autograd/node.h"

namespace kagari {

/// Replaces what is kept (offloading, checkpointing); installed per thread, innermost last.
struct SavedHooks {
    virtual ~SavedHooks() = default;
    virtual std::shared_ptr<void> pack(const Tensor& t) = 0;
    virtual Tensor unpack(const std::shared_ptr<void>& packed) = 0;
};
void push_saved_hooks(std::shared_ptr<SavedHooks> hooks);
void pop_saved_hooks();

class Saved {
  public:
    Saved() = default;
    /// `is_output`: made by the node that keeps it, so it must not hold on to that node.
    Saved(const Tensor& t, bool is_output);

    bool defined() const { return tensor_.defined() || packed_; }
    /// The tensor, with `node` as its history if it was an output. `node_name` is for the error.
    Tensor unpack(Node* node) const;
    /// What is kept, unchecked; undefined where hooks keep it. Does it depend on what requires
    /// grad?
    const Tensor& kept() const { return tensor_; }
    bool depends() const {
        return tensor_.defined() && (requires_grad_ || tensor_.requires_grad());
    }
    void release() {
        tensor_ = {};
        packed_ = nullptr;
    }

  private:
    struct Packed {
        std::shared_ptr<SavedHooks> hooks;
        std::shared_ptr<void> value;
        Edge source;  // of an input: what hooks give back has its history again
    };
    Tensor tensor_;
    int64_t version_ = 0;
    std::unique_ptr<Packed> packed_;
    uint32_t slot_ = 0;
    bool is_output_ = false;
    bool requires_grad_ = false;
};

}  // namespace kagari
