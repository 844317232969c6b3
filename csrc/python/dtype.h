// dtype objects: one Python object per element type, so that identity is equality.
#pragma once
#include <Python.h>

#include "tensor/dtype.h"

namespace kagari {

/// The immortal object of each dtype; filled by bind_dtype.
extern PyObject* dtype_objects[kDTypes];
extern PyTypeObject* dtype_type;

inline bool is_dtype(PyObject* o) { return Py_TYPE(o) == dtype_type; }
/// Only for what is_dtype accepts.
DType unwrap_dtype(PyObject* o);
/// What a user passed as dtype: one of ours, or Python's bool, int, float, complex, or None for
/// the default. TypeError otherwise.
DType to_dtype(PyObject* o, const char* op);
/// New reference.
inline PyObject* wrap(DType t) { return Py_NewRef(dtype_objects[static_cast<int>(t)]); }

}  // namespace kagari
