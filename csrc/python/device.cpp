// The device type: construction from strings and numbers, comparison, and `with device:`.
#include "python/device.h"

#include <nanobind/nanobind.h>

#include <vector>

#include "python/errors.h"

namespace nb = nanobind;

namespace kagari {

PyTypeObject* device_type;

namespace {

struct DeviceObject {
    PyObject_HEAD Device value;
};

DeviceObject* cast(PyObject* o) { return reinterpret_cast<DeviceObject*>(o); }

/// Devices that `with device:` replaced, innermost last.
thread_local std::vector<Device> replaced;

Device make_device(PyObject* kind, PyObject* index) {
    if (is_device(kind)) return unwrap_device(kind);
    check<TypeError>(PyUnicode_Check(kind),
                     "device: expected a string such as 'cpu', or a device, got ",
                     Py_TYPE(kind)->tp_name);
    Device device = parse_device(nb::cast<std::string>(nb::handle(kind)));
    if (!index || index == Py_None) return device;
    check<RuntimeError>(device.index < 0,
                        "device: type (string) must not include an index because index was passed "
                        "explicitly: ",
                        nb::cast<std::string>(nb::handle(kind)));
    check<TypeError>(PyLong_Check(index) && !PyBool_Check(index),
                     "device: index: expected an int, got ", Py_TYPE(index)->tp_name);
    long number = PyLong_AsLong(index);
    if (number == -1 && PyErr_Occurred()) throw nb::python_error();
    check<RuntimeError>(number >= 0, "device: Device index must not be negative, got ", number);
    check<RuntimeError>(number < 128, "device: expected an index below 128, got ", number);
    device.index = static_cast<int8_t>(number);
    return device;
}

PyObject* construct(PyTypeObject*, PyObject* args, PyObject* kwargs) {
    return guarded([&]() -> PyObject* {
        static const char* names[] = {"type", "index", nullptr};
        PyObject *kind = nullptr, *index = nullptr;
        if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names),
                                         &kind, &index))
            return nullptr;
        if (PyLong_Check(kind))
            fail<RuntimeError>("device: Cannot access accelerator device when none is available");
        return wrap(make_device(kind, index));
    });
}

std::string kind_name(Device d) { return to_string({d.kind}); }

PyObject* repr(PyObject* self) {
    Device d = cast(self)->value;
    if (d.index < 0) return PyUnicode_FromFormat("device(type='%s')", kind_name(d).c_str());
    return PyUnicode_FromFormat("device(type='%s', index=%d)", kind_name(d).c_str(), d.index);
}

PyObject* str(PyObject* self) { return PyUnicode_FromString(to_string(cast(self)->value).c_str()); }

Py_hash_t hash(PyObject* self) {
    Device d = cast(self)->value;
    return (static_cast<Py_hash_t>(d.kind) << 8) + static_cast<uint8_t>(d.index);
}

PyObject* compare(PyObject* a, PyObject* b, int op) {
    if (!is_device(a) || !is_device(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((cast(a)->value == cast(b)->value) == (op == Py_EQ));
}

PyObject* reduce(PyObject* self, PyObject*) {
    Device d = cast(self)->value;
    auto* type = reinterpret_cast<PyObject*>(device_type);
    if (d.index < 0) return Py_BuildValue("O(s)", type, kind_name(d).c_str());
    return Py_BuildValue("O(si)", type, kind_name(d).c_str(), int{d.index});
}

PyObject* enter(PyObject* self, PyObject*) {
    replaced.push_back(default_device());
    set_default_device(cast(self)->value);
    return Py_NewRef(self);
}

PyObject* leave(PyObject*, PyObject*) {
    if (!replaced.empty()) {
        set_default_device(replaced.back());
        replaced.pop_back();
    }
    Py_RETURN_NONE;
}

PyObject* get_kind(PyObject* self, void*) {
    return PyUnicode_FromString(kind_name(cast(self)->value).c_str());
}

PyObject* get_index(PyObject* self, void*) {
    Device d = cast(self)->value;
    if (d.index < 0) Py_RETURN_NONE;
    return PyLong_FromLong(d.index);
}

PyMethodDef methods[] = {
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {"__enter__", enter, METH_NOARGS, "New tensors are made on this device from here on."},
    {"__exit__", leave, METH_VARARGS, nullptr},
    {}};
PyGetSetDef getters[] = {{"type", get_kind, nullptr, "The kind: 'cpu', 'cuda', 'meta'.", nullptr},
                         {"index", get_index, nullptr, "Its number, or None.", nullptr},
                         {}};
PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(construct)},
                       {Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_str, reinterpret_cast<void*>(str)},
                       {Py_tp_hash, reinterpret_cast<void*>(hash)},
                       {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, getters},
                       {0, nullptr}};
PyType_Spec spec = {"kagari.device", sizeof(DeviceObject), 0, Py_TPFLAGS_DEFAULT, slots};

PyObject* make_object(Device device) {
    auto* o = PyObject_New(DeviceObject, device_type);
    if (o) o->value = device;
    return reinterpret_cast<PyObject*>(o);
}

}  // namespace

Device unwrap_device(PyObject* o) { return cast(o)->value; }

Device to_device(PyObject* o, const char* op) {
    if (o == Py_None) return default_device();
    if (is_device(o)) return unwrap_device(o);
    if (PyUnicode_Check(o)) return make_device(o, nullptr);
    fail<TypeError>(op, ": device: expected a device or a string such as 'cpu', got ",
                    Py_TYPE(o)->tp_name);
}

PyObject* wrap(Device device) {
    static PyObject* cpu = make_object(kCPU);
    return device == kCPU ? Py_NewRef(cpu) : make_object(device);
}

void bind_device(nb::module_& m) {
    device_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    if (!device_type) nb::raise_python_error();
    m.attr("device") = nb::handle(reinterpret_cast<PyObject*>(device_type));
    m.def("get_default_device", [] { return nb::steal(wrap(default_device())); });
    m.def(
        "set_default_device",
        [](nb::handle d) {
            set_default_device(d.is_none() ? kCPU : to_device(d.ptr(), "set_default_device"));
        },
        nb::arg("device").none(), "The device on which new tensors of this thread are made.");
}

}  // namespace kagari
