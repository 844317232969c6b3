// NumPy arrays as tensors and back, through NumPy's C API as found in its running module.
#include "python/numpy.h"

#include <nanobind/nanobind.h>

#include "autograd/mode.h"
#include "python/bindings.h"
#include "python/caster.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

// Note [NumPy without headers]
// What is used of NumPy's binary interface has the same layout in NumPy 1 and 2: the first fields
// of an array and of a dtype, the type numbers, and three entries of the function table.
struct ArrayObject {
    PyObject_HEAD char* data;
    int dims;
    Py_ssize_t* sizes;
    Py_ssize_t* strides;
    PyObject* base;
    struct DescrObject* descr;
    int flags;
};
struct DescrObject {
    PyObject_HEAD PyTypeObject* scalar;
    char kind, type, byteorder, former_flags;
    int number;
};
constexpr int kAligned = 0x100, kWriteable = 0x400;
constexpr int kNumbers[kDTypes] = {0, 2, 1, 3, 5, 7, 4, 6, 8, 23, -1, 11, 12, -1, 14, 15};
constexpr int kLongLong = 9, kULongLong = 10;

struct Api {
    PyTypeObject* array;
    PyTypeObject* scalar;
    PyObject* (*make)(PyTypeObject* type, int dims, const Py_ssize_t* sizes, int number,
                      const Py_ssize_t* strides, void* data, int itemsize, int flags, PyObject*);
    int (*set_base)(PyObject* array, PyObject* base);
};

const Api& api() {
    static const Api table = [] {
        nb::object core;
        try {
            core = nb::module_::import_("numpy._core._multiarray_umath");
        } catch (nb::python_error&) {
            core = nb::module_::import_("numpy.core._multiarray_umath");
        }
        nb::object capsule = core.attr("_ARRAY_API");
        auto** entries = static_cast<void**>(PyCapsule_GetPointer(capsule.ptr(), nullptr));
        if (!entries) nb::raise_python_error();
        return Api{static_cast<PyTypeObject*>(entries[2]), static_cast<PyTypeObject*>(entries[10]),
                   reinterpret_cast<decltype(Api::make)>(entries[93]),
                   reinterpret_cast<decltype(Api::set_base)>(entries[282])};
    }();
    return table;
}

/// Nothing can be an array before somebody has imported NumPy.
bool numpy_is_loaded() {
    static bool loaded = false;
    if (loaded) return true;
    PyObject* modules = PyImport_GetModuleDict();
    loaded =
        PyDict_GetItemString(modules, "numpy") && PyDict_GetItemString(modules, "numpy.linalg");
    return loaded;
}

const ArrayObject* cast(PyObject* o) { return reinterpret_cast<const ArrayObject*>(o); }

DType dtype_of(const DescrObject* descr) {
    if (descr->number == kLongLong) return DType::I64;
    if (descr->number == kULongLong) return DType::U64;
    for (int i = 0; i < kDTypes; ++i)
        if (kNumbers[i] == descr->number) return static_cast<DType>(i);
    fail<TypeError>(
        "from_numpy: can't convert np.ndarray of type ",
        nb::cast<std::string>(nb::str(nb::handle((PyObject*)descr->scalar).attr("__name__"))),
        ". The only supported types are: float64, float32, float16, complex64, "
        "complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and "
        "bool.");
}

void warn_read_only() {
    int failed = PyErr_WarnEx(
        PyExc_UserWarning,
        "The given NumPy array is not writable, and tensors do not support non-writable memory. "
        "Writing to this tensor is undefined behaviour: copy the array first to be safe.",
        1);
    if (failed) throw nb::python_error();
}

void release_owner(PyObject* owner) {
    if (!Py_IsInitialized()) return;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_DECREF(owner);
    PyGILState_Release(state);
}

}  // namespace

Ref<Storage> borrow_memory(void* data, size_t bytes, PyObject* owner) {
    Py_INCREF(owner);
    return make_ref<Storage>(data, bytes, kCPU, [owner] { release_owner(owner); });
}

bool is_numpy_array(PyObject* o) { return numpy_is_loaded() && PyObject_TypeCheck(o, api().array); }

bool is_numpy_scalar(PyObject* o) {
    return numpy_is_loaded() && PyObject_TypeCheck(o, api().scalar);
}

