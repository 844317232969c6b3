// From tensors to a call of cpu/gemm.h: layouts, copies where strides do not fit, half precision.
#include "cpu/gemm.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/views.h"
#include "ops/rows.h"
#include "runtime/parallel.h"

namespace kagari::ops {

static constexpr int64_t kUnlockMacs = 1 << 20;  // about 20 microseconds of multiplying

Tensor conjugate(const Tensor& t) { return is_complex(t.dtype()) ? conj(t) : t; }

Tensor adjoint(const Tensor& t) { return conjugate(mT(t)); }

void check_product_dtypes(const char* op, const Tensor& a, const Tensor& b) {
    check<RuntimeError>(a.dtype() == b.dtype(), op, ": expected both operands to have the same ",
                        "dtype, but got: ", name(a.dtype()), " and ", name(b.dtype()),
                        ". Convert one of them with .to(dtype).");
    DType t = a.dtype();
    check<NotImplementedError>(
        t != DType::Bool && t != DType::U16 && t != DType::U32 && t != DType::U64, "\"", op,
        "\" not implemented for '", name(t), "'");
}

static cpu::Layout layout(const Tensor& t) {
    IntSpan strides = t.strides();
    size_t n = strides.size();
    return {n == 3 ? strides[0] : 0, strides[n - 2], strides[n - 1]};
}

static Tensor readable(const Tensor& t) {
    size_t n = t.sizes().size();
    const int64_t *sizes = t.sizes().data() + n - 2, *strides = t.strides().data() + n - 2;
    bool ready = cpu::gemm_takes(sizes[0], sizes[1], strides[0], strides[1]);
    return ready ? t : raw_contiguous(t);
}

void write_product(const Tensor& out, const Tensor& a, const Tensor& b, const ProductTerms& terms) {
    if (out.dtype() == DType::F16) {
        Tensor wide = terms.beta.to<c128>() == 0. ? kagari::empty(out.sizes(), DType::F32)
                                                  : raw_contiguous(out, DType::F32);
        ProductTerms wide_terms = terms;
        if (terms.bias.defined()) wide_terms.bias = raw_contiguous(terms.bias, DType::F32);
        write_product(wide, raw_contiguous(a, DType::F32), raw_contiguous(b, DType::F32),
                      wide_terms);
        return copy_elements(out, wide);
    }
    Tensor left = readable(a), right = readable(b);
    cpu::Gemm call;
    call.dtype = out.dtype();
    size_t n = out.sizes().size();
    call.batch = n == 3 ? out.sizes()[0] : 1;
    call.m = out.sizes()[n - 2], call.n = out.sizes()[n - 1];
    call.k = left.sizes()[left.sizes().size() - 1];
    call.a = left.data(), call.b = right.data(), call.c = out.data();
    call.a_layout = layout(left), call.b_layout = layout(right), call.c_layout = layout(out);
    call.alpha = terms.alpha.to<c128>(), call.beta = terms.beta.to<c128>();
    if (terms.bias.defined()) call.bias = terms.bias.data();
    Unlocked unlocked(call.batch * call.m * call.n * call.k > kUnlockMacs);
    cpu::gemm(call);
}

}  // namespace kagari::ops
