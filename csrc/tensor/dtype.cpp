// Type promotion: PyTorch's lattice, spelled as rules instead of a table.
#include "tensor/dtype.h"

#include <algorithm>

namespace kagari {

std::ostream& operator<<(std::ostream& os, DType t) { return os << name(t); }

static DType promote_integers(DType a, DType b) {  // a < b in the order U8, I8 ... I64, U16 ...
    check<RuntimeError>(b < DType::U16,
                        "Promotion for uint16, uint32, uint64 types is not supported, attempted to "
                        "promote ",
                        a, " and ", b, "; convert one of them first");
    return a == DType::U8 && b == DType::I8 ? DType::I16 : b;
}

DType promote(DType a, DType b) {
    if (a == b) return a;
    if (a > b) std::swap(a, b);  // b is the one of the higher category
    if (a == DType::Bool && !(b >= DType::U16 && b <= DType::U64)) return b;
    check<RuntimeError>(!(is_complex(b) && a >= DType::U16 && a <= DType::U64),
                        "Promotion for uint16, uint32, uint64 types is not supported, attempted to "
                        "promote ",
                        a, " and ", b, "; convert one of them first");
    if (is_complex(b)) {
        bool wide = b == DType::C128 || a == DType::F64 || a == DType::C128;
        bool narrow = b == DType::C32 && (a == DType::F16 || !is_differentiable(a));
        return wide ? DType::C128 : narrow ? DType::C32 : DType::C64;
    }
    if (is_floating(b)) {
        if (!is_floating(a)) return b;
        if (a == DType::F16 && b == DType::BF16) return DType::F32;
        return b;
    }
    return promote_integers(a, b);
}

bool can_cast(DType from, DType to) {
    // Kinds may only widen: complex > floating > integer > bool
    return category(from) <= category(to);
}

static DType the_default = DType::F32;
DType default_dtype() { return the_default; }
void set_default_dtype(DType t) { the_default = t; }

}  // namespace kagari
