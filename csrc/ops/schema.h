// The signature of an op, parsed from its one-line text.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "ops/value.h"

namespace kagari {

enum class ParamType : uint8_t {
    Tensor,
    OptionalTensor,
    Tensors,
    OptionalTensors,
    Int,
    Float,
    Bool,
    Str,
    Ints,
    Floats,
    Scalar,
    Operand,  // a tensor or a number: the operands of pointwise ops
    DType,
    Device,
    Generator,
    Scalars
};

struct Param {
    std::string name;
    ParamType type;
    bool optional = false;  // None is legal
    bool has_default = false;
    bool keyword_only = false;
    Value default_value;
};

struct Schema {
    std::string name;
    std::vector<Param> params;
    std::vector<std::string> result_names;  // of a named tuple; empty for unnamed results
    size_t results = 1;
    bool list_result = false;  // "-> Tensor[]"
    std::string text;
};

/// Parses "name(Tensor input, int dim=-1, *, dtype? dtype=None) -> (Tensor values, Tensor
/// indices)". An error in the text is a RuntimeError that quotes it.
Schema parse_schema(const std::string& text);

}  // namespace kagari
