// A tensor inside vmap: the shape of one sample, and the tensor that holds all of them. What ops do
// with it is left to ops/vmap.h.
#pragma once
#include "tensor/tensor.h"

namespace kagari {

struct BatchSlot {
    Tensor value;       // all samples, along dimension 0; of an outer level it may be batched, too
    int64_t level = 0;  // which vmap, counted from the outermost
};

inline const BatchSlot* batch_of(const Tensor& t) { return t.body()->batch.get(); }

/// One sample of `value`, as `level` sees it.
Tensor make_batched(const Tensor& value, int64_t level);

/// The tensor that differentiation knows: `t`, or what it stands for through all levels.
inline const Tensor& recorded(const Tensor& t) {
    const Tensor* at = &t;
    while (const BatchSlot* slot = batch_of(*at)) at = &slot->value;
    return *at;
}

}  // namespace kagari
