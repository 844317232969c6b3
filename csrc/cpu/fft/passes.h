// The loops over lanes: each is compiled once per instruction set, for float and for double.
#pragma once
#include "cpu/fft/lanes.h"
#include "cpu/fft/plan.h"

namespace kagari::cpu::fft {

/// Memory of up to N transforms. Point k of lane l is data[starts[l] + k * stride], its imaginary
/// part `gap` further on; without a gap it is real. All in elements of T.
template <class T>
struct Lines {
    T* data;
    int64_t starts[kLanes<T>];
    int live;  // lanes in use; the others have a valid start to read from
    int64_t stride, gap;
    bool swapped;  // see Line
};

#define KAGARI_FFT_LOOPS(T)                                                                      \
    /* n points to cells, and back, times `scale`. */                                            \
    void load(const Lines<const T>& lines, int64_t n, Cell<T>* cells);                           \
    void store(const Lines<T>& lines, int64_t n, T scale, const Cell<T>* cells);                 \
    /* The transform; both are overwritten, and the result is in the one that is returned. */    \
    Cell<T>* run_passes(const Plan<T>& plan, Cell<T>* a, Cell<T>* b);                            \
    /* cells[k] *= w^(k (N block + lane)) */                                                     \
    void multiply_roots(const Plan<T>& plan, int64_t block, Cell<T>* cells);                     \
    /* cells[k] *= factors[k], n complex numbers */                                              \
    void multiply(const T* factors, int64_t n, Cell<T>* cells);                                  \
    /* the same, exchanging the parts of the product */                                          \
    void multiply_swapped(const T* factors, int64_t n, Cell<T>* cells);                          \
    /* From the transform of n complex numbers z = (x[2k], x[2k+1]) the n + 1 of x, in place. */ \
    void unfold(const T* roots, int64_t n, Cell<T>* cells);                                      \
    /* The way back times 2, real and imaginary parts exchanged. */                              \
    void fold(const T* roots, int64_t n, Cell<T>* cells);                                        \
    /* The conjugate of a Hermitian signal of n points, n odd, from its first half. */           \
    void mirror(int64_t n, Cell<T>* cells);                                                      \
    /* unfold, fold and mirror of one row of complex numbers */                                  \
    void unfold(const T* roots, int64_t n, Complex<T>* row);                                     \
    void fold(const T* roots, int64_t n, Complex<T>* row);                                       \
    void mirror(int64_t n, Complex<T>* row);                                                     \
    void multiply(const T* factors, int64_t n, Complex<T>* row);                                 \
    void multiply_swapped(const T* factors, int64_t n, Complex<T>* row);
KAGARI_FFT_LOOPS(float)
KAGARI_FFT_LOOPS(double)
#undef KAGARI_FFT_LOOPS

}  // namespace kagari::cpu::fft
