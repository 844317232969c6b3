// From generator words to uniform numbers, in pieces that stay in cache. What distribution is made
// of them is left to random.cpp and random_normal.cpp.
#pragma once
#include <algorithm>
#include <type_traits>

#include "runtime/generator.h"
#include "tensor/dtype.h"

namespace kagari::cpu {

inline constexpr int64_t kWordsPerPiece = 2048;

inline float unit_float(uint32_t word) { return static_cast<float>(word & 0xffffffu) * 0x1p-24f; }
inline double unit_double(uint32_t high, uint32_t low) {
    uint64_t bits = (uint64_t{high} << 32 | low) & ((uint64_t{1} << 53) - 1);
    return static_cast<double>(bits) * 0x1p-53;
}
/// One uniform number in [0, 1) with 53 bits.
inline double next_unit(Generator& gen) {
    uint32_t w[2];
    gen.fill(w, 2);
    return unit_double(w[0], w[1]);
}
/// One normal number in double; the other one of the pair waits in the generator.
double next_normal(Generator& gen, double mean, double std);

/// The element type in which PyTorch computes for T: float for the halves.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// Calls f(first, words, count) for consecutive pieces of n samples of `per` words each.
template <class F>
void for_words(Generator& gen, int64_t n, int per, F f) {
    uint32_t words[kWordsPerPiece];
    int64_t piece = kWordsPerPiece / per;
    for (int64_t i = 0; i < n; i += piece) {
        int64_t count = std::min(piece, n - i);
        gen.fill(words, count * per);
        f(i, words, count);
    }
}

/// Writes `n` uniform numbers in [0, 1) of T, which is float or double.
template <class T>
void unit_fill(Generator& gen, T* out, int64_t n) {
    if constexpr (std::is_same_v<T, float>) {
        for_words(gen, n, 1, [out](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k) out[first + k] = unit_float(w[k]);
        });
    } else {
        for_words(gen, n, 2, [out](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k)
                out[first + k] = unit_double(w[2 * k], w[2 * k + 1]);
        });
    }
}

/// Calls f(TypeTag<T>{}) for the floating dtypes.
template <class F>
void visit_floating(DType t, const char* op, F&& f) {
    switch (t) {
        case DType::F16:
            return f(TypeTag<Half>{});
        case DType::BF16:
            return f(TypeTag<BFloat16>{});
        case DType::F32:
            return f(TypeTag<float>{});
        case DType::F64:
            return f(TypeTag<double>{});
        default:
            fail<NotImplementedError>(op, ": expected a floating dtype, got ", name(t));
    }
}

/// Calls f(TypeTag<T>{}) for all real dtypes, bool included.
template <class F>
void visit_real(DType t, const char* op, F&& f) {
    if (is_complex(t)) fail<NotImplementedError>(op, ": not implemented for ", name(t));
    visit(t, [&](auto tag) {
        if constexpr (!kIsComplex<typename decltype(tag)::type>) f(tag);
    });
}

}  // namespace kagari::cpu
