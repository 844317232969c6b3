// kagari.Size: the tuple that a shape is in Python.
#pragma once
#include <Python.h>

#include "tensor/dims.h"

namespace kagari {

extern PyTypeObject* size_type;

/// New reference; null with a Python error set if memory is short.
PyObject* wrap_size(IntSpan sizes);

}  // namespace kagari
