// What every LAPACK wrapper needs: the element types, the loop over a stack, work space.
#pragma once
#include <algorithm>
#include <vector>

#include "cpu/lapack.h"
#include "runtime/libraries_openblas.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {

template <class T>
struct RealOf {
    using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
    using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

template <class F>
void visit_lapack(DType dtype, F f) {
    openblas::library();  // opened here, not by a thread of a parallel loop
    switch (dtype) {
        case DType::F32:
            return f(TypeTag<float>());
        case DType::F64:
            return f(TypeTag<double>());
        case DType::C64:
            return f(TypeTag<c64>());
        case DType::C128:
            return f(TypeTag<c128>());
        default:
            fail<RuntimeError>("linalg: Expected a floating point or complex tensor as input. Got ",
                               name(dtype));
    }
}

/// f(i) for every matrix; `work` is about the number of multiplications for one.
template <class F>
void for_each_matrix(const Stack& stack, int64_t work, F f) {
    int64_t grain = std::max<int64_t>(1, (1 << 16) / std::max<int64_t>(1, work));
    parallel_for(0, stack.count, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) f(i);
    });
}

/// Routines tell how much work space they want when asked with length -1.
template <class T>
int wanted(const T& answer) {
    if constexpr (kIsComplex<T>)
        return std::max(1, int(answer.real()));
    else
        return std::max(1, int(answer));
}

inline void report(const Stack& stack, int64_t i, int info) {
    if (stack.info) stack.info[i] = info;
}

}  // namespace kagari::cpu
