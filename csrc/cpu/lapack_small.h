// Linear systems of a few rows, written out: below some twenty rows a call of LAPACK costs more
// than its arithmetic. Column-major, as LAPACK has them.
#pragma once
#include <cmath>
#include <cstdint>

#include "cpu/lapack_call.h"

namespace kagari::cpu::small {

constexpr int64_t kMostRows = 16;

template <class T>
Real<T> size_of(T value) {  // as LAPACK chooses pivots
    if constexpr (kIsComplex<T>)
        return std::abs(value.real()) + std::abs(value.imag());
    else
        return std::abs(value);
}

template <class T>
T conjugate_of(T value) {
    if constexpr (kIsComplex<T>)
        return std::conj(value);
    else
        return value;
}

/// to -= from * factor
template <class T>
void take_from(T* to, const T* from, T factor, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] -= from[i] * factor;
}

/// One column after the other, each taken from those to its right; `pivots` may be null, for no
/// exchanges. The first zero on the diagonal is the answer; with exchanges nothing is divided by
/// it.
template <class T>
int lu(int64_t m, int64_t n, T* matrix, int32_t* pivots) {
    int verdict = 0;
    for (int64_t k = 0; k < std::min(m, n); k++) {
        T* column = matrix + k * m;
        if (pivots) {
            int64_t best = k;
            for (int64_t r = k + 1; r < m; r++)
                if (size_of(column[r]) > size_of(column[best])) best = r;
            pivots[k] = int32_t(best) + 1;
            if (best != k)
                for (int64_t c = 0; c < n; c++) std::swap(matrix[c * m + k], matrix[c * m + best]);
        }
        if (column[k] == T(0) && !verdict) verdict = int(k) + 1;
        if (column[k] == T(0) && pivots) continue;  // the rest of the column is zero too
        for (int64_t r = k + 1; r < m; r++) column[r] /= column[k];
        for (int64_t c = k + 1; c < n; c++) {
            T* other = matrix + c * m;
            take_from(other + k + 1, column + k + 1, other[k], m - k - 1);
        }
    }
    return verdict;
}

/// x becomes the solution of a triangular system with matrix t (n, n).
template <class T>
void triangle_solve(bool upper, bool unit, int64_t n, const T* t, T* x) {
    for (int64_t step = 0; step < n; ++step) {
        int64_t k = upper ? n - 1 - step : step;
        const T* column = t + k * n;
        if (!unit) x[k] /= column[k];
        if (upper)
            take_from(x, column, x[k], k);
        else
            take_from(x + k + 1, column + k + 1, x[k], n - k - 1);
    }
}

/// Several right-hand sides at a time, a row of them side by side.
template <class T>
void lu_solve(int64_t n, int64_t columns, const T* factors, const int32_t* pivots, T* b) {
    constexpr int64_t kWide = 8;
    T x[kMostRows][kWide];
    for (int64_t first = 0; first < columns; first += kWide) {
        int64_t width = std::min(kWide, columns - first);
        for (int64_t r = 0; r < n; ++r)
            for (int64_t c = 0; c < kWide; ++c) x[r][c] = c < width ? b[(first + c) * n + r] : T(0);
        for (int64_t k = 0; k < n; ++k)
            if (pivots[k] - 1 != k) std::swap(x[k], x[pivots[k] - 1]);
        for (int64_t r = 1; r < n; ++r)
            for (int64_t k = 0; k < r; ++k) take_from(x[r], x[k], factors[k * n + r], kWide);
        for (int64_t r = n - 1; r >= 0; --r) {
            for (int64_t k = n - 1; k > r; --k) take_from(x[r], x[k], factors[k * n + r], kWide);
            for (int64_t c = 0; c < kWide; ++c) x[r][c] /= factors[r * n + r];
        }
        for (int64_t c = 0; c < width; ++c)
            for (int64_t r = 0; r < n; ++r) b[(first + c) * n + r] = x[r][c];
    }
}

/// The answer is 0, or the row (from 1) where the matrix is not positive.
template <class T>
int cholesky(bool upper, int64_t n, T* matrix) {
    int64_t down = upper ? n : 1, right = upper ? 1 : n;  // the factor, as if it were the lower one
    auto at = [&](int64_t r, int64_t c) -> T& { return matrix[r * down + c * right]; };
    for (int64_t k = 0; k < n; ++k) {
        Real<T> pivot = std::real(at(k, k));
        if (!(pivot > 0)) return int(k) + 1;
        Real<T> root = std::sqrt(pivot);
        at(k, k) = root;
        for (int64_t r = k + 1; r < n; ++r) at(r, k) /= root;
        for (int64_t c = k + 1; c < n; ++c) {
            T factor = conjugate_of(at(c, k));
            for (int64_t r = c; r < n; ++r) at(r, c) -= at(r, k) * factor;
        }
    }
    return 0;
}

}  // namespace kagari::cpu::small
