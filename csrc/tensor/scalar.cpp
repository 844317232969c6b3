// Promotion of tensors and Python numbers together.
#include "tensor/scalar.h"

namespace kagari {

DType Scalar::dtype() const {
    switch (kind_) {
        case Bool:
            return DType::Bool;
        case Int:
            return DType::I64;
        case UInt:
            return DType::U64;
        case Float:
            return default_dtype();
        case Complex:
            return complex_counterpart(default_dtype());
    }
    __builtin_unreachable();
}

std::ostream& operator<<(std::ostream& os, const Scalar& s) {
    switch (s.kind()) {
        case Scalar::Bool:
            return os << (s.to<bool>() ? "True" : "False");
        case Scalar::Int:
            return os << s.to<int64_t>();
        case Scalar::UInt:
            return os << s.to<uint64_t>();
        case Scalar::Float:
            return os << s.to<double>();
        case Scalar::Complex: {
            c128 v = s.to<c128>();
            return os << '(' << v.real() << '+' << v.imag() << "j)";
        }
    }
    return os;
}

DType Promotion::result() const {
    auto combine = [](Rank higher, Rank lower) -> Rank {
        if (!higher.seen) return lower;
        if (!lower.seen || category(higher.dtype) >= category(lower.dtype)) return higher;
        // a complex value of lower rank takes the precision of the floating one that it meets
        if (is_complex(lower.dtype) && is_floating(higher.dtype))
            return {complex_counterpart(higher.dtype), true};
        return lower;
    };
    return combine(combine(dimmed_, zero_dim_), number_).dtype;
}

}  // namespace kagari
