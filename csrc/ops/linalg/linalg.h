// Linear algebra: factorisations, systems, determinants. LAPACK is called in cpu/lapack*.cpp;
// arguments as users write them are brought to these forms in src/kagari/linalg.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

using Two = std::tuple<Tensor, Tensor>;
using Three = std::tuple<Tensor, Tensor, Tensor>;

/// LU in one matrix, row numbers from 1, verdicts; not differentiable by itself.
extern const Op<Three(const Tensor& a, bool pivot)> linalg_lu_factor;
/// The LU of a square matrix that needs no exchange of rows, given its value.
extern const Op<Tensor(const Tensor& b, const Tensor& lu)> linalg_lu_known;
/// A X = B for matrices B with the leading dimensions of A.
extern const Op<Tensor(const Tensor& a, const Tensor& b)> linalg_solve;
extern const Op<Tensor(const Tensor& a)> linalg_inv, linalg_det;
extern const Op<Two(const Tensor& a)> linalg_slogdet;
extern const Op<Tensor(const Tensor& a, const Tensor& b, bool upper, bool left, bool unit)>
    linalg_solve_triangular;
extern const Op<Two(const Tensor& a, bool upper)> linalg_cholesky;  // factor, verdicts
/// mode 0: k columns of Q; 1: all of them; 2: R only. Gradients need rows >= columns.
extern const Op<Two(const Tensor& a, int64_t mode)> linalg_qr;
extern const Op<Three(const Tensor& a, bool full, bool vectors)> linalg_svd;
extern const Op<Two(const Tensor& a, bool upper, bool vectors)> linalg_eigh;
extern const Op<Two(const Tensor& a, bool vectors)> linalg_eig;

}  // namespace kagari::ops
