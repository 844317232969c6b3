// Public pointwise ops: from a signature's arguments to the row that serves them.
#pragma once
#include "ops/op.h"
#include "ops/pointwise/pointwise.h"

namespace kagari {

/// An op of the definitions. Interceptors see the row it chooses, not the op itself.
class PointwiseFront final : public OpRecord {
  public:
    explicit PointwiseFront(const PointwiseOp& op)
        : OpRecord(op.schema, op.flags, op.doc), op_(op) {}

    Values run(Values args) const override { return run_body(args); }
    Values run_body(const Values& args) const override {
        Operand operands[kMaxOperands];
        return {pointwise(choose(args, operands), operands)};
    }
    bool run_out(const Values& args, const Tensor& out, bool inplace) const override {
        Operand operands[kMaxOperands];
        pointwise(choose(args, operands), operands, &out, inplace);
        return true;
    }

    /// The row for a call with nothing but the leading operands, and how many they are; null if
    /// there is none. Such calls need no boxing.
    PointwiseRow* plain_row() const;
    int plain_operands() const { return plain_operands_; }
    /// Whether the leading operand `i` may be a number.
    bool takes_number(size_t i) const {
        return schema().params[i].type == ParamType::Operand ||
               schema().params[i].type == ParamType::Scalar;
    }

  private:
    const PointwiseVariant& variant_for(const Values& args) const;
    PointwiseRow& choose(const Values& args, Operand* operands) const;

    const PointwiseOp& op_;
    mutable PointwiseRow* plain_ = nullptr;
    mutable int plain_operands_ = 0;
    mutable bool plain_known_ = false;
};

/// Makes the fronts of all built-in definitions; once, before ops are bound or looked up.
void register_pointwise_ops();
/// Adds a public op at run time. What it points to must live on.
const PointwiseFront& add_pointwise_op(const PointwiseOp& op);

}  // namespace kagari
