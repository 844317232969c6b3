// Pointwise ops as data: the rows that the kernel compiler writes from its definitions.
// How a row is run (promotion, broadcasting, launch, recording) is left to pointwise.h.
#pragma once
#include <cstdint>

namespace kagari {

inline constexpr int kMaxOperands = 8;
inline constexpr uint32_t kUsesOutput = 1u << 31;

/// The dtype a row computes in, from the promoted dtype of its 'T' operands.
enum class Promote : uint8_t {
    Same,    // the promoted dtype itself
    Float,   // integers and bool become the default float dtype
    Bool,    // always bool: operands are converted to bool first (logical ops)
    Number,  // bool becomes int64
    Equal,   // none: operands of different dtypes are refused
};

/// What an operand or a result is, in terms of the compute dtype.
///   'T' compute dtype, takes part in promotion   'S' compute dtype, a scalar that takes no part
///   'B' bool                                     'I' int64
///   'R' real counterpart of a complex compute dtype (the same for real ones)
///   'C' complex counterpart of a real compute dtype (the same for complex ones)
using Kind = char;

/// The derivative of one output with respect to one operand.
struct Derivative {
    enum Rule : uint8_t {
        None,      // not differentiable in this operand: no gradient flows
        Zero,      // gradient is zero everywhere
        Identity,  // the gradient passes through unchanged
        Missing,   // gradient would flow, but nobody has it: asking for it is an error
        Op,        // run the row `op` on: grad, the used operands in order, the output if used
    };
    Rule rule = None;
    const char* op = nullptr;
    uint32_t uses = 0;  // bit i: operand i is an argument; kUsesOutput: so is the output
};

/// One row: one kernel per dtype. Variants of a public op ("add.alpha") and derivatives ("exp.d0")
/// are rows of their own.
struct PointwiseSpec {
    const char* name;
    uint8_t operands;
    Promote promote;
    char result;                   // Kind of the result
    char kinds[kMaxOperands + 1];  // Kind of each operand
    uint16_t dtypes;               // bit per DType in which the row can compute
    Derivative derivatives[kMaxOperands];
    const char* grad_name;     // name shown as grad_fn, e.g. "ExpBackward0"; null for no derivative
    uint16_t meaningless = 0;  // dtypes that are refused with a RuntimeError...
    const char* remedy = "";   // ...that ends with this
    bool exact_out = false;    // out= must have the dtype of the result
};

/// A public op: its signature, and which row serves which call.
struct PointwiseVariant {
    uint32_t present;  // bit per schema parameter that is passed on as an operand, in order
    const char* mode;  // value of the string parameter, or null where there is none
    const char* spec;  // row name
};

struct PointwiseOp {
    const char* schema;  // "add(Tensor input, Tensor other, *, Scalar alpha=1) -> Tensor"
    const char* flags;   // as in op.h
    const char* doc;
    const PointwiseVariant* variants;  // first match wins; ended by spec == null
};

/// Written by the kernel compiler (generated/pointwise_table.cpp); both end with a null name.
extern const PointwiseSpec kPointwiseSpecs[];
extern const PointwiseOp kPointwiseOps[];

}  // namespace kagari
