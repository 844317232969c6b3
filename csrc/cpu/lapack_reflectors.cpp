// Householder reflectors through LAPACK: QR as reflectors, and the products of reflectors.
#include "cpu/lapack.h"
#include "cpu/lapack_call.h"

namespace kagari::cpu {
namespace {

// Calls `routine(space, length)` twice: the first call only asks for the work space.
template <class T, class F>
void with_space(F routine) {
    T answer{};
    int length = -1;
    routine(&answer, &length);
    length = wanted(answer);
    std::vector<T> space(size_t(length), T{});
    routine(space.data(), &length);
}

template <class T>
void geqrf(int m, int n, T* a, T* tau) {
    using F = void(const int*, const int*, T*, const int*, T*, T*, const int*, int*);
    static F* routine = openblas::lapack<T, F>("geqrf");
    int lead = std::max(1, m), info = 0;
    with_space<T>(
        [&](T* space, int* length) { routine(&m, &n, a, &lead, tau, space, length, &info); });
}

template <class T>
void orgqr(int m, int n, int k, T* a, const T* tau) {
    using F =
        void(const int*, const int*, const int*, T*, const int*, const T*, T*, const int*, int*);
    static F* routine = openblas::lapack<T, F>(kIsComplex<T> ? "ungqr" : "orgqr");
    int lead = std::max(1, m), info = 0;
    with_space<T>(
        [&](T* space, int* length) { routine(&m, &n, &k, a, &lead, tau, space, length, &info); });
}

template <class T>
void ormqr(const Reflectors& how, int rows, int m, int n, int k, const T* a, const T* tau, T* c) {
    using F = void(const char*, const char*, const int*, const int*, const int*, const T*,
                   const int*, const T*, T*, const int*, T*, const int*, int*, size_t, size_t);
    static F* routine = openblas::lapack<T, F>(kIsComplex<T> ? "unmqr" : "ormqr");
    int lead_a = std::max(1, rows), lead_c = std::max(1, m), info = 0;
    const char* op = !how.adjoint ? "N" : kIsComplex<T> ? "C" : "T";
    with_space<T>([&](T* space, int* length) {
        routine(how.left ? "L" : "R", op, &m, &n, &k, a, &lead_a, tau, c, &lead_c, space, length,
                &info, 1, 1);
    });
}

}  // namespace

void reflectors(const Stack& stack, int64_t m, int64_t n, void* a, void* tau) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t k = std::min(m, n);
        for_each_matrix(stack, 2 * m * n * k, [&](int64_t i) {
            geqrf(int(m), int(n), static_cast<T*>(a) + i * m * n, static_cast<T*>(tau) + i * k);
        });
    });
}

void multiply_reflectors(const Stack& stack, int64_t m, int64_t n, int64_t k, void* a,
                         const void* tau) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_each_matrix(stack, 2 * m * n * k, [&](int64_t i) {
            orgqr(int(m), int(n), int(k), static_cast<T*>(a) + i * m * n,
                  static_cast<const T*>(tau) + i * k);
        });
    });
}

void apply_reflectors(const Stack& stack, const Reflectors& how, int64_t m, int64_t n, int64_t k,
                      int64_t columns, const void* a, const void* tau, void* c) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t rows = how.left ? m : n;
        for_each_matrix(stack, 2 * m * n * k, [&](int64_t i) {
            ormqr(how, int(rows), int(m), int(n), int(k),
                  static_cast<const T*>(a) + i * rows * columns, static_cast<const T*>(tau) + i * k,
                  static_cast<T*>(c) + i * m * n);
        });
    });
}

void qr(const Stack& stack, int64_t m, int64_t n, int64_t columns, void* a, void* q) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t k = std::min(m, n);
        for_each_matrix(stack, 2 * m * n * k, [&](int64_t i) {
            std::vector<T> tau(size_t(std::max<int64_t>(1, k)));
            T* matrix = static_cast<T*>(a) + i * m * n;
            geqrf(int(m), int(n), matrix, tau.data());
            if (!q) return;
            T* out = static_cast<T*>(q) + i * m * columns;
            std::copy_n(matrix, m * std::min(n, columns), out);
            orgqr(int(m), int(columns), int(k), out, tau.data());
        });
    });
}

}  // namespace kagari::cpu