Tensor from_numpy(PyObject* o, bool warn) {
    check<TypeError>(is_numpy_array(o), "from_numpy: expected np.ndarray (got ",
                     Py_TYPE(o)->tp_name, ")");
    const ArrayObject* array = cast(o);
    DType dtype = dtype_of(array->descr);
    check<ValueError>(array->descr->byteorder != '>',
                      "from_numpy: given numpy array has byte order different from the native byte "
                      "order. Conversion between byte orders is currently not supported; use "
                      "array.astype(array.dtype.newbyteorder('='))");
    auto size = static_cast<Py_ssize_t>(itemsize(dtype));
    auto body = make_ref<TensorBody>();
    int64_t last = 0;
    bool empty = false;
    for (int d = 0; d < array->dims; ++d) {
        Py_ssize_t stride = array->strides[d];
        check<ValueError>(stride >= 0,
                          "from_numpy: At least one stride in the given numpy array is negative, "
                          "and tensors with negative strides are not supported. Make a copy of the "
                          "array with array.copy().");
        check<ValueError>(stride % size == 0 || array->sizes[d] < 2,
                          "from_numpy: given numpy array strides not a multiple of the element "
                          "byte size. Copy the numpy array to reallocate the memory.");
        body->sizes.push_back(array->sizes[d]);
        body->strides.push_back(stride / size);
        last += (array->sizes[d] - 1) * (stride / size);
        empty |= array->sizes[d] == 0;
    }
    check<ValueError>(array->flags & kAligned,
                      "from_numpy: expected an aligned array; make a copy with array.copy()");
    if (!(array->flags & kWriteable) && warn) warn_read_only();
    size_t bytes = empty ? 0 : static_cast<size_t>((last + 1) * size);
    body->storage = borrow_memory(array->data, bytes, o);
    body->dtype = dtype;
    body->update_layout();
    return Tensor(std::move(body));
}

static nb::object as_array(PyObject* scalar) {
    return nb::module_::import_("numpy").attr("asarray")(nb::handle(scalar));
}

Tensor from_numpy_scalar(PyObject* scalar) { return from_numpy(as_array(scalar).ptr(), false); }

DType numpy_scalar_dtype(PyObject* scalar) {
    nb::object array = as_array(scalar);
    return dtype_of(cast(array.ptr())->descr);
}

PyObject* to_numpy(const Tensor& t) {
    int number = kNumbers[static_cast<int>(t.dtype())];
    check<TypeError>(number >= 0, "Tensor.numpy: Got unsupported ScalarType ",
                     is_complex(t.dtype()) ? "ComplexHalf: NumPy has no complex32; use .cfloat()"
                                           : "BFloat16: NumPy has no bfloat16; use .float()",
                     ".numpy()");
    check<TypeError>(t.device().kind == DeviceKind::CPU, "Tensor.numpy: can't convert ", t.device(),
                     " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                     "memory first.");
    Dims strides(t.strides());
    for (int64_t& stride : strides) stride *= static_cast<int64_t>(t.itemsize());
    using Lengths = const Py_ssize_t*;
    // with a null pointer NumPy would make memory of its own
    static char nothing[1];
    PyObject* array = api().make(api().array, static_cast<int>(t.dim()),
                                 reinterpret_cast<Lengths>(t.sizes().data()), number,
                                 reinterpret_cast<Lengths>(strides.data()),
                                 t.data() ? t.data() : nothing, 0, kWriteable | kAligned, nullptr);
    if (!array) nb::raise_python_error();
    auto* held = new Ref<Storage>(t.storage());
    t.storage()->forbid_resize();
    PyObject* owner = PyCapsule_New(held, nullptr, [](PyObject* capsule) {
        delete static_cast<Ref<Storage>*>(PyCapsule_GetPointer(capsule, nullptr));
    });
    if (!owner || api().set_base(array, owner) != 0) nb::raise_python_error();
    return array;
}

static PyObject* numpy_method(const Tensor& t, bool force) {
    check<RuntimeError>(force || !t.requires_grad() || !grad_enabled(),
                        "Can't call numpy() on Tensor that requires grad. Use "
                        "tensor.detach().numpy() instead.");
    return to_numpy(t);
}

void bind_numpy(nb::module_& m) {
    m.def(
        "from_numpy", [](nb::handle array) { return nb::steal(wrap(from_numpy(array.ptr()))); },
        nb::arg("ndarray"), "A tensor that shares the memory of a NumPy array.");
    m.def(
        "_to_numpy", [](const Tensor& t, bool force) { return nb::steal(numpy_method(t, force)); },
        nb::arg("self"), nb::arg("force") = false);
    m.def("_is_numpy_array", [](nb::handle o) { return is_numpy_array(o.ptr()); });
}

}  // namespace kagari
