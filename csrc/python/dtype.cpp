// The dtype type and its sixteen objects. finfo and iinfo are left to src/kagari/_limits.py.
#include "python/dtype.h"

#include <nanobind/nanobind.h>

#include "python/arguments.h"
#include "python/errors.h"
#include "python/tensor_type.h"
#include "tensor/scalar.h"

namespace nb = nanobind;

namespace kagari {

PyObject* dtype_objects[kDTypes];
PyTypeObject* dtype_type;

namespace {

struct DTypeObject {
    PyObject_HEAD DType value;
    PyObject* repr;
};

DTypeObject* cast(PyObject* o) { return reinterpret_cast<DTypeObject*>(o); }

PyObject* repr(PyObject* self) { return Py_NewRef(cast(self)->repr); }

PyObject* reduce(PyObject* self, PyObject*) {
    return PyUnicode_FromString(name(cast(self)->value));
}

PyObject* to_complex(PyObject* self, PyObject*) {
    DType t = cast(self)->value;
    if (t < DType::F16)
        return PyErr_Format(PyExc_RuntimeError,
                            "dtype.to_complex: expected a floating or complex "
                            "dtype, got %s, which has no complex counterpart",
                            name(t));
    return wrap(complex_counterpart(t));
}

PyObject* to_real(PyObject* self, PyObject*) { return wrap(real_counterpart(cast(self)->value)); }

template <auto F>
PyObject* boolean(PyObject* self, void*) {
    return PyBool_FromLong(F(cast(self)->value));
}

PyObject* get_itemsize(PyObject* self, void*) {
    return PyLong_FromSize_t(itemsize(cast(self)->value));
}

PyObject* get_module(PyObject*, void*) { return PyUnicode_FromString("kagari"); }

PyMethodDef methods[] = {
    {"__reduce__", reduce, METH_NOARGS, "The name under which kagari has it."},
    {"to_complex", to_complex, METH_NOARGS, "The complex dtype of the same precision."},
    {"to_real", to_real, METH_NOARGS, "The real dtype of the same precision."},
    {}};

PyGetSetDef getters[] = {
    {"is_floating_point", boolean<is_floating>, nullptr, "Is it a real floating dtype?", nullptr},
    {"is_complex", boolean<is_complex>, nullptr, "Is it complex?", nullptr},
    {"is_signed", boolean<is_signed>, nullptr, "Can it hold negative numbers?", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes per element.", nullptr},
    {"__module__", get_module, nullptr, nullptr, nullptr},
    {}};

PyType_Slot slots[] = {{Py_tp_repr, reinterpret_cast<void*>(repr)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, getters},
                       {0, nullptr}};
PyType_Spec spec = {"kagari.dtype", sizeof(DTypeObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

DType unwrap_dtype(PyObject* o) { return cast(o)->value; }

DType to_dtype(PyObject* o, const char* op) {
    if (is_dtype(o)) return cast(o)->value;
    if (o == Py_None) return default_dtype();
    if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::F64;
    if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::I64;
    if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::Bool;
    if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::C128;
    fail<TypeError>(op, ": dtype: expected a dtype such as kagari.float32, got ",
                    Py_TYPE(o)->tp_name);
}

static void set_default(nb::handle dtype) {
    check<TypeError>(is_dtype(dtype.ptr()),
                     "set_default_dtype: d: invalid dtype object: expected a floating dtype, got ",
                     Py_TYPE(dtype.ptr())->tp_name);
    DType t = unwrap_dtype(dtype.ptr());
    check<TypeError>(is_floating(t),
                     "set_default_dtype: only floating-point types are supported as the default "
                     "type, got ",
                     t);
    set_default_dtype(t);
}

static void take_part(Promotion& promotion, PyObject* o) {
    Scalar number;
    if (is_tensor(o)) {
        const Tensor& t = unwrap(o);
        promotion.add_tensor(t.dtype(), t.dim() == 0);
    } else {
        check<TypeError>(to_scalar(o, number), "result_type: expected tensors or numbers, got ",
                         Py_TYPE(o)->tp_name);
        promotion.add_scalar(number);
    }
}

static nb::object result_type(nb::handle a, nb::handle b) {
    Promotion promotion;
    take_part(promotion, a.ptr());
    take_part(promotion, b.ptr());
    return nb::steal(wrap(promotion.result()));
}

void bind_dtype(nb::module_& m) {
    dtype_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
    if (!dtype_type) nb::raise_python_error();
    m.attr("dtype") = nb::handle(reinterpret_cast<PyObject*>(dtype_type));
    for (int i = 0; i < kDTypes; ++i) {
        auto* o = PyObject_New(DTypeObject, dtype_type);
        o->value = static_cast<DType>(i);
        o->repr = PyUnicode_FromFormat("torch.%s", name(o->value));
        dtype_objects[i] = reinterpret_cast<PyObject*>(o);
        m.attr(name(o->value)) = nb::handle(dtype_objects[i]);
    }
    auto get = [](nb::handle o, const char* op) { return to_dtype(o.ptr(), op); };
    m.def("get_default_dtype", [] { return nb::steal(wrap(default_dtype())); });
    m.def("set_default_dtype", set_default, nb::arg("d"),
          "The dtype of tensors made from Python floats.");
    m.def(
        "promote_types",
        [get](nb::handle a, nb::handle b) {
            return nb::steal(wrap(promote(get(a, "promote_types"), get(b, "promote_types"))));
        },
        nb::arg("type1"), nb::arg("type2"), "The smallest dtype that holds both.");
    m.def("result_type", result_type, nb::arg("tensor1"), nb::arg("tensor2"),
          "The dtype of an op on the two, each a tensor or a number.");
    m.def(
        "can_cast",
        [get](nb::handle a, nb::handle b) {
            return can_cast(get(a, "can_cast"), get(b, "can_cast"));
        },
        nb::arg("from_"), nb::arg("to"), "May `from_` be written to `to` in place?");
}

}  // namespace kagari
