// Numbers, lists, truth values and buffers out of tensors.
#include "python/values.h"

#include <nanobind/nanobind.h>

#include <cmath>

#include "ops/movement/views.h"
#include "python/bindings.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {

PyObject* number_to_python(DType dtype, const void* element) {
    return visit(dtype, [&](auto tag) -> PyObject* {
        using T = typename decltype(tag)::type;
        T value;
        std::memcpy(&value, element, sizeof value);
        if constexpr (std::is_same_v<T, bool>)
            return PyBool_FromLong(value);
        else if constexpr (kIsComplex<T>)
            return PyComplex_FromDoubles(value.real(), value.imag());
        else if constexpr (std::is_same_v<T, uint64_t>)
            return PyLong_FromUnsignedLongLong(value);
        else if constexpr (std::is_integral_v<T>)
            return PyLong_FromLongLong(static_cast<long long>(value));
        else if constexpr (std::is_same_v<T, double>)
            return PyFloat_FromDouble(value);
        else
            return PyFloat_FromDouble(static_cast<float>(value));
    });
}

/// Where the elements are, or an error for a tensor without memory.
static const char* readable(const Tensor& t, const char* op) {
    check<RuntimeError>(!t.is_meta(), "Tensor.", op, ": Tensor.", op,
                        "() cannot be called on meta tensors: they have no values");
    check<NotImplementedError>(t.device().kind == DeviceKind::CPU, "Tensor.", op,
                               ": expected a CPU tensor, got one on ", t.device(),
                               "; call .cpu() first");
    return t.data<const char>();
}

static const void* the_element(const Tensor& t, const char* op) {
    check<RuntimeError>(t.numel() == 1, "Tensor.", op, ": a Tensor with ", t.numel(),
                        " elements cannot be converted to Scalar; expected one element, got shape ",
                        t.sizes());
    return readable(t, op);
}

static PyObject* nested_list(const Tensor& t, const char* data, size_t dim) {
    if (dim == t.sizes().size()) return number_to_python(t.dtype(), data);
    int64_t count = t.sizes()[dim];
    int64_t step = t.strides()[dim] * static_cast<int64_t>(t.itemsize());
    PyObject* list = PyList_New(count);
    for (int64_t i = 0; list && i < count; ++i) {
        PyObject* item = nested_list(t, data + i * step, dim + 1);
        if (item)
            PyList_SET_ITEM(list, i, item);
        else
            Py_CLEAR(list);
    }
    return list;
}

PyObject* tensor_to_list(const Tensor& t) { return nested_list(t, readable(t, "tolist"), 0); }

const char* buffer_format(DType dtype) {
    static constexpr const char* formats[kDTypes] = {
        "?", "B", "b", "h", "i", "l", "H", "I", "L", "e", nullptr, "f", "d", nullptr, "Zf", "Zd"};
    return formats[static_cast<int>(dtype)];
}

