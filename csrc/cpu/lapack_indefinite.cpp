// Symmetric and Hermitian indefinite matrices through LAPACK: A = L D L^T with blocks of 1 and 2.
#include "cpu/lapack.h"
#include "cpu/lapack_call.h"

namespace kagari::cpu {
namespace {

template <class T>
int sytrf(bool hermitian, int n, T* a, int32_t* pivots) {
    using F = void(const char*, const int*, T*, const int*, int*, T*, const int*, int*, size_t);
    F* routine = openblas::lapack<T, F>(kIsComplex<T> && hermitian ? "hetrf" : "sytrf");
    int lead = std::max(1, n), length = -1, info = 0;
    T answer{};
    routine("L", &n, a, &lead, pivots, &answer, &length, &info, 1);
    length = wanted(answer);
    std::vector<T> space(size_t(length), T{});
    routine("L", &n, a, &lead, pivots, space.data(), &length, &info, 1);
    return info;
}

}  // namespace

void ldl_factor(const Stack& stack, bool hermitian, int64_t n, void* a, int32_t* pivots) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_each_matrix(stack, n * n * n / 3, [&](int64_t i) {
            report(stack, i,
                   sytrf(hermitian, int(n), static_cast<T*>(a) + i * n * n, pivots + i * n));
        });
    });
}

void ldl_solve(const Stack& stack, bool hermitian, int64_t n, int64_t columns, const void* ld,
               const int32_t* pivots, void* b) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using F = void(const char*, const int*, const int*, const T*, const int*, const int*, T*,
                       const int*, int*, size_t);
        F* routine = openblas::lapack<T, F>(kIsComplex<T> && hermitian ? "hetrs" : "sytrs");
        for_each_matrix(stack, n * n * columns, [&](int64_t i) {
            int size = int(n), cols = int(columns), lead = std::max(1, size), info = 0;
            routine("L", &size, &cols, static_cast<const T*>(ld) + i * n * n, &lead, pivots + i * n,
                    static_cast<T*>(b) + i * n * columns, &lead, &info, 1);
        });
    });
}

}  // namespace kagari::cpu
