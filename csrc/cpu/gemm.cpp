// Which library computes a matrix product: decided by dtype and size alone.
// The products themselves are left to gemm_onednn.cpp, gemm_openblas.cpp and gemm_integer.cpp.
#include "cpu/gemm.h"

#include <algorithm>
#include <utility>

#include "tensor/error.h"

namespace kagari::cpu {
namespace {

// Below this many multiplications OpenBLAS answers before oneDNN has prepared its call.
constexpr int64_t kSmall = 64 * 64 * 64;

void transpose(Layout& layout) { std::swap(layout.row, layout.col); }

// Strides of dimensions of length one are arbitrary: give them the value libraries expect.
void normalize(Layout& layout, int64_t rows, int64_t cols) {
    if (cols == 1 && rows == 1) {
        layout.row = layout.col = 1;
    } else if (cols == 1 && layout.row != 1) {
        layout.col = 1;
    } else if (rows == 1 && layout.col != 1) {
        layout.row = 1;
    }
    if (layout.col == 1 && rows == 1) layout.row = cols;
    if (layout.row == 1 && cols == 1 && layout.col != 1) layout.col = rows;
    if (layout.row == 1 && layout.col == 1)
        (cols == 1 ? layout.col : layout.row) = cols == 1 ? rows : cols;
}

// C^T = B^T A^T, so that the columns of C lie side by side.
void transpose(Gemm& call) {
    std::swap(call.m, call.n);
    std::swap(call.a, call.b);
    std::swap(call.a_layout, call.b_layout);
    transpose(call.a_layout);
    transpose(call.b_layout);
    transpose(call.c_layout);
}

template <class T>
void scale_rows(const Gemm& call) {
    T beta = T(0);
    if constexpr (kIsComplex<T>)
        beta = T(call.beta);
    else
        beta = convert<T>(call.beta.real());
    for (int64_t i = 0; i < call.batch; i++)
        for (int64_t r = 0; r < call.m; r++)
            for (int64_t c = 0; c < call.n; c++) {
                T& value = static_cast<T*>(call.c)[i * call.c_layout.batch + r * call.c_layout.row +
                                                   c * call.c_layout.col];
                T start = call.bias ? static_cast<const T*>(call.bias)[c] : T(0);
                value = call.beta == 0. ? start : T(beta * value);
            }
}

}  // namespace

bool gemm_takes(int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride) {
    bool rows_whole = (cols <= 1 || col_stride == 1) && (rows <= 1 || row_stride >= cols);
    bool cols_whole = (rows <= 1 || row_stride == 1) && (cols <= 1 || col_stride >= rows);
    return rows_whole || cols_whole;
}

void gemm(Gemm call) {
    if (call.batch == 0 || call.m == 0 || call.n == 0) return;
    if (call.k == 0) {
        visit(call.dtype, [&](auto tag) {
            using T = typename decltype(tag)::type;
            if constexpr (!std::is_same_v<T, bool>) scale_rows<T>(call);
        });
        return;
    }
    if (is_integral(call.dtype)) return gemm_integer(call);
    normalize(call.a_layout, call.m, call.k);
    normalize(call.b_layout, call.k, call.n);
    normalize(call.c_layout, call.m, call.n);
    if (call.c_layout.col != 1 && !call.bias) transpose(call);
    if (call.dtype == DType::BF16) return gemm_onednn(call, DType::BF16, DType::BF16, DType::BF16);
    bool vector = call.m == 1 || call.n == 1;
    if (call.dtype == DType::F32 && !vector && call.m * call.n * call.k > kSmall)
        return gemm_onednn(call, DType::F32, DType::F32, DType::F32);
    gemm_openblas(call);
}

void gemm_int8(const Gemm& call, DType a_dtype, DType b_dtype) {
    Gemm normal = call;
    normalize(normal.a_layout, call.m, call.k);
    normalize(normal.b_layout, call.k, call.n);
    normalize(normal.c_layout, call.m, call.n);
    gemm_onednn(normal, a_dtype, b_dtype, DType::I32);
}

}  // namespace kagari::cpu
