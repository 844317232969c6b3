// Copies that convert from one element type to another.
#pragma once
#include "runtime/kernels.h"
#include "tensor/dtype.h"

namespace kagari::cpu {

/// data[0][i] = convert(data[1][i]) for strides in bytes.
KernelFn convert_kernel(DType to, DType from);

}  // namespace kagari::cpu
