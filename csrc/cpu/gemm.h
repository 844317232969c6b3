// Matrix products on raw memory: C = beta C + alpha A B (+ bias), batched, any dtype but bool and
// float16. Shape rules, promotion and gradients are left to ops/linalg/matmul.cpp.
#pragma once
#include <complex>
#include <cstdint>
#include <memory>

#include "cpu/scratch.h"
#include "tensor/dtype.h"

namespace kagari::cpu {

/// Strides of a stack of matrices, in elements.
struct Layout {
    int64_t batch = 0, row = 0, col = 0;
};

struct Gemm {
    DType dtype = DType::F32;  // of a, b, c and bias
    int64_t batch = 1, m = 0, n = 0, k = 0;
    const void* a = nullptr;
    const void* b = nullptr;
    void* c = nullptr;
    Layout a_layout, b_layout, c_layout;
    std::complex<double> alpha = 1, beta = 0;
    const void* bias = nullptr;  // n values, one per column of C, side by side; needs beta == 0
};

/// Whether gemm takes a matrix with these strides as it is: rows or columns side by side and no
/// two elements in one place.
bool gemm_takes(int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride);

/// All three matrices must satisfy gemm_takes. The result does not depend on the thread count.
void gemm(Gemm call);

/// Many products with one right-hand matrix, which is laid out for them once: float32, no batch.
class PackedGemm {
  public:
    /// Whether that is worth it for products like `call`.
    static bool worthwhile(const Gemm& call);
    /// All of `call` counts but a, c and the address of the bias.
    explicit PackedGemm(const Gemm& call);
    void run(const void* a, void* c, const void* bias) const;

  private:
    struct Plan;
    static std::shared_ptr<Plan> plan_for(const Gemm& call);
    std::shared_ptr<Plan> plan_;
    Scratch packed_;
};

/// C (int32) = A (int8) B (int8 or uint8), as oneDNN computes it.
void gemm_int8(const Gemm& call, DType a_dtype, DType b_dtype);

// The three ways, each in its file; the arguments are not empty and have leading dimensions.
void gemm_onednn(const Gemm& call, DType a, DType b, DType c);  // gemm_onednn.cpp
void gemm_openblas(const Gemm& call);                           // gemm_openblas.cpp
void gemm_integer(const Gemm& call);                            // gemm_integer.cpp

}  // namespace kagari::cpu
