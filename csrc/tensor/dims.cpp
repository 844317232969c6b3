// Arithmetic on sizes and strides, with the errors that bad ones raise.
#include "tensor/dims.h"

namespace kagari {

std::ostream& operator<<(std::ostream& os, std::span<const int64_t> sizes) {
    os << '(';
    for (size_t i = 0; i < sizes.size(); ++i) os << (i ? ", " : "") << sizes[i];
    return os << (sizes.size() == 1 ? ",)" : ")");
}

int64_t checked_numel(IntSpan sizes, const char* op) {
    int64_t count = 1;
    bool overflow = false, empty = false;
    for (int64_t size : sizes) {
        check<RuntimeError>(size >= 0, op, ": expected sizes >= 0, got ", sizes,
                            " (trying to create a tensor with negative dimension ", size, ")");
        empty |= size == 0;
        if (size) overflow |= __builtin_mul_overflow(count, size, &count);
    }
    if (empty) return 0;
    check<RuntimeError>(!overflow, op, ": expected fewer than 2^63 elements, got sizes ", sizes);
    return count;
}

Dims contiguous_strides(IntSpan sizes) {
    Dims strides(sizes.size());
    int64_t step = 1;
    for (size_t i = sizes.size(); i-- > 0;) {
        strides[i] = step;
        // wraps only where another size is 0, and then no element is ever reached
        __builtin_mul_overflow(step, std::max<int64_t>(sizes[i], 1), &step);
    }
    return strides;
}

int64_t wrap_dim(int64_t dim, int64_t rank, const char* op) {
    int64_t span = std::max<int64_t>(rank, 1);
    check<IndexError>(dim >= -span && dim < span, op,
                      ": dim: Dimension out of range (expected to be in range of [", -span, ", ",
                      span - 1, "], but got ", dim, ")");
    return dim < 0 ? dim + span : dim;
}

Dims broadcast_sizes(IntSpan a, IntSpan b, const char* op) {
    if (a.size() < b.size()) std::swap(a, b);
    Dims out(a);
    size_t lead = a.size() - b.size();
    for (size_t i = 0; i < b.size(); ++i) {
        int64_t& size = out[lead + i];
        if (size == 1) size = b[i];
        check<RuntimeError>(b[i] == 1 || b[i] == size, op, ": The size of tensor a (", a[lead + i],
                            ") must match the size of tensor b (", b[i],
                            ") at non-singleton dimension ", lead + i, ": shapes ", a, " and ", b,
                            " do not broadcast");
    }
    return out;
}

}  // namespace kagari
