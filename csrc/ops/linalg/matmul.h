// Products of matrices and vectors. The arithmetic is left to cpu/gemm.h.
#pragma once
#include "ops/op.h"

namespace kagari::ops {

extern const Op<Tensor(const Tensor&, const Tensor&)> mm, bmm, matmul, mv, dot, vdot, outer, inner;
extern const Op<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&)> linear;
/// beta * input + alpha * product.
using AddProduct =
    Op<Tensor(const Tensor&, const Tensor&, const Tensor&, const Scalar&, const Scalar&)>;
extern const AddProduct addmm, addbmm, baddbmm, addmv, addr;

/// What a product starts from, and its factor: c = beta c + alpha a b, or c = bias + a b.
struct ProductTerms {
    Scalar alpha = 1, beta = 0;
    Tensor bias = {};  // one value per column, in the product's dtype
};

/// Writes the product of two matrices, or of two stacks of them, to `out`; all of one dtype and on
/// the CPU. `out` is row-major. Nothing is recorded.
void write_product(const Tensor& out, const Tensor& a, const Tensor& b,
                   const ProductTerms& terms = {});

/// The conjugate of a complex tensor, any other tensor itself.
Tensor conjugate(const Tensor& t);
/// Transposed and conjugated: what stands beside a gradient.
Tensor adjoint(const Tensor& t);
/// Errors for operands that differ in dtype or whose dtype has no products.
void check_product_dtypes(const char* op, const Tensor& a, const Tensor& b);

}  // namespace kagari::ops
