// CRC-32 at the speed of memory: checkpoints carry one per tensor, and the usual table takes longer
// than writing the file.
//
// Note [Folding]
// A message is a polynomial over GF(2), its checksum the remainder of a division by P. The
// processor multiplies polynomials of 64 bits without carry, so 16 bytes that lie n bytes before
// the end can be exchanged for (their halves) times (x^(8n) mod P), 16 bytes farther on, with the
// same remainder. Four lanes of 16 bytes are folded over the message 64 bytes at a time, then into
// one, whose 16 bytes are left to the table. V. Gopal et al., "Fast CRC Computation for Generic
// Polynomials Using PCLMULQDQ Instruction", Intel, 2009. Bits are reflected, as the format has
// them.
#include "cpu/checksum.h"

#include <immintrin.h>

#include <array>
#include <cstring>

namespace kagari::cpu {
namespace {

constexpr uint32_t kPolynomial = 0xEDB88320;  // P, reflected, without its highest term

/// table[k][b]: the checksum's change by a byte b with k zero bytes behind it.
constexpr std::array<std::array<uint32_t, 256>, 8> kTable = [] {
    std::array<std::array<uint32_t, 256>, 8> table{};
    for (uint32_t b = 0; b < 256; ++b) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
        table[0][b] = crc;
    }
    for (size_t k = 1; k < 8; ++k)
        for (size_t b = 0; b < 256; ++b) {
            uint32_t crc = table[k - 1][b];
            table[k][b] = (crc >> 8) ^ table[0][crc & 0xFF];
        }
    return table;
}();

uint32_t by_table(const uint8_t* p, size_t size, uint32_t crc) {
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        std::memcpy(&word, p, 8);
        word ^= crc;
        crc = 0;
        for (size_t k = 0; k < 8; ++k) crc ^= kTable[7 - k][(word >> (8 * k)) & 0xFF];
    }
    for (; size; --size) crc = (crc >> 8) ^ kTable[0][(crc ^ *p++) & 0xFF];
    return crc;
}

/// x^n mod P, reflected, and shifted by one as the reflected product asks for.
constexpr int64_t power(int n) {
    uint32_t r = 0x80000000;  // x^0
    for (int i = 0; i < n; ++i) r = (r >> 1) ^ (r & 1 ? kPolynomial : 0);
    return static_cast<int64_t>(r) << 1;
}

#define KAGARI_CLMUL [[gnu::target("pclmul,sse4.1")]]

KAGARI_CLMUL inline __m128i load(const uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

/// `lane`, moved on to where `next` lies, and added to it.
KAGARI_CLMUL inline __m128i fold(__m128i lane, __m128i next, __m128i by) {
    __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// As by_table, for 64 bytes and more.
KAGARI_CLMUL uint32_t by_folding(const uint8_t* p, size_t size, uint32_t crc) {
    constexpr int64_t near64 = power(512 - 32), far64 = power(512 + 32);
    constexpr int64_t near16 = power(128 - 32), far16 = power(128 + 32);
    const __m128i by64 = _mm_set_epi64x(near64, far64), by16 = _mm_set_epi64x(near16, far16);
    __m128i lanes[4];
    for (int i = 0; i < 4; ++i) lanes[i] = load(p + 16 * i);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(static_cast<int>(crc)));
    for (p += 64, size -= 64; size >= 64; p += 64, size -= 64)
        for (int i = 0; i < 4; ++i) lanes[i] = fold(lanes[i], load(p + 16 * i), by64);
    __m128i all = lanes[0];
    for (int i = 1; i < 4; ++i) all = fold(all, lanes[i], by16);
    uint8_t left[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(left), all);
    return by_table(p, size, by_table(left, 16, 0));
}

}  // namespace

uint32_t crc32(const void* data, size_t size, uint32_t before) {
    static const bool can_fold = __builtin_cpu_supports("pclmul");
    const auto* bytes = static_cast<const uint8_t*>(data);
    uint32_t crc = ~before;
    crc = can_fold && size >= 64 ? by_folding(bytes, size, crc) : by_table(bytes, size, crc);
    return ~crc;
}

}  // namespace kagari::cpu
