// Forward-mode derivatives of a tensor: one tangent per level of differentiation. What ops make of
// them is left to ops/forward/.
#pragma once
#include "autograd/node.h"

namespace kagari {

/// Of this many levels the thread is inside; 0 costs nothing.
extern thread_local int dual_levels;

/// The tangents of a tensor, outermost level first. Tensors that are one value for differentiation
/// (a result and what its node saved of it) share them.
struct Tangents {
    struct Entry {
        int64_t level;
        Tensor value;
        int64_t version;  // of the tensor, when the tangent was set
    };
    std::vector<Entry> entries;
    Entry* find(int64_t level);
};

/// The tangent at `level`, undefined for none. That of a view follows writes to its base.
Tensor tangent_of(const Tensor& t, int64_t level);
/// Has `t`, or the base of this view, a tangent at any level?
bool has_tangent(const Tensor& t);
/// Gives `t` a tangent of its shape and dtype, or takes it away. True if `t` had none of its own.
bool set_tangent(const Tensor& t, Tensor value, int64_t level);
/// After a write to `t` that made its tangent `value`: a view's base changes there, too.
void write_tangent(const Tensor& t, const Tensor& value, int64_t level,
                   const std::function<void(const Tensor&)>& note);
// Note [Lost tangents]
// A tangent follows a tensor through ops. A backward rule, or the body of an op that says it is
// made of ops, which reads the memory of a tensor itself would lose it and nobody would know. So
// inside these, while there are dual levels, memory is guarded: reading it is an error that names
// who did. Within an op that all levels have seen its body may read.
class MadeOfOps {
  public:
    explicit MadeOfOps(const char* name) {
        if (dual_levels) enter(name);
    }
    ~MadeOfOps() {
        if (entered_) leave();
    }
    MadeOfOps(const MadeOfOps&) = delete;

    /// Who of this thread must be made of ops; null for nobody.
    static const char* running();

  private:
    void enter(const char* name);
    void leave();
    const char* before_ = nullptr;
    bool entered_ = false;
};

/// `to` has the tangents of `from` from now on, whatever they will be.
void share_tangents(const Tensor& to, const Tensor& from);

}  // namespace kagari
