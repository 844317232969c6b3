// Linear systems through LAPACK: LU, Cholesky, triangles, least squares. Orthogonal and spectral
// factorisations are in lapack_spectral.cpp.
#include "cpu/lapack.h"

#include <cmath>
#include <limits>

#include "cpu/lapack_blocked.h"
#include "cpu/lapack_call.h"
#include "cpu/lapack_small.h"

namespace kagari::cpu {

// Right-hand sides are solved for in pieces of this many, from this many rows on.
static constexpr int64_t kShareFrom = 128, kSharedLines = 128;

void lu_factor(const Stack& stack, int64_t m, int64_t n, void* a, int32_t* pivots) {
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        using Getrf = void(const int*, const int*, T*, const int*, int*, int*);
        static Getrf* getrf = openblas::lapack<T, Getrf>("getrf");
        for_each_matrix(stack, m * n * std::min(m, n), [&](int64_t i) {
            int rows = int(m), cols = int(n), lead = std::max(1, rows), info = 0;
            T* matrix = static_cast<T*>(a) + i * m * n;
            int32_t* order = pivots + i * std::min(m, n);
            if (std::max(m, n) <= small::kMostRows)
                info = small::lu(m, n, matrix, order);
            else if (std::min(m, n) >= blocked::kFewestRows)
                info = blocked::lu(m, n, matrix, order);
            else
                getrf(&rows, &cols, matrix, &lead, order, &info);
            report(stack, i, info);
        });
    });
}

void lu_unpivoted(const Stack& stack, int64_t m, int64_t n, void* a) {  // LAPACK has none
    visit_lapack(stack.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        for_each_matrix(stack, m * n * std::min(m, n), [&](int64_t i) {
            report(stack, i, small::lu<T>(m, n, static_cast<T*>(a) + i * m * n, nullptr));
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
            const T* factors = static_cast<const T*>(lu) + i * n * n;
            const int32_t* order = pivots + i * n;
            T* x = static_cast<T*>(b) + i * n * columns;
            if (op == 'N' && n <= small::kMostRows)
                return small::lu_solve(n, columns, factors, order, x);
            parallel_for(
                0, columns, n < kShareFrom ? columns : kSharedLines, [&](int64_t c, int64_t e) {
                    int size = int(n), cols = int(e - c), lead = std::max(1, size), info = 0;
                    getrs(&op, &size, &cols, factors, &lead, order, x + c * n, &lead, &info, 1);
                });
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
            T* matrix = static_cast<T*>(a) + i * n * n;
            if (n <= small::kMostRows)
                info = small::cholesky(upper, n, matrix);
            else if (n >= blocked::kFewestRows)
                info = blocked::cholesky(upper, n, matrix);
            else
                potrf(upper ? "U" : "L", &size, matrix, &lead, &info, 1);
            for (int64_t k = 0; k < n && !info; k++)  // OpenBLAS lets a NaN pass
                if (std::isnan(std::real(matrix[k * n + k]))) info = int(k) + 1;
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
            const T* matrix = static_cast<const T*>(a) + i * side * side;
            T* x = static_cast<T*>(b) + i * m * n;
            if (triangle.left && m <= small::kMostRows) {
                for (int64_t c = 0; c < n; c++)
                    small::triangle_solve(triangle.upper, triangle.unit, m, matrix, x + c * m);
                return;
            }
            // columns of B are independent of each other or, on the right, its rows
            int64_t lines = triangle.left ? n : m;
            parallel_for(0, lines, side < kShareFrom ? lines : kSharedLines,
                         [&](int64_t c, int64_t e) {
                             int rows = int(triangle.left ? m : e - c),
                                 cols = int(triangle.left ? e - c : n);
                             int lead_a = std::max(1, int(side)), lead_b = std::max(1, int(m));
                             T one = T(1);
                             trsm(triangle.left ? "L" : "R", triangle.upper ? "U" : "L", "N",
                                  triangle.unit ? "U" : "N", &rows, &cols, &one, matrix, &lead_a,
                                  triangle.left ? x + c * m : x + c, &lead_b, 1, 1, 1, 1);
                         });
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
