// Normal and uniform numbers, bit for bit PyTorch's. Other distributions are left to random.cpp.
#include <cmath>
#include <vector>

#include "cpu/random.h"
#include "cpu/random_words.h"
#include "runtime/parallel.h"

// Note [Same bits]
// PyTorch's float path computes log, sin and cos with cephes' single-precision polynomials, eight
// lanes at a time, in code whose compiler fused multiplications into additions. The order of those
// fusions is part of the result, so they are spelled out here with explicit fma, and this file is
// compiled with -ffp-contract=off. Where the machine has FMA instructions the loops below run as
// AVX2 code; elsewhere std::fma gives the same bits, slowly.
#if defined(__x86_64__)
#define KAGARI_FMA [[gnu::target("avx2,fma")]]
static const bool has_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
#define KAGARI_FMA
static const bool has_fma = true;
#endif
#define KAGARI_INLINE inline __attribute__((always_inline))

namespace kagari::cpu {

namespace {

KAGARI_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
KAGARI_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

// Choices are made on bits: a loop with branches would not become vector code.
KAGARI_INLINE uint32_t mask(bool condition) { return -static_cast<uint32_t>(condition); }
KAGARI_INLINE float select(uint32_t mask, float yes, float no) {
    return std::bit_cast<float>((std::bit_cast<uint32_t>(yes) & mask) |
                                (std::bit_cast<uint32_t>(no) & ~mask));
}
KAGARI_INLINE float flip_sign(float x, uint32_t sign) {
    return std::bit_cast<float>(std::bit_cast<uint32_t>(x) ^ sign);
}

/// x in [2^-24, 1]: exponent and a mantissa in [sqrt(1/2), sqrt(2)), then a polynomial in mantissa
/// - 1.
KAGARI_INLINE float log_cephes(float x) {
    uint32_t bits = std::bit_cast<uint32_t>(x);
    float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126);
    float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);
    uint32_t low = mask(m < 0.707106781186547524f);
    x = (m - 1.0f) + select(low, m, 0.0f);
    e -= select(low, 1.0f, 0.0f);
    float z = x * x;
    float y = fused(7.0376836292e-2f, x, -1.1514610310e-1f);
    y = fused(y, x, 1.1676998740e-1f);
    y = fused(y, x, -1.2420140846e-1f);
    y = fused(y, x, 1.4249322787e-1f);
    y = fused(y, x, -1.6668057665e-1f);
    y = fused(y, x, 2.0000714765e-1f);
    y = fused(y, x, -2.4999993993e-1f);
    y = fused(y, x, 3.3333331174e-1f);
    y = fused(y * x, z, e * -2.12194440e-4f);
    y = fused(-z, 0.5f, y);
    return fused(e, 0.693359375f, x + y);
}

/// x in [0, 2 pi): octant, reduction by pi/4 in three parts, then one of two polynomials.
KAGARI_INLINE void sincos_cephes(float x, float& sine, float& cosine) {
    int32_t octant = (static_cast<int32_t>(x * 1.27323954473516f) + 1) & ~1;
    float y = static_cast<float>(octant);
    uint32_t sine_sign = static_cast<uint32_t>(octant & 4) << 29;
    uint32_t cosine_sign = static_cast<uint32_t>(~(octant - 2) & 4) << 29;
    uint32_t straight = mask((octant & 2) == 0);
    x = fused(y, -0.78515625f, x);
    x = fused(y, -2.4187564849853515625e-4f, x);
    x = fused(y, -3.77489497744594108e-8f, x);
    float z = x * x;
    float c = fused(2.443315711809948e-5f, z, -1.388731625493765e-3f);
    c = fused(c, z, 4.166664568298827e-2f) * z;
    c = fused(c, z, -(z * 0.5f)) + 1.0f;
    float s = fused(-1.9515295891e-4f, z, 8.3321608736e-3f);
    s = fused(s, z, -1.6666654611e-1f) * z;
    s = fused(s, x, x);
    sine = flip_sign(select(straight, s, c), sine_sign);
    cosine = flip_sign(select(straight, c, s), cosine_sign);
}

constexpr double kTwoPi = 6.283185307179586476925;

/// Turns 16 uniform numbers into 16 normal ones: the first 8 are radii, the last 8 angles.
KAGARI_INLINE void normal_16(float* d, float mean, float std) {
#pragma GCC unroll 1
    for (int k = 0; k < 8; ++k) {
        float radius = std::sqrt(-2.0f * log_cephes(1.0f - d[k])), sine, cosine;
        sincos_cephes(static_cast<float>(kTwoPi) * d[k + 8], sine, cosine);
        d[k] = fused(radius * cosine, std, mean);
        d[k + 8] = fused(radius * sine, std, mean);
    }
}
KAGARI_INLINE void normal_16(double* d, double mean, double std) {
#pragma GCC unroll 1
    for (int k = 0; k < 8; ++k) {
        double radius = std::sqrt(-2 * std::log(1 - d[k])), theta = kTwoPi * d[k + 8];
        d[k] = fused(radius * std::cos(theta), std, mean);
        d[k + 8] = fused(radius * std::sin(theta), std, mean);
    }
}

