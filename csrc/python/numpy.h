// Sharing memory with NumPy arrays. NumPy's headers are not needed and NumPy is not imported
// before the first array is met.
#pragma once
#include <Python.h>

#include "tensor/tensor.h"

namespace kagari {

bool is_numpy_array(PyObject* o);
/// np.float32(1), np.bool_(True) and the like.
bool is_numpy_scalar(PyObject* o);
/// A tensor on the array's memory. TypeError or ValueError, as PyTorch's, where that cannot be;
/// a warning for a read-only array if `warn`.
Tensor from_numpy(PyObject* array, bool warn = true);
/// A 0-d tensor with the value of a NumPy scalar.
Tensor from_numpy_scalar(PyObject* scalar);
/// The dtype of a NumPy scalar.
DType numpy_scalar_dtype(PyObject* scalar);
/// A new array on the tensor's memory; new reference.
PyObject* to_numpy(const Tensor& t);
/// Storage that keeps `owner` alive, and lets go of it under the interpreter's lock.
Ref<Storage> borrow_memory(void* data, size_t bytes, PyObject* owner);

}  // namespace kagari
