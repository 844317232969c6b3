// The Python type of tensors. Its number slots are in operators.cpp, its attributes in
// tensor_attributes.cpp, the methods that are ops come from ops.cpp.
#pragma once
#include <Python.h>

#include "tensor/tensor.h"

namespace kagari {

struct PyTensor {
    PyObject_HEAD TensorBody* body;
    PyObject* dict;
    PyObject* weakrefs;
};

extern PyTypeObject* tensor_type;

inline bool is_exact_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type; }
inline bool is_tensor(PyObject* o) {
    return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type);
}
/// The tensor of an object for which is_tensor holds; valid as long as the object is.
inline const Tensor& unwrap(PyObject* o) {
    // a Tensor is one pointer to its body, which is what the object holds
    static_assert(sizeof(Tensor) == sizeof(TensorBody*));
    return reinterpret_cast<const Tensor&>(reinterpret_cast<PyTensor*>(o)->body);
}
/// New reference; None for an undefined tensor. The same tensor gives the same object.
PyObject* wrap(Tensor t);
/// New object of a subclass for a tensor that has no Python object yet.
PyObject* wrap_as(PyTypeObject* cls, Tensor t);

/// Set by indexing.cpp.
struct IndexingHooks {
    PyObject* (*get)(PyObject* self, PyObject* index) = nullptr;
    int (*set)(PyObject* self, PyObject* index, PyObject* value) = nullptr;
};
extern IndexingHooks indexing_hooks;

}  // namespace kagari
