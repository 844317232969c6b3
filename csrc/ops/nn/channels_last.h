// The channels-last memory format of images: (N, C, spatial...) with the channels side by side.
#pragma once
#include "tensor/tensor.h"

namespace kagari::ops {

inline Dims channels_last_strides(IntSpan sizes) {
    Dims strides(sizes.size());
    int64_t step = sizes[1];
    strides[1] = 1;
    for (size_t d = sizes.size() - 1; d >= 2; d--) {
        strides[d] = step;
        step *= sizes[d];
    }
    strides[0] = step;
    return strides;
}

/// A row-major tensor that also fits the description counts as row-major.
inline bool is_channels_last(const Tensor& t) {
    return t.dim() >= 4 && !t.is_contiguous() &&
           same_sizes(t.strides(), channels_last_strides(t.sizes()));
}

/// New memory of `sizes` in the format of `like`.
inline Tensor empty_in_format(IntSpan sizes, const Tensor& like) {
    if (is_channels_last(like) && sizes.size() >= 4)
        return empty_strided(sizes, channels_last_strides(sizes), like.dtype(), like.device());
    return empty(sizes, like.dtype(), like.device());
}

}  // namespace kagari::ops
