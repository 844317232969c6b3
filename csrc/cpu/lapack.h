// Stacks of dense matrices through LAPACK: factorisations and what is solved with them. Matrices
// are column-major and follow each other without gaps; float32, float64 and their complex kinds.
// What a call means for tensors, and its errors, are left to ops/linalg*.cpp.
#pragma once
#include <cstdint>

#include "tensor/dtype.h"

namespace kagari::cpu {

/// `count` matrices. `info` gets LAPACK's verdict for each: 0 is well; it may be null where a
/// routine cannot fail.
struct Stack {
    DType dtype = DType::F64;
    int64_t count = 1;
    int32_t* info = nullptr;
};

/// A (m, n) becomes L and U; `pivots` has min(m, n) row numbers from 1 for each matrix.
void lu_factor(const Stack& stack, int64_t m, int64_t n, void* a, int32_t* pivots);
/// The same without exchanging rows; a zero on the diagonal is reported and divided by.
void lu_unpivoted(const Stack& stack, int64_t m, int64_t n, void* a);
/// B (n, columns) becomes the solution of op(A) X = B; `op` is 'N', 'T' or 'C'.
void lu_solve(const Stack& stack, char op, int64_t n, int64_t columns, const void* lu,
              const int32_t* pivots, void* b);
/// One triangle of A (n, n) becomes its Cholesky factor; the other may hold anything afterwards.
void cholesky(const Stack& stack, bool upper, int64_t n, void* a);
struct Triangle {
    bool left = true, upper = true, unit = false;
};
/// B (m, n) becomes the solution of A X = B, or of X A = B.
void triangular_solve(const Stack& stack, const Triangle& triangle, int64_t m, int64_t n,
                      const void* a, void* b);
/// A (m, n) becomes R above the diagonal; Q (m, columns) is written unless null.
void qr(const Stack& stack, int64_t m, int64_t n, int64_t columns, void* a, void* q);
/// A (m, n) becomes R and, below the diagonal, min(m, n) reflectors with factors `tau`.
void reflectors(const Stack& stack, int64_t m, int64_t n, void* a, void* tau);
/// A (m, n), k reflectors below its diagonal, becomes the first n columns of their product.
void multiply_reflectors(const Stack& stack, int64_t m, int64_t n, int64_t k, void* a,
                         const void* tau);
struct Reflectors {
    bool left = true, adjoint = false;
};
/// C (m, n) becomes Q C or C Q, Q the product of the k reflectors in A (m or n, columns).
void apply_reflectors(const Stack& stack, const Reflectors& how, int64_t m, int64_t n, int64_t k,
                      int64_t columns, const void* a, const void* tau, void* c);
/// The lower triangle of A (n, n) becomes L and D; a negative pivot stands for a block of two.
void ldl_factor(const Stack& stack, bool hermitian, int64_t n, void* a, int32_t* pivots);
/// B (n, columns) becomes the solution of A X = B.
void ldl_solve(const Stack& stack, bool hermitian, int64_t n, int64_t columns, const void* ld,
               const int32_t* pivots, void* b);
/// Values, and unless `u` is null vectors: U (m, m or k), Vh (n or k, n). A is destroyed.
void svd(const Stack& stack, int64_t m, int64_t n, bool full, void* a, void* s, void* u, void* vh);
/// Ascending values; A becomes the vectors if they are wanted. One triangle is read.
void eigh(const Stack& stack, bool upper, bool vectors, int64_t n, void* a, void* values);
/// Complex values and, unless `vectors` is null, right vectors. A is destroyed.
void eig(const Stack& stack, int64_t n, void* a, void* values, void* vectors);
/// B (max(m, n), columns) becomes the solution of least norm; A is destroyed.
void least_squares(const Stack& stack, int64_t m, int64_t n, int64_t columns, double rcond, void* a,
                   void* b, int64_t* rank);

}  // namespace kagari::cpu
