// What the linear algebra ops share: stacks of column-major matrices, checks, LAPACK's verdicts.
#pragma once
#include <vector>

#include "cpu/lapack.h"
#include "tensor/tensor.h"

namespace kagari::ops {

/// Rows and columns of the matrices in a stack of any rank.
inline int64_t rows(const Tensor& t) { return t.sizes()[t.sizes().size() - 2]; }
inline int64_t cols(const Tensor& t) { return t.sizes().back(); }
inline IntSpan lead(const Tensor& t) { return t.sizes().first(t.sizes().size() - 2); }
int64_t matrix_count(const Tensor& t);
Dims with_lead(const Tensor& t, std::initializer_list<int64_t> last);

/// Errors as PyTorch's: at least two dimensions, a dtype LAPACK has, square.
void check_matrix(const char* op, const Tensor& a);
void check_square(const char* op, const Tensor& a);

/// The same values with rows and columns swapped, unrecorded.
Tensor swapped(const Tensor& t);
/// New memory for matrices of (m, n), whose columns lie side by side.
Tensor empty_columns(const Tensor& like, int64_t m, int64_t n, DType dtype);
/// A copy of `a` in such memory; `data()` is what LAPACK takes.
Tensor copy_columns(const Tensor& a);
/// Ones on the diagonal of every matrix of `t`, zeros elsewhere; unrecorded.
void write_identity(const Tensor& t);

/// LAPACK's answers for the matrices of a stack.
struct Verdicts {
    explicit Verdicts(const Tensor& a) : info(size_t(matrix_count(a)), 0), alone(a.dim() == 2) {}
    cpu::Stack stack(const Tensor& a) { return {a.dtype(), matrix_count(a), info.data()}; }
    /// LinAlgError naming the first matrix that failed; `what` may hold a % for its number.
    void check(const char* op, const std::string& what) const;
    /// As an int32 tensor of the stack's leading sizes.
    Tensor tensor(const Tensor& a) const;

    std::vector<int32_t> info;
    bool alone;
};

}  // namespace kagari::ops
