// The loops of converting copies. Lines of the commonest pairs of types are compiled for each
// instruction set; all other pairs, and all strides, have one loop.
#include "cpu/convert.h"

#include <cstring>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "cpu/clones.h"

namespace kagari::cpu {
namespace {

// Half converts through the processor or, where it cannot, through a call per element. These are
// arithmetic on the bits, which becomes vectors everywhere.
// (F. Giesen's float_to_half_fast3_rtne and half_to_float_fast5, public domain.)

inline uint16_t half_bits(float value) {
    uint32_t bits = std::bit_cast<uint32_t>(value);
    uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7FFFFFFF;
    // 0.5 has the step of a subnormal half as its last bit: adding it rounds
    float shifted = std::bit_cast<float>(size) + 0.5f;
    uint32_t subnormal = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f);
    uint32_t normal = (size + 0xC8000FFF + (size >> 13 & 1)) >> 13;
    uint32_t large = size > 0x7F800000 ? 0x7E00 | (size >> 13 & 0x3FF) : 0x7C00;
    uint32_t half = size < 0x38800000 ? subnormal : normal;
    return static_cast<uint16_t>(sign | (size >= 0x47800000 ? large : half));
}

inline float half_value(uint16_t bits) {
    uint32_t size = (bits & 0x7FFFu) << 13, exponent = size & 0x0F800000;
    uint32_t normal = size + 0x38000000;
    float subnormal = std::bit_cast<float>(size + 0x38800000) - std::bit_cast<float>(0x38800000u);
    uint32_t large = size + 0x70000000;
    large |= size > 0x0F800000 ? 0x400000 : 0;  // a NaN comes out quiet
    uint32_t value = exponent == 0            ? std::bit_cast<uint32_t>(subnormal)
                     : exponent == 0x0F800000 ? large
                                              : normal;
    return std::bit_cast<float>(value | (bits & 0x8000u) << 16);
}

template <class To, class From>
inline To converted(From value) {
    if constexpr (std::is_same_v<From, Half> && !std::is_same_v<To, Half>) {
        return converted<To>(half_value(value.bits));
    } else if constexpr (std::is_same_v<To, Half> && std::is_same_v<From, float>) {
        Half half;
        half.bits = half_bits(value);
        return half;
    } else {
        return convert<To>(value);
    }
}

template <class To, class From>
inline void convert_each(To* to, const From* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
}

template <class To, class From>
void convert_line(To* to, const From* from, int64_t n) {
    if constexpr (std::is_same_v<To, From>)
        std::memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
    else
        convert_each(to, from, n);
}

// Half and float by the processor's own instructions, where it has them.
#ifdef __x86_64__
#define KAGARI_F16C __attribute__((target("avx,f16c")))
KAGARI_F16C void convert_quickly(Half* to, const float* from, int64_t n) {
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        std::memcpy(static_cast<void*>(to + i), &halves, sizeof halves);
    }
    convert_each(to + i, from + i, n - i);
}
KAGARI_F16C void convert_quickly(float* to, const Half* from, int64_t n) {
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m128i halves;
        std::memcpy(&halves, from + i, sizeof halves);
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(halves));
    }
    convert_each(to + i, from + i, n - i);
}
bool has_quick_halves() {
    static const bool has = __builtin_cpu_supports("f16c");
    return has;
}
#else
template <class To, class From>
void convert_quickly(To*, const From*, int64_t) {}
bool has_quick_halves() { return false; }
#endif

void convert_line(Half* to, const float* from, int64_t n) {
    has_quick_halves() ? convert_quickly(to, from, n) : convert_each(to, from, n);
}
void convert_line(float* to, const Half* from, int64_t n) {
    has_quick_halves() ? convert_quickly(to, from, n) : convert_each(to, from, n);
}

#define KAGARI_ONE_WAY(To, From)                                           \
    KAGARI_CLONES void convert_line(To* to, const From* from, int64_t n) { \
        for (int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);    \
    }
#define KAGARI_BOTH_WAYS(A, B) KAGARI_ONE_WAY(A, B) KAGARI_ONE_WAY(B, A)
KAGARI_BOTH_WAYS(float, BFloat16)
KAGARI_BOTH_WAYS(float, double)
KAGARI_BOTH_WAYS(float, int64_t)
KAGARI_BOTH_WAYS(float, int32_t)
KAGARI_BOTH_WAYS(float, uint8_t)
KAGARI_BOTH_WAYS(float, bool)
KAGARI_BOTH_WAYS(double, int64_t)
KAGARI_BOTH_WAYS(double, int32_t)
KAGARI_BOTH_WAYS(int64_t, int32_t)
KAGARI_BOTH_WAYS(int64_t, uint8_t)
KAGARI_BOTH_WAYS(int64_t, bool)
KAGARI_BOTH_WAYS(Half, BFloat16)

template <class To, class From>
void convert_run(int64_t n, void* const* data, const int64_t* strides) {
    char* to = static_cast<char*>(data[0]);
    const char* from = static_cast<const char*>(data[1]);
    const int64_t st = strides[0], sf = strides[1];
    if (st == sizeof(To) && sf == sizeof(From))
        return convert_line(reinterpret_cast<To*>(to), reinterpret_cast<const From*>(from), n);
    for (int64_t i = 0; i < n; ++i)
        *reinterpret_cast<To*>(to + i * st) =
            convert<To>(*reinterpret_cast<const From*>(from + i * sf));
}

}  // namespace

KernelFn convert_kernel(DType to, DType from) {
    return visit(to, [&](auto t) {
        return visit(from, [](auto f) -> KernelFn {
            return convert_run<typename decltype(t)::type, typename decltype(f)::type>;
        });
    });
}

}  // namespace kagari::cpu
