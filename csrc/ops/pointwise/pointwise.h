// Running pointwise rows: promotion, broadcasting, launch, recording. What a row computes is
// defined in src/kagari/kernels/definitions/.
#pragma once
#include <initializer_list>

#include "ops/pointwise/pointwise_spec.h"
#include "ops/value.h"
#include "runtime/kernels.h"

namespace kagari {

class OpRecord;

/// An argument of a pointwise op: a tensor or a number.
class Operand {
  public:
    Operand() = default;
    Operand(const Tensor& t) : tensor_(t) {}
    Operand(const Scalar& s) : scalar_(s) {}
    Operand(double v) : scalar_(v) {}
    Operand(int v) : scalar_(v) {}
    Operand(int64_t v) : scalar_(v) {}
    Operand(bool v) : scalar_(v) {}
    bool is_tensor() const { return tensor_.defined(); }
    const Tensor& tensor() const { return tensor_; }
    const Scalar& scalar() const { return scalar_; }

  private:
    Tensor tensor_;
    Scalar scalar_;
};

/// A row with its kernels found so far.
struct PointwiseRow {
    const PointwiseSpec* spec;
    KernelFn kernels[kDTypes] = {};
    PointwiseRow* derivatives[kMaxOperands] = {};
};

/// The row of that name; built-in or defined at run time. RuntimeError if there is none.
PointwiseRow& find_row(std::string_view name);
/// The row that an op is, as interceptors see it; null for other ops.
PointwiseRow* row_of(const OpRecord& op);
/// The row of the derivative by operand `i`, whose rule is Derivative::Op.
PointwiseRow& derivative_row(PointwiseRow& row, int i);
/// Adds a row at run time. The strings of `spec` must live on.
PointwiseRow& add_row(const PointwiseSpec& spec);

/// Asks the kernel compiler for a row that is not built in (a higher derivative); set by python/.
/// True if it has been added.
extern bool (*row_provider)(const std::string& name);

/// Runs a row. `out` is written if given (resized where empty, checked for dtype and overlap);
/// `inplace` says that `out` is also an operand, whose history is then replaced.
Tensor pointwise(PointwiseRow& row, const Operand* operands, const Tensor* out = nullptr,
                 bool inplace = false);
inline Tensor pointwise(PointwiseRow& row, std::initializer_list<Operand> operands) {
    return pointwise(row, operands.begin());
}

/// A named row as a C++ function object: `inline const Pointwise exp{"exp"};`
class Pointwise {
  public:
    explicit constexpr Pointwise(const char* name) : name_(name) {}
    template <class... A>
    Tensor operator()(const A&... operands) const {
        return pointwise(row(), {Operand(operands)...});
    }
    /// Writes the result to `out`, which may be among the operands; nothing is recorded.
    template <class... A>
    void into(const Tensor& out, const A&... operands) const {
        std::initializer_list<Operand> list{Operand(operands)...};
        pointwise(row(), list.begin(), &out);
    }

  private:
    PointwiseRow& row() const {
        if (!row_) row_ = &find_row(name_);
        return *row_;
    }
    const char* name_;
    mutable PointwiseRow* row_ = nullptr;
};

}  // namespace kagari