template <class T>
KAGARI_FMA void normal_blocks_fma(T* d, int64_t n, T mean, T std) {
    for (int64_t i = 0; i + 16 <= n; i += 16) normal_16(d + i, mean, std);
}
template <class T>
void normal_blocks(T* d, int64_t n, T mean, T std) {
    if (has_fma) return normal_blocks_fma(d, n, mean, std);
    for (int64_t i = 0; i + 16 <= n; i += 16) normal_16(d + i, mean, std);
}

template <class T>
KAGARI_FMA void scale_fma(T* d, int64_t n, T from, T width) {
    for (int64_t i = 0; i < n; ++i) d[i] = fused(d[i], width, from);
}
template <class T>
void scale(T* d, int64_t n, T from, T width) {
    if (from == 0 && width == 1) return;
    if (has_fma) return scale_fma(d, n, from, width);
    for (int64_t i = 0; i < n; ++i) d[i] = fused(d[i], width, from);
}

template <class T>
void uniform_as(Generator& gen, T* out, int64_t n, double from, double to) {
    using C = Compute<T>;
    C low = static_cast<C>(from), width = static_cast<C>(to) - low;
    if constexpr (std::is_same_v<T, C>) {
        unit_fill(gen, out, n);
        scale(out, n, low, width);
        for (int64_t i = 0; i < n; ++i) out[i] = out[i] == T(to) ? T(from) : out[i];
    } else {
        C piece[kWordsPerPiece];
        for (int64_t i = 0; i < n; i += kWordsPerPiece) {
            int64_t count = std::min(kWordsPerPiece, n - i);
            unit_fill(gen, piece, count);
            scale(piece, count, low, width);
            // rounding to the narrow type may reach the excluded upper bound
            float bound = T(static_cast<float>(to));
            for (int64_t k = 0; k < count; ++k) {
                T value(piece[k]);
                out[i + k] = float(value) == bound ? T(static_cast<float>(from)) : value;
            }
        }
    }
}

/// From 16 elements on: blocks of 16; a remainder is covered by 16 fresh numbers at the end.
template <class T>
void normal_in_blocks(Generator& gen, T* out, int64_t n, T mean, T std) {
    unit_fill(gen, out, n);
    parallel_for(0, n / 16, 512, [&](int64_t b, int64_t e) {
        normal_blocks(out + 16 * b, 16 * (e - b), mean, std);
    });
    if (n % 16 == 0) return;
    unit_fill(gen, out + n - 16, 16);
    normal_blocks(out + n - 16, 16, mean, std);
}

template <class T>
void half_in_blocks(Generator& gen, T* out, int64_t n, float mean, float std) {
    float piece[kWordsPerPiece];
    auto blocks = [&](T* to, int64_t count) {
        unit_fill(gen, piece, count);
        normal_blocks(piece, count, mean, std);
        for (int64_t k = 0; k < count; ++k) to[k] = T(piece[k]);
    };
    int64_t whole = n - n % 16;
    for (int64_t i = 0; i < whole; i += kWordsPerPiece)
        blocks(out + i, std::min(kWordsPerPiece, whole - i));
    if (whole != n) blocks(out + n - 16, 16);
}

}  // namespace

void uniform(Generator& gen, DType dtype, void* out, int64_t n, double from, double to) {
    visit_floating(dtype, "uniform_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        uniform_as(gen, static_cast<T*>(out), n, from, to);
    });
}

double next_normal(Generator& gen, double mean, double std) {
    double value;
    if (gen.next_normal) {
        value = *gen.next_normal;
        gen.next_normal.reset();
    } else {
        uint32_t w[4];
        gen.fill(w, 4);
        double theta = kTwoPi * unit_double(w[0], w[1]);
        double radius = std::sqrt(-2.0 * std::log1p(-unit_double(w[2], w[3])));
        gen.next_normal = radius * std::sin(theta);
        value = radius * std::cos(theta);
    }
    return fused(value, std, mean);
}

void normal(Generator& gen, DType dtype, void* out, int64_t n, double mean, double std,
            bool contiguous) {
    visit_floating(dtype, "normal_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        if (n < 16 || !contiguous) {
            for (int64_t i = 0; i < n; ++i) to[i] = convert<T>(next_normal(gen, mean, std));
        } else if constexpr (std::is_same_v<T, Compute<T>>) {
            normal_in_blocks(gen, to, n, static_cast<T>(mean), static_cast<T>(std));
        } else {
            half_in_blocks(gen, to, n, static_cast<float>(mean), static_cast<float>(std));
        }
    });
}

void log_normal(Generator& gen, DType dtype, void* out, int64_t n, double mean, double std) {
    visit_floating(dtype, "log_normal_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        for (int64_t i = 0; i < n; ++i) to[i] = convert<T>(std::exp(next_normal(gen, mean, std)));
    });
}

}  // namespace kagari::cpu
