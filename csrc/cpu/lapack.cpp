// Linear systems through LAPACK: LU, Cholesky, triangles, least squares. Orthogonal and spectral
// factorisations are in lapack_spectral.cpp.
#include "cpu/lapack.h"

#include <limits>

#include "cpu/lapack_call.h"

namespace kagari::cpu {

void lu_factor(const Stack& stack, int64_t m, int64_t n, void* a, int32_t* pivots) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Getrf = void(const int*, const int*, T*, const int*, int*, int*);
        static Getrf* getrf = openblas::lapack<T, Getrf>("getrf");
        for_each_matrix(stack, m * n * std::min(m, n), [&](int64_t i) {
            int rows = int(m), cols = int(n), lead = std::max(1, rows), info = 0;
            getrf(&rows, &cols, static_cast<T*>(a) + i * m * n, &lead, pivots + i * std::min(m, n),
                  &info);
            report(stack, i, info);
        });
    });
}

// LAPACK has no such routine: one column after the other, each taken from those to its right.
void lu_unpivoted(const Stack& stack, int64_t m, int64_t n, void* a) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_each_matrix(stack, m * n * std::min(m, n), [&](int64_t i) {
            T* matrix = static_cast<T*>(a) + i * m * n;
            int verdict = 0;
            for (int64_t k = 0; k < std::min(m, n); k++) {
                T* column = matrix + k * m;
                if (column[k] == T(0) && !verdict) verdict = int(k) + 1;
                for (int64_t r = k + 1; r < m; r++) column[r] /= column[k];
                for (int64_t c = k + 1; c < n; c++) {
                    T* other = matrix + c * m;
                    for (int64_t r = k + 1; r < m; r++) other[r] -= column[r] * other[k];
                }
            }
            report(stack, i, verdict);
        });
    });
}

void lu_solve(const Stack& stack, char op, int64_t n, int64_t columns, const void* lu,
              const int32_t* pivots, void* b) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Getrs = void(const char*, const int*, const int*, const T*, const int*, const int*,
                           T*, const int*, int*, size_t);
        static Getrs* getrs = openblas::lapack<T, Getrs>("getrs");
        for_each_matrix(stack, n * n * columns, [&](int64_t i) {
            int size = int(n), cols = int(columns), lead = std::max(1, size), info = 0;
            getrs(&op, &size, &cols, static_cast<const T*>(lu) + i * n * n, &lead, pivots + i * n,
                  static_cast<T*>(b) + i * n * columns, &lead, &info, 1);
        });
    });
}

void cholesky(const Stack& stack, bool upper, int64_t n, void* a) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Potrf = void(const char*, const int*, T*, const int*, int*, size_t);
        static Potrf* potrf = openblas::lapack<T, Potrf>("potrf");
        for_each_matrix(stack, n * n * n / 3, [&](int64_t i) {
            int size = int(n), lead = std::max(1, size), info = 0;
            potrf(upper ? "U" : "L", &size, static_cast<T*>(a) + i * n * n, &lead, &info, 1);
            report(stack, i, info);
        });
    });
}

void triangular_solve(const Stack& stack, const Triangle& triangle, int64_t m, int64_t n,
                      const void* a, void* b) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Trsm =
            void(const char*, const char*, const char*, const char*, const int*, const int*,
                 const T*, const T*, const int*, T*, const int*, size_t, size_t, size_t, size_t);
        static Trsm* trsm = openblas::lapack<T, Trsm>("trsm");
        int64_t side = triangle.left ? m : n;
        for_each_matrix(stack, m * n * side, [&](int64_t i) {
            int rows = int(m), cols = int(n), lead_a = std::max(1, int(side));
            int lead_b = std::max(1, rows);
            T one = T(1);
            trsm(triangle.left ? "L" : "R", triangle.upper ? "U" : "L", "N",
                 triangle.unit ? "U" : "N", &rows, &cols, &one,
                 static_cast<const T*>(a) + i * side * side, &lead_a,
                 static_cast<T*>(b) + i * m * n, &lead_b, 1, 1, 1, 1);
        });
    });
}

// gelsy differs between real and complex in one argument.
template <class T>
static void gelsy(int m, int n, int columns, T* a, T* b, int* pivots, Real<T> rcond, int* rank,
                  std::vector<T>& work, int* info) {
    int lead_a = std::max(1, m), lead_b = std::max({1, m, n}), length = int(work.size());
    T answer{};
    if (work.empty()) length = -1;
    T* space = work.empty() ? &answer : work.data();
    if constexpr (kIsComplex<T>) {
        using F = void(const int*, const int*, const int*, T*, const int*, T*, const int*, int*,
                       const Real<T>*, int*, T*, const int*, Real<T>*, int*);
        static F* routine = openblas::lapack<T, F>("gelsy");
        std::vector<Real<T>> real(size_t(2 * std::max(1, n)));
        routine(&m, &n, &columns, a, &lead_a, b, &lead_b, pivots, &rcond, rank, space, &length,
                real.data(), info);
    } else {
        using F = void(const int*, const int*, const int*, T*, const int*, T*, const int*, int*,
                       const Real<T>*, int*, T*, const int*, int*);
        static F* routine = openblas::lapack<T, F>("gelsy");
        routine(&m, &n, &columns, a, &lead_a, b, &lead_b, pivots, &rcond, rank, space, &length,
                info);
    }
    if (work.empty()) work.resize(size_t(wanted(answer)));
}

void least_squares(const Stack& stack, int64_t m, int64_t n, int64_t columns, double rcond, void* a,
                   void* b, int64_t* rank) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        int64_t size_b = std::max(m, n) * columns;
        for_each_matrix(stack, m * n * (n + columns), [&](int64_t i) {
            std::vector<int> pivots(size_t(std::max<int64_t>(1, n)));
            std::vector<T> work;
            int found = 0, info = 0;
            for (int pass = 0; pass < 2; pass++)  // the first only asks for the work space
                gelsy<T>(int(m), int(n), int(columns), static_cast<T*>(a) + i * m * n,
                         static_cast<T*>(b) + i * size_b, pivots.data(), Real<T>(rcond), &found,
                         work, &info);
            rank[i] = found;
            report(stack, i, info);
        });
    });
}

}  // namespace kagari::cpu
