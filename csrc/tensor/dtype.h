// Element types: sizes, names, categories, half-precision storage types and type promotion.
#pragma once
#include <bit>
#include <complex>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "tensor/error.h"

namespace kagari {

enum class DType : uint8_t {
    Bool,
    U8,
    I8,
    I16,
    I32,
    I64,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
    C32,
    C64,
    C128
};
inline constexpr int kDTypes = 16;

using c64 = std::complex<float>;
using c128 = std::complex<double>;

/// IEEE 754 binary16, stored; arithmetic happens in float.
struct Half {
    uint16_t bits = 0;
    Half() = default;
    Half(float value) : bits(std::bit_cast<uint16_t>(static_cast<_Float16>(value))) {}
    operator float() const { return static_cast<float>(std::bit_cast<_Float16>(bits)); }
};

/// bfloat16: the upper half of a float, rounded to nearest even.
struct BFloat16 {
    uint16_t bits = 0;
    BFloat16() = default;
    BFloat16(float value) {
        uint32_t u = std::bit_cast<uint32_t>(value);
        bits =
            value != value ? 0x7FC0 : static_cast<uint16_t>((u + 0x7FFF + ((u >> 16) & 1)) >> 16);
    }
    operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

/// Two halves, stored; arithmetic happens in c64.
struct c32 {
    using value_type = float;
    Half re, im;
    c32() = default;
    c32(float real, float imag = 0) : re(real), im(imag) {}
    c32(c64 value) : re(value.real()), im(value.imag()) {}
    explicit c32(c128 value) : c32(c64(value)) {}
    operator c64() const { return {re, im}; }
    float real() const { return re; }
    float imag() const { return im; }
    friend c32 operator+(c32 a, c32 b) { return c64(a) + c64(b); }
    friend c32 operator-(c32 a, c32 b) { return c64(a) - c64(b); }
    friend c32 operator*(c32 a, c32 b) { return c64(a) * c64(b); }
    friend c32 operator/(c32 a, c32 b) { return c64(a) / c64(b); }
    friend bool operator==(c32 a, c32 b) { return c64(a) == c64(b); }
};

struct DTypeInfo {
    uint8_t size;
    const char* name;  // "float32"
    const char* code;  // "f32", as in kernel names
};
inline constexpr DTypeInfo kDTypeInfo[kDTypes] = {
    {1, "bool", "bool"},       {1, "uint8", "u8"},      {1, "int8", "i8"},
    {2, "int16", "i16"},       {4, "int32", "i32"},     {8, "int64", "i64"},
    {2, "uint16", "u16"},      {4, "uint32", "u32"},    {8, "uint64", "u64"},
    {2, "float16", "f16"},     {2, "bfloat16", "bf16"}, {4, "float32", "f32"},
    {8, "float64", "f64"},     {4, "complex32", "c32"}, {8, "complex64", "c64"},
    {16, "complex128", "c128"}};

inline size_t itemsize(DType t) { return kDTypeInfo[int(t)].size; }
inline const char* name(DType t) { return kDTypeInfo[int(t)].name; }
inline const char* code(DType t) { return kDTypeInfo[int(t)].code; }
inline bool is_floating(DType t) { return t >= DType::F16 && t <= DType::F64; }
inline bool is_complex(DType t) { return t >= DType::C32; }
inline bool is_integral(DType t) { return t > DType::Bool && t < DType::F16; }
inline bool is_differentiable(DType t) { return t >= DType::F16; }
inline bool is_half(DType t) { return t == DType::F16 || t == DType::BF16; }
inline bool is_signed(DType t) { return t >= DType::F16 || (t >= DType::I8 && t <= DType::I64); }
/// bool 0, integers 1, floating 2, complex 3.
inline int category(DType t) {
    return is_complex(t) ? 3 : is_floating(t) ? 2 : t == DType::Bool ? 0 : 1;
}
/// float32 for complex64, float64 for complex128, itself otherwise; and the way back.
inline DType real_counterpart(DType t) {
    return t == DType::C64    ? DType::F32
           : t == DType::C128 ? DType::F64
           : t == DType::C32  ? DType::F16
                              : t;
}
inline DType complex_counterpart(DType t) {
    if (t == DType::F64 || t == DType::C128) return DType::C128;
    return t == DType::F16 || t == DType::C32 ? DType::C32 : DType::C64;
}
/// What arithmetic on `t` is done in where it has no kernels of its own.
inline DType wide_counterpart(DType t) { return t == DType::C32 ? DType::C64 : t; }
std::ostream& operator<<(std::ostream& os, DType t);  // "torch.float32" style: "float32"

/// The common dtype of two tensors of the same category rank (PyTorch's promotion lattice).
DType promote(DType a, DType b);
/// Whether a value of dtype `from` may be written to dtype `to` by an in-place op.
bool can_cast(DType from, DType to);
DType default_dtype();
void set_default_dtype(DType t);

template <class T>
struct TypeTag {
    using type = T;
};

/// Calls f(TypeTag<T>{}) with the C++ type that stores `t`.
template <class F>
decltype(auto) visit(DType t, F&& f) {
    switch (t) {
        case DType::Bool:
            return f(TypeTag<bool>{});
        case DType::U8:
            return f(TypeTag<uint8_t>{});
        case DType::I8:
            return f(TypeTag<int8_t>{});
        case DType::I16:
            return f(TypeTag<int16_t>{});
        case DType::I32:
            return f(TypeTag<int32_t>{});
        case DType::I64:
            return f(TypeTag<int64_t>{});
        case DType::U16:
            return f(TypeTag<uint16_t>{});
        case DType::U32:
            return f(TypeTag<uint32_t>{});
        case DType::U64:
            return f(TypeTag<uint64_t>{});
        case DType::F16:
            return f(TypeTag<Half>{});
        case DType::BF16:
            return f(TypeTag<BFloat16>{});
        case DType::F32:
            return f(TypeTag<float>{});
        case DType::F64:
            return f(TypeTag<double>{});
        case DType::C32:
            return f(TypeTag<c32>{});
        case DType::C64:
            return f(TypeTag<c64>{});
        case DType::C128:
            return f(TypeTag<c128>{});
    }
    __builtin_unreachable();
}

template <class T>
inline constexpr bool kIsComplex =
    std::is_same_v<T, c32> || std::is_same_v<T, c64> || std::is_same_v<T, c128>;

/// Conversion between element types as tensors do it: complex to real drops the imaginary part,
/// anything to bool is `!= 0`, floats to integers wrap instead of being undefined.
template <class To, class From>
To convert(From value) {
    if constexpr (std::is_same_v<To, From>) {
        return value;
    } else if constexpr (std::is_same_v<From, c32>) {
        return convert<To>(static_cast<c64>(value));
    } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
        return convert<To>(static_cast<float>(value));
    } else if constexpr (std::is_same_v<To, bool>) {
        return value != From(0);
    } else if constexpr (kIsComplex<From>) {
        if constexpr (kIsComplex<To>)
            return To(value);
        else
            return convert<To>(value.real());
    } else if constexpr (kIsComplex<To>) {
        return To(static_cast<typename To::value_type>(value), 0);
    } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
        return To(static_cast<float>(value));
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
        // x86 truncation through int64: what PyTorch gives, made defined for every input
        if (value >= From(-9223372036854775808.0) && value < From(9223372036854775808.0))
            return static_cast<To>(static_cast<int64_t>(value));
        if (std::is_same_v<To, uint64_t> && value >= 0 && value < From(18446744073709551616.0))
            return static_cast<To>(static_cast<uint64_t>(value));
        return static_cast<To>(INT64_MIN);
    } else {
        return static_cast<To>(value);
    }
}

}  // namespace kagari
