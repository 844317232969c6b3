// Vectors of lanes, one independent transform in each, and complex numbers made of them.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

namespace kagari::cpu::fft {

#define KAGARI_INLINE [[gnu::always_inline]] inline
#define KAGARI_INLINE_LAMBDA __attribute__((always_inline))

/// f(0), ..., f(N - 1) with constants as arguments: what is an array in between stays in registers.
template <int N, class F>
KAGARI_INLINE void unrolled(F f) {
    [&]<int... K>(std::integer_sequence<int, K...>) KAGARI_INLINE_LAMBDA {
        (f(std::integral_constant<int, K>()), ...);
    }(std::make_integer_sequence<int, N>());
}

/// 64 bytes: what one cache line and one AVX-512 register hold. Where registers are narrower the
/// compiler takes several.
template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
    typedef float type __attribute__((vector_size(64)));
    typedef int32_t places __attribute__((vector_size(64)));
};
template <>
struct VectorOf<double> {
    typedef double type __attribute__((vector_size(64)));
    typedef int64_t places __attribute__((vector_size(64)));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int kLanes = 64 / sizeof(T);

/// A complex number; with V = Vector<T>, one in each lane.
template <class V>
struct Complex {
    V re, im;
};
template <class T>
using Cell = Complex<Vector<T>>;

template <class V>
KAGARI_INLINE Complex<V> operator+(const Complex<V>& a, const Complex<V>& b) {
    return {a.re + b.re, a.im + b.im};
}
template <class V>
KAGARI_INLINE Complex<V> operator-(const Complex<V>& a, const Complex<V>& b) {
    return {a.re - b.re, a.im - b.im};
}
/// W may be the scalar of V: the same factor in each lane.
template <class V, class W>
KAGARI_INLINE Complex<V> times(const Complex<V>& a, const W& re, const W& im) {
    return {a.re * re - a.im * im, a.im * re + a.re * im};
}
template <class V>
KAGARI_INLINE Complex<V> times_minus_i(const Complex<V>& a) {
    return {a.im, -a.re};
}

template <class V, class T>
KAGARI_INLINE V read(const T* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
template <class V, class T>
KAGARI_INLINE void write(T* to, const V& v) {
    std::memcpy(to, &v, sizeof v);
}

// --- elements of two vectors, put together anew ------------------------------------------------

/// Which element of (a, b), taken as one row of 2 N, comes to place i.
using Choice = int (*)(int i, int n);

/// The first halves of both, or the second halves, in turns of `unit` elements.
template <int unit, bool second>
constexpr int in_turns(int i, int n) {
    int turn = i / unit;
    return (turn % 2) * n + (second ? n / 2 : 0) + turn / 2 * unit + i % unit;
}
/// Every other element.
template <int first>
constexpr int every_other(int i, int) {
    return 2 * i + first;
}

template <class T, Choice choice, int... I>
KAGARI_INLINE Vector<T> chosen(const Vector<T>& a, const Vector<T>& b,
                               std::integer_sequence<int, I...>) {
    constexpr int n = kLanes<T>;
#ifdef __clang__
    return __builtin_shufflevector(a, b, choice(I, n)...);
#else
    constexpr typename VectorOf<T>::places places = {choice(I, n)...};
    return __builtin_shuffle(a, b, places);
#endif
}
template <class T, Choice choice>
KAGARI_INLINE Vector<T> chosen(const Vector<T>& a, const Vector<T>& b) {
    return chosen<T, choice>(a, b, std::make_integer_sequence<int, kLanes<T>>());
}

/// N/2 rows of N/2 complex numbers, transposed by shuffling the upper and the lower half of the
/// rows into each other, like cards, log2 times.
template <class T>
KAGARI_INLINE void transpose(Vector<T>* rows) {
    constexpr int half = kLanes<T> / 2;
    for (int round = 1; round < half; round *= 2) {
        Vector<T> shuffled[half];
        for (int i = 0; i < half / 2; ++i) {
            shuffled[2 * i] = chosen<T, in_turns<2, false>>(rows[i], rows[i + half / 2]);
            shuffled[2 * i + 1] = chosen<T, in_turns<2, true>>(rows[i], rows[i + half / 2]);
        }
        for (int i = 0; i < half; ++i) rows[i] = shuffled[i];
    }
}

}  // namespace kagari::cpu::fft
