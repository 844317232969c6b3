// Numbers from the user that enter sums and products with sizes: bounded, so that those cannot
// overflow.
#pragma once
#include "tensor/dims.h"

namespace kagari {

inline constexpr int64_t kLargestStep = int64_t{1} << 31;

/// RuntimeError unless all of `values` (paddings, strides, offsets, ...) lie within 2^31.
inline void check_bounded(const char* op, const char* what, IntSpan values) {
    for (int64_t v : values)
        check<RuntimeError>(v >= -kLargestStep && v <= kLargestStep, op, ": ", what,
                            ": expected numbers of at most 2^31, got ", values);
}
inline void check_bounded(const char* op, const char* what, int64_t value) {
    check_bounded(op, what, IntSpan(&value, 1));
}

}  // namespace kagari
