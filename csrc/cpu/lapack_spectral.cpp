// Spectral factorisations through LAPACK: singular values, eigenvalues.
#include <cstring>

#include "cpu/lapack.h"
#include "cpu/lapack_call.h"

namespace kagari::cpu {
namespace {

// jobz 'A' all vectors, 'S' the first k, 'N' none.
template <class T>
int gesdd(const char* jobz, int m, int n, T* a, Real<T>* s, T* u, T* vh) {
    int k = std::min(m, n), lead = std::max(1, m), lead_u = std::max(1, m);
    int lead_v = std::max(1, *jobz == 'A' ? n : k), info = 0;
    std::vector<int> integers(size_t(std::max(1, 8 * k)));
    int64_t big = std::max(m, n),
            r = std::max<int64_t>(5 * int64_t(k) * k + 7 * k, 2 * big * k + 2 * int64_t(k) * k + k);
    std::vector<Real<T>> reals(size_t(kIsComplex<T> ? std::max<int64_t>(1, r) : 1));
    std::vector<T> work(1);
    for (int length : {-1, 0}) {
        if (length == 0) length = wanted(work[0]), work.resize(size_t(length));
        if constexpr (kIsComplex<T>) {
            using F =
                void(const char*, const int*, const int*, T*, const int*, Real<T>*, T*, const int*,
                     T*, const int*, T*, const int*, Real<T>*, int*, int*, size_t);
            static F* routine = openblas::lapack<T, F>("gesdd");
            routine(jobz, &m, &n, a, &lead, s, u, &lead_u, vh, &lead_v, work.data(), &length,
                    reals.data(), integers.data(), &info, 1);
        } else {
            using F = void(const char*, const int*, const int*, T*, const int*, T*, T*, const int*,
                           T*, const int*, T*, const int*, int*, int*, size_t);
            static F* routine = openblas::lapack<T, F>("gesdd");
            routine(jobz, &m, &n, a, &lead, s, u, &lead_u, vh, &lead_v, work.data(), &length,
                    integers.data(), &info, 1);
        }
    }
    return info;
}

template <class T>
int eigh_one(const char* jobz, const char* uplo, int n, T* a, Real<T>* w) {
    int lead = std::max(1, n), info = 0;
    std::vector<T> work(1);
    std::vector<Real<T>> reals(1);
    std::vector<int> integers(1);
    for (int round = 0; round < 2; round++) {
        int length = round ? int(work.size()) : -1, more = round ? int(integers.size()) : -1;
        if constexpr (kIsComplex<T>) {
            using F =
                void(const char*, const char*, const int*, T*, const int*, Real<T>*, T*, const int*,
                     Real<T>*, const int*, int*, const int*, int*, size_t, size_t);
            static F* routine = openblas::lapack<T, F>("heevd");
            int real_length = round ? int(reals.size()) : -1;
            routine(jobz, uplo, &n, a, &lead, w, work.data(), &length, reals.data(), &real_length,
                    integers.data(), &more, &info, 1, 1);
        } else {
            using F = void(const char*, const char*, const int*, T*, const int*, T*, T*, const int*,
                           int*, const int*, int*, size_t, size_t);
            static F* routine = openblas::lapack<T, F>("syevd");
            routine(jobz, uplo, &n, a, &lead, w, work.data(), &length, integers.data(), &more,
                    &info, 1, 1);
        }
        if (round == 0) {
            work.resize(size_t(wanted(work[0])));
            reals.resize(size_t(wanted(reals[0])));
            integers.resize(size_t(std::max(1, integers[0])));
        }
    }
    return info;
}

template <class T>
int geev(int n, std::complex<T>* a, std::complex<T>* w, std::complex<T>* v) {
    using C = std::complex<T>;
    using F = void(const char*, const char*, const int*, C*, const int*, C*, C*, const int*, C*,
                   const int*, C*, const int*, T*, int*, size_t, size_t);
    static F* routine = openblas::lapack<C, F>("geev");
    int lead = std::max(1, n), info = 0;
    std::vector<T> reals(size_t(2 * std::max(1, n)));
    std::vector<C> work(1);
    C none;
    for (int length : {-1, 0}) {
        if (length == 0) length = wanted(work[0]), work.resize(size_t(length));
        routine("N", v ? "V" : "N", &n, a, &lead, w, &none, &lead, v ? v : &none, &lead,
                work.data(), &length, reals.data(), &info, 1, 1);
    }
    return info;
}

// Real matrices have complex eigenvalues in pairs; a pair's vectors are x + iy and x - iy.
template <class T>
int geev(int n, T* a, std::complex<T>* w, std::complex<T>* v) {
    using F = void(const char*, const char*, const int*, T*, const int*, T*, T*, T*, const int*, T*,
                   const int*, T*, const int*, int*, size_t, size_t);
    static F* routine = openblas::lapack<T, F>("geev");
    int lead = std::max(1, n), info = 0;
    auto size = size_t(std::max(1, n));
    std::vector<T> real(size), imaginary(size), vectors(v ? size * size : 1), work(1);
    T none = 0;
    for (int length : {-1, 0}) {
        if (length == 0) length = wanted(work[0]), work.resize(size_t(length));
        routine("N", v ? "V" : "N", &n, a, &lead, real.data(), imaginary.data(), &none, &lead,
                vectors.data(), &lead, work.data(), &length, &info, 1, 1);
    }
    for (int j = 0; j < n; j++) w[j] = {real[j], imaginary[j]};
    for (int j = 0; v && j < n; j++) {
        bool pair = imaginary[j] != 0 && j + 1 < n;
        for (int i = 0; i < n; i++) {
            T x = vectors[size_t(j) * n + i], y = pair ? vectors[size_t(j + 1) * n + i] : T(0);
            v[int64_t(j) * n + i] = {x, y};
            if (pair) v[int64_t(j + 1) * n + i] = {x, -y};
        }
        if (pair) j++;
    }
    return info;
}

}  // namespace

void svd(const Stack& stack, int64_t m, int64_t n, bool full, void* a, void* s, void* u, void* vh) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t k = std::min(m, n), cols = full ? m : k, rows = full ? n : k;
        for_each_matrix(stack, 8 * m * n * k, [&](int64_t i) {
            T none{};
            report(stack, i,
                   gesdd<T>(!u     ? "N"
                            : full ? "A"
                                   : "S",
                            int(m), int(n), static_cast<T*>(a) + i * m * n,
                            static_cast<Real<T>*>(s) + i * k,
                            u ? static_cast<T*>(u) + i * m * cols : &none,
                            u ? static_cast<T*>(vh) + i * rows * n : &none));
        });
    });
}

void eigh(const Stack& stack, bool upper, bool vectors, int64_t n, void* a, void* values) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_each_matrix(stack, 8 * n * n * n, [&](int64_t i) {
            report(
                stack, i,
                eigh_one<T>(vectors ? "V" : "N", upper ? "U" : "L", int(n),
                            static_cast<T*>(a) + i * n * n, static_cast<Real<T>*>(values) + i * n));
        });
    });
}

void eig(const Stack& stack, int64_t n, void* a, void* values, void* vectors) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using C = std::complex<Real<T>>;
        for_each_matrix(stack, 16 * n * n * n, [&](int64_t i) {
            C* v = vectors ? static_cast<C*>(vectors) + i * n * n : nullptr;
            report(
                stack, i,
                geev(int(n), static_cast<T*>(a) + i * n * n, static_cast<C*>(values) + i * n, v));
        });
    });
}

}  // namespace kagari::cpu
