// The Python callable of an op: function, method and in-place method are one kind of object.
#pragma once
#include <Python.h>

#include "ops/op.h"

namespace kagari {

extern PyTypeObject* op_function_type;

/// A callable for the overloads of `name`, tried in order. `inplace` makes it write its result to
/// its first argument.
PyObject* make_op_function(const std::string& name, std::vector<const OpRecord*> overloads,
                           bool inplace);
/// Adds an overload to an existing callable.
void add_overload(PyObject* function, const OpRecord* op);

}  // namespace kagari
