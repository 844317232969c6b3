// Tensors as Python values: numbers, lists, iteration, buffers. These are C slots of the Tensor
// type, which is made in tensor_type.cpp.
#pragma once
#include <Python.h>

#include <vector>

#include "tensor/tensor.h"

namespace kagari {

/// The Python number for one element; new reference, null with an error set.
PyObject* number_to_python(DType dtype, const void* element);
/// Nested lists, or a number for a 0-d tensor.
PyObject* tensor_to_list(const Tensor& t);
/// The struct-module format of a dtype as buffers state it; null for bfloat16.
const char* buffer_format(DType dtype);

/// The number, iteration and buffer slots, for the making of the Tensor type.
void add_value_slots(std::vector<PyType_Slot>& slots);

}  // namespace kagari
