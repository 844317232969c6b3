// The pointwise rows that C++ calls by name. One line makes a row callable here.
#pragma once
#include "ops/pointwise/pointwise.h"

namespace kagari::ops {

inline constinit const Pointwise add{"add"}, sub{"sub"}, mul{"mul"}, div{"div"}, neg{"neg"};
inline constinit const Pointwise exp{"exp"}, log{"log"}, sqrt{"sqrt"}, square{"square"};
inline constinit const Pointwise reciprocal{"reciprocal"}, rsqrt{"rsqrt"}, pow{"pow"}, abs{"abs"};
inline constinit const Pointwise eq{"eq"}, ne{"ne"}, lt{"lt"}, le{"le"}, gt{"gt"}, ge{"ge"};
inline constinit const Pointwise where{"where"}, maximum{"maximum"}, minimum{"minimum"};
inline constinit const Pointwise logical_and{"logical_and"}, logical_or{"logical_or"},
    logical_not{"logical_not"};
inline constinit const Pointwise floor_divide{"floor_divide"}, isnan{"isnan"}, sign{"sign"},
    sgn{"sgn"}, conj{"conj_physical"};
inline constinit const Pointwise relu{"relu"}, sigmoid{"sigmoid"}, tanh{"tanh"};

}  // namespace kagari::ops
