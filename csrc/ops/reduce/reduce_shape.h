// From the shape of a result of a reduction back to that of its input, for gradients.
#pragma once
#include "ops/movement/views.h"
#include "ops/reduce/reduction.h"

namespace kagari::ops {

/// Puts the reduced dimensions back with size 1 (a view), so that `t` broadcasts over the input.
inline Tensor with_reduced(Tensor t, const Reduced& gone, bool keepdim) {
    if (!keepdim)
        for (size_t i = 0; i < gone.size(); ++i)
            if (gone[i]) t = unsqueeze(t, static_cast<int64_t>(i));
    return t;
}

}  // namespace kagari::ops
