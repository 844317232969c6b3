// Tensors from Python values.
#pragma once
#include <Python.h>

#include <optional>

#include "tensor/tensor.h"

namespace kagari {

/// A new tensor with the values of a number, nested sequences, a NumPy array or scalar, or a
/// tensor; `dtype` is inferred if not given.
Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype, Device device);
/// The same, but a tensor or an array that fits is shared instead of copied.
Tensor tensor_sharing_data(PyObject* data, std::optional<DType> dtype,
                           std::optional<Device> device);

}  // namespace kagari
