// device objects. What a device is, is left to tensor/device.h.
#pragma once
#include <Python.h>

#include "tensor/device.h"

namespace kagari {

extern PyTypeObject* device_type;

inline bool is_device(PyObject* o) { return Py_TYPE(o) == device_type; }
/// Only for what is_device accepts.
Device unwrap_device(PyObject* o);
/// What a user passed as device: a device, a string, or None for the default one. TypeError
/// otherwise.
Device to_device(PyObject* o, const char* op);
/// New reference.
PyObject* wrap(Device device);

}  // namespace kagari
