// Order-preserving keys: unsigned integers that compare as the elements do, so that sorting is
// sorting of integers.
#pragma once
#include <type_traits>

#include "tensor/dtype.h"

namespace kagari::cpu {

template <class T>
using KeyOf = std::conditional_t<(sizeof(T) > 4), uint64_t, uint32_t>;

/// NaN becomes the largest key, -0 the key of 0.
template <class T>
inline KeyOf<T> sort_key(T value) {
    using K = KeyOf<T>;
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        return sort_key(static_cast<float>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
        constexpr K kSign = K{1} << (sizeof(K) * 8 - 1);
        K bits = std::bit_cast<K>(value + T(0));  // -0 + 0 is +0
        K key = bits & kSign ? ~bits : bits | kSign;
        return value != value ? ~K{0} : key;
    } else if constexpr (std::is_signed_v<T>) {
        return static_cast<K>(static_cast<std::make_signed_t<K>>(value)) ^
               (K{1} << (sizeof(K) * 8 - 1));
    } else {
        return static_cast<K>(value);
    }
}

/// A key with the place it came from: all distinct, so any sort of them is stable.
template <class K>
struct Placed;
template <>
struct Placed<uint32_t> {
    uint64_t packed = 0;
    Placed() = default;
    Placed(uint32_t key, int64_t place)
        : packed(uint64_t{key} << 32 | static_cast<uint32_t>(place)) {}
    uint32_t key() const { return static_cast<uint32_t>(packed >> 32); }
    int64_t place() const { return static_cast<uint32_t>(packed); }
    bool operator<(const Placed& o) const { return packed < o.packed; }
};
template <>
struct Placed<uint64_t> {
    uint64_t bits = 0;
    int64_t from = 0;
    Placed() = default;
    Placed(uint64_t key, int64_t place) : bits(key), from(place) {}
    uint64_t key() const { return bits; }
    int64_t place() const { return from; }
    bool operator<(const Placed& o) const {
        return bits < o.bits || (bits == o.bits && from < o.from);
    }
};

}  // namespace kagari::cpu
