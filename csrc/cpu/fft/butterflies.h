// Transforms of a few points in registers: the butterflies of which longer ones are made.
#pragma once
#include "cpu/fft/lanes.h"

namespace kagari::cpu::fft {

/// An odd number of points: sums and differences of the pairs (k, R - k), whose factors are the
/// cosines and the sines. `roots` are exp(-2 pi i k / R).
template <int R, class V, class T>
KAGARI_INLINE void butterfly_odd(Complex<V>* a, const T* roots) {
    constexpr int pairs = (R - 1) / 2;
    Complex<V> sum[pairs], difference[pairs], first = a[0];
    unrolled<pairs>([&](auto k) KAGARI_INLINE_LAMBDA {
        sum[k] = a[k + 1] + a[R - 1 - k];
        difference[k] = a[k + 1] - a[R - 1 - k];
        a[0] = a[0] + sum[k];
    });
    unrolled<pairs>([&](auto j) KAGARI_INLINE_LAMBDA {
        Complex<V> even = first, odd = {V{}, V{}};
        unrolled<pairs>([&](auto k) KAGARI_INLINE_LAMBDA {
            constexpr int power = (j + 1) * (k + 1) % R;
            const T cosine = roots[2 * power], sine = roots[2 * power + 1];
            even = {even.re + sum[k].re * cosine, even.im + sum[k].im * cosine};
            odd = {odd.re + difference[k].re * sine, odd.im + difference[k].im * sine};
        });
        a[j + 1] = {even.re - odd.im, even.im + odd.re};
        a[R - 1 - j] = {even.re + odd.im, even.im - odd.re};
    });
}

template <class V>
KAGARI_INLINE void butterfly_2(Complex<V>& a, Complex<V>& b) {
    Complex<V> sum = a + b;
    b = a - b;
    a = sum;
}

template <class V>
KAGARI_INLINE void butterfly_4(Complex<V>& a, Complex<V>& b, Complex<V>& c, Complex<V>& d) {
    butterfly_2(a, c);
    butterfly_2(b, d);
    d = times_minus_i(d);
    butterfly_2(a, b);
    butterfly_2(c, d);
    std::swap(b, c);  // a b | c d held the results 0 2 | 1 3
}

template <class T, class V>
KAGARI_INLINE void butterfly_8(Complex<V>* a) {
    constexpr T half = T(0.70710678118654752440L);  // cos(pi / 4)
    butterfly_4(a[0], a[2], a[4], a[6]);
    butterfly_4(a[1], a[3], a[5], a[7]);
    a[3] = {(a[3].re + a[3].im) * half, (a[3].im - a[3].re) * half};
    a[5] = times_minus_i(a[5]);
    a[7] = {(a[7].im - a[7].re) * half, (a[7].re + a[7].im) * -half};
    unrolled<4>([&](auto k) KAGARI_INLINE_LAMBDA { butterfly_2(a[2 * k], a[2 * k + 1]); });
    // now in the order 0 4 1 5 2 6 3 7
    Complex<V> one = a[2], two = a[4], three = a[6], four = a[1], five = a[3], six = a[5];
    a[1] = one, a[2] = two, a[3] = three, a[4] = four, a[5] = five, a[6] = six;
}

template <int R, class T, class V>
KAGARI_INLINE void butterfly(Complex<V>* a, const T* roots) {
    if constexpr (R == 2)
        butterfly_2(a[0], a[1]);
    else if constexpr (R == 4)
        butterfly_4(a[0], a[1], a[2], a[3]);
    else if constexpr (R == 8)
        butterfly_8<T>(a);
    else
        butterfly_odd<R>(a, roots);
}

}  // namespace kagari::cpu::fft