namespace {

template <class T>
T the_value(const Tensor& t, const char* op) {
    return visit(t.dtype(), [&](auto tag) {
        using From = typename decltype(tag)::type;
        From value;
        std::memcpy(&value, the_element(t, op), sizeof value);
        if constexpr (kIsComplex<From>)
            check<RuntimeError>(kIsComplex<T> || value.imag() == 0, "Tensor.", op,
                                ": value cannot be converted to type double without overflow: "
                                "expected a real number, got a complex one with an imaginary part");
        return convert<T>(value);
    });
}

PyObject* as_float(PyObject* self) {
    return guarded(
        [&] { return PyFloat_FromDouble(the_value<double>(unwrap(self), "__float__")); });
}

PyObject* as_int(PyObject* self) {
    return guarded([&]() -> PyObject* {
        const Tensor& t = unwrap(self);
        if (!is_floating(t.dtype()) && !is_complex(t.dtype())) {
            PyObject* number = number_to_python(t.dtype(), the_element(t, "__int__"));
            if (number && PyBool_Check(number)) Py_SETREF(number, PyNumber_Long(number));
            return number;
        }
        return PyLong_FromDouble(the_value<double>(t, "__int__"));
    });
}

PyObject* as_index(PyObject* self) {
    return guarded([&]() -> PyObject* {
        const Tensor& t = unwrap(self);
        check<TypeError>(
            category(t.dtype()) < 2 && t.numel() == 1,
            "only integer tensors of a single element can be converted to an index, got ",
            t.dtype(), " of shape ", t.sizes());
        return as_int(self);
    });
}

PyObject* as_complex(PyObject* self, PyObject*) {
    return guarded([&] {
        c128 value = the_value<c128>(unwrap(self), "__complex__");
        return PyComplex_FromDoubles(value.real(), value.imag());
    });
}

/// Iterates over a list of the rows, all made at once: one op, one node in the graph.
PyObject* iterate(PyObject* self) {
    return guarded([&]() -> PyObject* {
        const Tensor& t = unwrap(self);
        check<TypeError>(t.dim() > 0, "iteration over a 0-d tensor");
        Tensors rows = ops::unbind(t, 0);
        PyObject* list = PyList_New(static_cast<Py_ssize_t>(rows.size()));
        for (size_t i = 0; list && i < rows.size(); ++i) {
            PyObject* row = wrap(rows[i]);
            if (!row) Py_CLEAR(list);
            if (row) PyList_SET_ITEM(list, i, row);
        }
        if (!list) return nullptr;
        PyObject* iterator = PyObject_GetIter(list);
        Py_DECREF(list);
        return iterator;
    });
}

PyObject* to_list(PyObject* self, PyObject*) {
    return guarded([&] { return tensor_to_list(unwrap(self)); });
}

// --- the buffer protocol -----------------------------------------------------------------------

/// What a buffer needs while it lives: the memory, and shape and strides in bytes.
struct Export {
    Ref<Storage> storage;
    Dims shape, strides;
};

const char* refusal(const Tensor& t, int flags) {
    if (t.device().kind != DeviceKind::CPU) return "buffer: expected a CPU tensor; call .cpu()";
    if (t.requires_grad()) return "buffer: expected a tensor without requires_grad; call .detach()";
    if (!buffer_format(t.dtype())) return "buffer: bfloat16 has no buffer format; call .float()";
    bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
    bool ordered = (flags & (PyBUF_C_CONTIGUOUS | PyBUF_ANY_CONTIGUOUS) & ~PyBUF_STRIDES) != 0;
    if (!t.is_contiguous() && (!strided || ordered))
        return "buffer: expected a contiguous tensor; call .contiguous()";
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && t.dim() > 1)
        return "buffer: Fortran order is not offered; call .t().contiguous()";
    return nullptr;
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
    const Tensor& t = unwrap(self);
    view->obj = nullptr;
    if (const char* why = refusal(t, flags)) {
        PyErr_SetString(PyExc_BufferError, why);
        return -1;
    }
    auto* held = new Export{t.storage(), Dims(t.sizes()), Dims(t.strides())};
    for (int64_t& stride : held->strides) stride *= static_cast<int64_t>(t.itemsize());
    t.storage()->forbid_resize();
    static char nothing[1];
    view->buf = t.data() ? t.data() : nothing;
    view->len = static_cast<Py_ssize_t>(t.nbytes());
    view->itemsize = static_cast<Py_ssize_t>(t.itemsize());
    view->readonly = 0;
    view->ndim = static_cast<int>(t.dim());
    view->format = (flags & PyBUF_FORMAT) ? const_cast<char*>(buffer_format(t.dtype())) : nullptr;
    view->shape = (flags & PyBUF_ND) ? reinterpret_cast<Py_ssize_t*>(held->shape.data()) : nullptr;
    bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES;
    view->strides = strided ? reinterpret_cast<Py_ssize_t*>(held->strides.data()) : nullptr;
    view->suboffsets = nullptr;
    view->internal = held;
    view->obj = Py_NewRef(self);
    return 0;
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Export*>(view->internal); }

PyMethodDef methods[] = {
    {"tolist", to_list, METH_NOARGS, "tolist() -> list or number\n\nThe values as nested lists."},
    {"__complex__", as_complex, METH_NOARGS, nullptr},
};

template <class F>
PyType_Slot slot(int number, F* function) {
    return {number, reinterpret_cast<void*>(function)};
}

}  // namespace

void add_value_slots(std::vector<PyType_Slot>& slots) {
    slots.insert(slots.end(),
                 {slot(Py_nb_float, as_float), slot(Py_nb_int, as_int), slot(Py_nb_index, as_index),
                  slot(Py_tp_iter, iterate), slot(Py_bf_getbuffer, get_buffer),
                  slot(Py_bf_releasebuffer, release_buffer)});
}

void bind_values(nb::module_&) {
    for (PyMethodDef& method : methods) {
        nb::object descriptor = nb::steal(PyDescr_NewMethod(tensor_type, &method));
        nb::handle(reinterpret_cast<PyObject*>(tensor_type)).attr(method.ml_name) = descriptor;
    }
}

}  // namespace kagari
