// Products by OpenBLAS: double and complex ones, small float32 ones, and matrix times vector.
// Work is cut into blocks of fixed size, each computed on one thread.
#include <algorithm>
#include <type_traits>

#include "cpu/gemm.h"
#include "runtime/libraries_openblas.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

enum Order { kRowMajor = 101, kColMajor = 102 };
enum Trans { kPlain = 111, kTransposed = 112 };
constexpr int64_t kBlock = 256;             // side of a block of C
constexpr int64_t kVectorBlock = 256;       // elements of y per block
constexpr int64_t kParallelWork = 1 << 18;  // multiplications worth a second thread

// BLAS takes complex factors by address and real ones by value.
template <class T>
using Factor = std::conditional_t<kIsComplex<T>, const T*, T>;

template <class T>
Factor<T> pass(const T& value) {
    if constexpr (kIsComplex<T>)
        return &value;
    else
        return value;
}

template <class T>
T factor(std::complex<double> value) {
    if constexpr (kIsComplex<T>)
        return T(value);
    else
        return static_cast<T>(value.real());
}

template <class T>
struct Blas {
    using GemmFn = void(int order, int trans_a, int trans_b, int m, int n, int k, Factor<T> alpha,
                        const T* a, int lda, const T* b, int ldb, Factor<T> beta, T* c, int ldc);
    using GemvFn = void(int order, int trans, int m, int n, Factor<T> alpha, const T* a, int lda,
                        const T* x, int incx, Factor<T> beta, T* y, int incy);
    GemmFn* gemm = openblas::cblas<T, GemmFn>("gemm");
    GemvFn* gemv = openblas::cblas<T, GemvFn>("gemv");
};

template <class T>
const Blas<T>& blas() {
    openblas::library();  // before the lock of the static
    static const Blas<T> table;
    return table;
}

bool by_rows(const Layout& layout) { return layout.col == 1; }
int leading(const Layout& layout) { return int(by_rows(layout) ? layout.row : layout.col); }
int trans(const Layout& layout) { return by_rows(layout) ? kPlain : kTransposed; }

template <class T>
struct Operands {
    const T* a;
    const T* b;
    T* c;
    T alpha, beta;
};

template <class T>
void block(const Gemm& call, const Operands<T>& o, int64_t batch, int64_t row, int64_t col) {
    int64_t rows = std::min(kBlock, call.m - row), cols = std::min(kBlock, call.n - col);
    const Layout &la = call.a_layout, &lb = call.b_layout, &lc = call.c_layout;
    const T* a = o.a + batch * la.batch + row * la.row;
    const T* b = o.b + batch * lb.batch + col * lb.col;
    T* c = o.c + batch * lc.batch + row * lc.row + col * lc.col;
    T beta = o.beta;
    if (call.bias) {
        for (int64_t r = 0; r < rows; r++)
            std::copy_n(static_cast<const T*>(call.bias) + col, cols, c + r * lc.row);
        beta = T(1);
    }
    blas<T>().gemm(kRowMajor, trans(la), trans(lb), int(rows), int(cols), int(call.k),
                   pass(o.alpha), a, leading(la), b, leading(lb), pass(beta), c, int(lc.row));
}

// y = beta y + alpha A x with A (rows, k): the blocks are stretches of y.
template <class T>
struct MatrixVector {
    const T *a, *x;
    T* y;
    Layout la;
    int64_t rows, k, incx, incy;

    void run(T alpha, T beta, int64_t begin, int64_t end) const {
        const T* top = a + begin * la.row;
        T* out = y + begin * incy;
        int count = int(end - begin);
        if (by_rows(la))
            blas<T>().gemv(kRowMajor, kPlain, count, int(k), pass(alpha), top, leading(la), x,
                           int(incx), pass(beta), out, int(incy));
        else
            blas<T>().gemv(kColMajor, kPlain, count, int(k), pass(alpha), top, leading(la), x,
                           int(incx), pass(beta), out, int(incy));
    }
};

template <class T>
MatrixVector<T> matrix_vector(const Gemm& call, const Operands<T>& o, int64_t batch) {
    const Layout &la = call.a_layout, &lb = call.b_layout, &lc = call.c_layout;
    const T *a = o.a + batch * la.batch, *b = o.b + batch * lb.batch;
    T* c = o.c + batch * lc.batch;
    if (call.n == 1) return {a, b, c, la, call.m, call.k, lb.row, lc.row};
    return {b, a, c, {0, lb.col, lb.row}, call.n, call.k, la.col, lc.col};
}

template <class T>
void run_vectors(const Gemm& call, const Operands<T>& o) {
    int64_t rows = call.n == 1 ? call.m : call.n;
    int64_t blocks = (rows + kVectorBlock - 1) / kVectorBlock;
    int64_t per_block = std::min(rows, kVectorBlock) * call.k;
    int64_t grain = std::max<int64_t>(1, kParallelWork / 4 / per_block);
    parallel_for(0, call.batch * blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t start = i % blocks * kVectorBlock;
            matrix_vector(call, o, i / blocks)
                .run(o.alpha, o.beta, start, std::min(rows, start + kVectorBlock));
        }
    });
}

// LAPACK's build of BLAS counts in 32 bits.
void check_lengths(const Gemm& call) {
    for (int64_t length : {call.k, call.a_layout.row, call.a_layout.col, call.b_layout.row,
                           call.b_layout.col, call.c_layout.row, call.c_layout.col})
        check<RuntimeError>(length <= INT32_MAX, "matrix product: a dimension or stride of ",
                            length, " elements is larger than 2^31 - 1");
}

template <class T>
void run(const Gemm& call) {
    check_lengths(call);
    blas<T>();  // looked up here, not by a thread of a parallel loop
    Operands<T> o{static_cast<const T*>(call.a), static_cast<const T*>(call.b),
                  static_cast<T*>(call.c), factor<T>(call.alpha), factor<T>(call.beta)};
    int64_t work = call.m * call.n * call.k;
    if ((call.m == 1 || call.n == 1) && !call.bias && work > 4096) return run_vectors(call, o);
    int64_t down = (call.m + kBlock - 1) / kBlock, across = (call.n + kBlock - 1) / kBlock;
    int64_t blocks = down * across;
    if (call.batch * work <= kParallelWork) {
        for (int64_t i = 0; i < call.batch * blocks; i++)
            block(call, o, i / blocks, i % blocks / across * kBlock, i % across * kBlock);
        return;
    }
    int64_t grain = std::max<int64_t>(1, kParallelWork / std::max<int64_t>(1, work / blocks));
    parallel_for(0, call.batch * blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
            block(call, o, i / blocks, i % blocks / across * kBlock, i % across * kBlock);
    });
}

}  // namespace

void gemm_openblas(const Gemm& call) {
    switch (call.dtype) {
        case DType::F32:
            return run<float>(call);
        case DType::F64:
            return run<double>(call);
        case DType::C64:
            return run<c64>(call);
        case DType::C128:
            return run<c128>(call);
        default:
            fail<NotImplementedError>("matrix product: no BLAS for ", name(call.dtype));
    }
}

}  // namespace kagari::cpu
