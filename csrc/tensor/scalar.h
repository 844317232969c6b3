// A Python number in C++: its kind decides how it takes part in type promotion.
#pragma once
#include "tensor/dtype.h"

namespace kagari {

class Scalar {
  public:
    enum Kind : uint8_t { Bool, Int, UInt, Float, Complex };  // UInt only for values >= 2^63

    Scalar() : Scalar(int64_t{0}) {}
    Scalar(bool v) : kind_(Bool), i_(v) {}
    Scalar(int v) : Scalar(int64_t{v}) {}
    Scalar(int64_t v) : kind_(Int), i_(v) {}
    Scalar(uint64_t v) : kind_(v > INT64_MAX ? UInt : Int), i_(static_cast<int64_t>(v)) {}
    Scalar(double v) : kind_(Float), d_(v) {}
    Scalar(c128 v) : kind_(Complex), d_(v.real()), imag_(v.imag()) {}

    Kind kind() const { return kind_; }
    bool is_integral() const { return kind_ <= UInt; }  // bool included

    template <class T>
    T to() const {
        switch (kind_) {
            case Bool:
            case Int:
                return convert<T>(i_);
            case UInt:
                return convert<T>(static_cast<uint64_t>(i_));
            case Float:
                return convert<T>(d_);
            case Complex:
                return convert<T>(c128(d_, imag_));
        }
        __builtin_unreachable();
    }
    /// Writes the value as `t` to `where`.
    void store(DType t, void* where) const {
        visit(t, [&](auto tag) {
            using T = typename decltype(tag)::type;
            T value = to<T>();
            std::memcpy(where, &value, sizeof value);
        });
    }
    /// The dtype it has when nothing else speaks: bool, int64, default float, default complex.
    DType dtype() const;
    bool operator==(const Scalar& o) const {
        return kind_ == o.kind_ && (kind_ < Float ? i_ == o.i_ : d_ == o.d_) && imag_ == o.imag_;
    }

  private:
    Kind kind_;
    union {
        int64_t i_;
        double d_;
    };
    double imag_ = 0;
};

std::ostream& operator<<(std::ostream& os, const Scalar& s);

/// Gathers the operands of an op and tells the dtype they have in common. PyTorch's rule: tensors
/// with dimensions beat 0-d tensors, those beat Python numbers, unless the lower rank has a higher
/// category (bool < integer < floating < complex).
class Promotion {
  public:
    void add_tensor(DType t, bool zero_dim) { add(zero_dim ? zero_dim_ : dimmed_, t); }
    void add_scalar(const Scalar& s) { add(number_, s.dtype()); }
    DType result() const;

  private:
    struct Rank {
        DType dtype = DType::Bool;
        bool seen = false;
    };
    static void add(Rank& rank, DType t) {
        rank.dtype = rank.seen ? promote(rank.dtype, t) : t;
        rank.seen = true;
    }
    Rank dimmed_, zero_dim_, number_;
};

}  // namespace kagari
