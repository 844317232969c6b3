// kagari.Size: a tuple of ints that keeps its type under +, * and slicing, and knows its product.
#include "python/size.h"

#include <nanobind/nanobind.h>

#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {

PyTypeObject* size_type;

namespace {

/// A Size with the items of `tuple`, which is consumed; null passes through.
PyObject* adopt(PyObject* tuple) {
    if (!tuple) return nullptr;
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    PyObject* size = size_type->tp_alloc(size_type, count);
    if (size)
        for (Py_ssize_t i = 0; i < count; ++i)
            PyTuple_SET_ITEM(size, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    Py_DECREF(tuple);
    return size;
}

/// An int for a dimension: of an int as it is, of an integer tensor or number by __index__.
PyObject* to_int(PyObject* item, Py_ssize_t position) {
    if (PyLong_CheckExact(item)) return Py_NewRef(item);
    PyObject* number = PyFloat_Check(item) ? nullptr : PyNumber_Index(item);
    if (number) return number;
    PyErr_Clear();
    return PyErr_Format(PyExc_TypeError,
                        "torch.Size() takes an iterable of 'int' (item %zd is '%s')", position,
                        Py_TYPE(item)->tp_name);
}

PyObject* construct(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    PyObject* self = PyTuple_Type.tp_new(type, args, kwargs);
    if (!self) return nullptr;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
        PyObject* item = PyTuple_GET_ITEM(self, i);
        PyObject* number = to_int(item, i);
        if (!number) {
            Py_DECREF(self);
            return nullptr;
        }
        PyTuple_SET_ITEM(self, i, number);
        Py_DECREF(item);
    }
    return self;
}

PyObject* repr(PyObject* self) {
    PyObject* items = PySequence_List(self);
    PyObject* text = items ? PyUnicode_FromFormat("torch.Size(%R)", items) : nullptr;
    Py_XDECREF(items);
    return text;
}

PyObject* subscript(PyObject* self, PyObject* key) {
    PyObject* found = PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
    if (!PySlice_Check(key) || !found) return found;
    return adopt(found);
}

PyObject* add(PyObject* a, PyObject* b) {
    // Reached with either side a Size; the other one must be a tuple.
    for (PyObject* o : {a, b})
        if (!PyTuple_Check(o)) {
            if (o == a) Py_RETURN_NOTIMPLEMENTED;
            return PyErr_Format(PyExc_TypeError,
                                "can only concatenate tuple (not %s) to torch.Size",
                                Py_TYPE(o)->tp_name);
        }
    return adopt(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}

PyObject* concat(PyObject* a, PyObject* b) { return add(a, b); }

PyObject* repeat(PyObject* self, Py_ssize_t count) {
    return adopt(PyTuple_Type.tp_as_sequence->sq_repeat(self, count));
}

PyObject* numel(PyObject* self, PyObject*) {
    PyObject* product = PyLong_FromLong(1);
    for (Py_ssize_t i = 0; product && i < PyTuple_GET_SIZE(self); ++i)
        Py_SETREF(product, PyNumber_Multiply(product, PyTuple_GET_ITEM(self, i)));
    return product;
}

PyObject* reduce(PyObject* self, PyObject*) {
    PyObject* plain = PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self));
    return plain ? Py_BuildValue("O(N)", reinterpret_cast<PyObject*>(size_type), plain) : nullptr;
}

PyMethodDef methods[] = {{"numel", numel, METH_NOARGS, "The number of elements."},
                         {"__reduce__", reduce, METH_NOARGS, nullptr},
                         {}};
PyType_Slot slots[] = {{Py_tp_base, &PyTuple_Type},
                       {Py_tp_new, reinterpret_cast<void*>(construct)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_nb_add, reinterpret_cast<void*>(add)},
                       {Py_sq_concat, reinterpret_cast<void*>(concat)},
                       {Py_sq_repeat, reinterpret_cast<void*>(repeat)},
                       {Py_mp_subscript, reinterpret_cast<void*>(subscript)},
                       {Py_tp_methods, methods},
                       {0, nullptr}};
PyType_Spec spec = {"kagari.Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

}  // namespace

PyObject* wrap_size(IntSpan sizes) {
    PyObject* size = size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(sizes.size()));
    for (size_t i = 0; size && i < sizes.size(); ++i) {
        PyObject* item = PyLong_FromLongLong(sizes[i]);
        if (!item)
            Py_CLEAR(size);
        else
            PyTuple_SET_ITEM(size, i, item);
    }
    return size;
}

void bind_size(nb::module_& m) {
    size_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    if (!size_type) nb::raise_python_error();
    m.attr("Size") = nb::handle(reinterpret_cast<PyObject*>(size_type));
}

}  // namespace kagari
