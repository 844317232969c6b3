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
/// Gives `t` a tangent of its shape and dtype, or takes it away. True if `t` had none of its own.
bool set_tangent(const Tensor& t, Tensor value, int64_t level);
/// After a write to `t` that made its tangent `value`: a view's base changes there, too.
void write_tangent(const Tensor& t, const Tensor& value, int64_t level,
                   const std::function<void(const Tensor&)>& note);
/// `to` has the tangents of `from` from now on, whatever they will be.
void share_tangents(const Tensor& to, const Tensor& from);

}  // namespace kagari
