// Factorisations of large matrices, block by block: LAPACK on the diagonal, and the rest in pieces
// of a fixed width that threads share. (Golub, Van Loan: Matrix Computations, 3.2.11 and 4.2.6.)
#pragma once
#include "cpu/lapack_call.h"

namespace kagari::cpu::blocked {

constexpr int64_t kFewestRows = 256;  // below, one call of LAPACK is as quick
constexpr int64_t kBlock = 64;        // columns that are factored at a time
constexpr int64_t kPiece = 128;       // columns (or rows) of one piece of the rest

/// The routines, for one element type, column-major.
template <class T>
struct Routines {
    using Gemm = void(const char*, const char*, const int*, const int*, const int*, const T*,
                      const T*, const int*, const T*, const int*, const T*, T*, const int*, size_t,
                      size_t);
    using Trsm = void(const char*, const char*, const char*, const char*, const int*, const int*,
                      const T*, const T*, const int*, T*, const int*, size_t, size_t, size_t,
                      size_t);
    using Getrf = void(const int*, const int*, T*, const int*, int*, int*);
    using Potrf = void(const char*, const int*, T*, const int*, int*, size_t);
    Gemm* gemm_ = openblas::lapack<T, Gemm>("gemm");
    Trsm* trsm_ = openblas::lapack<T, Trsm>("trsm");
    Getrf* getrf_ = openblas::lapack<T, Getrf>("getrf");
    Potrf* potrf_ = openblas::lapack<T, Potrf>("potrf");

    /// c (m, n) -= op(a) (m, k) op(b) (k, n)
    void take_product(char op_a, char op_b, int64_t m, int64_t n, int64_t k, const T* a, int lead_a,
                      const T* b, int lead_b, T* c, int lead_c) const {
        int rows = int(m), cols = int(n), inner = int(k);
        T minus = T(-1), one = T(1);
        gemm_(&op_a, &op_b, &rows, &cols, &inner, &minus, a, &lead_a, b, &lead_b, &one, c, &lead_c,
              1, 1);
    }
    /// b (m, n) becomes the solution of op(a) x = b, or of x op(a) = b.
    void solve(bool left, bool upper, char op, bool unit, int64_t m, int64_t n, const T* a,
               int lead_a, T* b, int lead_b) const {
        int rows = int(m), cols = int(n);
        T one = T(1);
        trsm_(left ? "L" : "R", upper ? "U" : "L", &op, unit ? "U" : "N", &rows, &cols, &one, a,
              &lead_a, b, &lead_b, 1, 1, 1, 1);
    }
};
template <class T>
const Routines<T>& routines() {
    static const Routines<T> all;
    return all;
}

template <class T>
void exchange_rows(T* column, const int32_t* pivots, int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) std::swap(column[k], column[pivots[k] - 1]);
}

/// A (m, n) becomes L and U. The answer is LAPACK's.
template <class T>
int lu(int64_t m, int64_t n, T* a, int32_t* pivots) {
    const Routines<T>& r = routines<T>();
    int verdict = 0, lead = int(m);
    for (int64_t k = 0; k < std::min(m, n); k += kBlock) {
        int64_t end = std::min({k + kBlock, m, n});
        int rows = int(m - k), width = int(end - k), info = 0;
        T* corner = a + k + k * m;
        r.getrf_(&rows, &width, corner, &lead, pivots + k, &info);
        if (info > 0 && !verdict) verdict = int(k) + info;
        for (int64_t i = k; i < end; ++i) pivots[i] += int32_t(k);
        parallel_for(0, n, kPiece, [&](int64_t first, int64_t last) {
            for (int64_t c = first; c < last; ++c)
                if (c < k || c >= end) exchange_rows(a + c * m, pivots, k, end);
            first = std::max(first, end);
            if (first >= last) return;
            T* top = a + k + first * m;
            r.solve(true, false, 'N', true, width, last - first, corner, lead, top, lead);
            if (end < m)
                r.take_product('N', 'N', m - end, last - first, width, corner + width, lead, top,
                               lead, top + width, lead);
        });
    }
    return verdict;
}

/// One triangle of A (n, n) becomes its factor, the other may hold anything afterwards.
template <class T>
int cholesky(bool upper, int64_t n, T* a) {
    const Routines<T>& r = routines<T>();
    int lead = int(n);
    constexpr char adjoint = kIsComplex<T> ? 'C' : 'T';
    for (int64_t k = 0; k < n; k += kPiece) {
        int64_t end = std::min(k + kPiece, n);
        int width = int(end - k), info = 0;
        T* corner = a + k + k * n;
        r.potrf_(upper ? "U" : "L", &width, corner, &lead, &info, 1);
        if (info > 0) return int(k) + info;
        // the rest of the block's rows (of U) or columns (of L), then what lies beyond
        parallel_for(end, n, kPiece, [&](int64_t first, int64_t last) {
            if (upper)
                r.solve(true, true, adjoint, false, width, last - first, corner, lead,
                        a + k + first * n, lead);
            else
                r.solve(false, false, adjoint, false, last - first, width, corner, lead,
                        a + first + k * n, lead);
        });
        parallel_for(end, n, kPiece, [&](int64_t first, int64_t last) {
            if (upper)  // columns first .. last of U, down to the diagonal block
                r.take_product(adjoint, 'N', last - end, last - first, width, a + k + end * n, lead,
                               a + k + first * n, lead, a + end + first * n, lead);
            else
                r.take_product('N', adjoint, n - first, last - first, width, a + first + k * n,
                               lead, a + first + k * n, lead, a + first + first * n, lead);
        });
    }
    return 0;
}

}  // namespace kagari::cpu::blocked
