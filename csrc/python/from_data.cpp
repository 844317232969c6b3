// tensor(), as_tensor() and frombuffer(): reading numbers out of Python objects.
#include "python/from_data.h"

#include <nanobind/nanobind.h>

#include "autograd/mode.h"
#include "autograd/node.h"
#include "ops/movement/copy.h"
#include "python/bindings.h"
#include "python/device.h"
#include "python/dtype.h"
#include "python/errors.h"
#include "python/numpy.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

constexpr size_t kMostDimensions = 128;

bool is_number_or_tensor(PyObject* o) {
    return PyFloat_Check(o) || PyLong_Check(o) || PyComplex_Check(o) || is_tensor(o);
}

bool is_sequence(PyObject* o) {
    if (PyList_CheckExact(o) || PyTuple_CheckExact(o)) return true;
    return !is_number_or_tensor(o) && PySequence_Check(o) && !is_numpy_scalar(o);
}

/// The items of a sequence as a list or tuple.
nb::object items_of(PyObject* sequence) {
    PyObject* fast = PySequence_Fast(sequence, "tensor: data: not a sequence");
    if (!fast) throw nb::python_error();
    return nb::steal(fast);
}

/// Sizes along the first item of each level; later items must agree, which reading checks.
Dims measure(PyObject* data) {
    Dims sizes;
    nb::object current = nb::borrow(data);
    while (is_sequence(current.ptr())) {
        PyObject* o = current.ptr();
        check<TypeError>(sizes.size() > 0 || !(PyUnicode_Check(o) || PyBytes_Check(o)),
                         "new(): invalid data type '", Py_TYPE(o)->tp_name, "'");
        check<ValueError>(!PyUnicode_Check(o) && sizes.size() < kMostDimensions,
                          "tensor: data: too many dimensions '", Py_TYPE(o)->tp_name, "'");
        Py_ssize_t length = PySequence_Size(o);
        if (length < 0) throw nb::python_error();
        sizes.push_back(length);
        if (length == 0) break;
        PyObject* first = PySequence_GetItem(o, 0);
        if (!first) throw nb::python_error();
        current = nb::steal(first);
    }
    return sizes;
}

DType number_dtype(PyObject* o) {
    if (PyFloat_CheckExact(o)) return default_dtype();
    if (PyBool_Check(o)) return DType::Bool;
    if (PyLong_CheckExact(o)) return DType::I64;
    if (is_tensor(o)) return unwrap(o).dtype();
    if (is_numpy_scalar(o)) return numpy_scalar_dtype(o);
    if (PyFloat_Check(o)) return default_dtype();
    if (PyLong_Check(o)) return DType::I64;
    if (PyComplex_Check(o)) return complex_counterpart(default_dtype());
    fail<RuntimeError>("tensor: data: Could not infer dtype of ", Py_TYPE(o)->tp_name);
}

/// The common dtype of all numbers in nested sequences.
void infer(PyObject* o, std::optional<DType>& found) {
    if (PyUnicode_Check(o) || PyBytes_Check(o))
        fail<TypeError>("new(): invalid data type '", Py_TYPE(o)->tp_name, "'");
    if (!is_sequence(o)) {
        DType t = number_dtype(o);
        found = found ? (*found == t ? t : promote(*found, t)) : t;
        return;
    }
    nb::object items = items_of(o);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i) {
        nb::object item = nb::borrow(PySequence_Fast_GET_ITEM(items.ptr(), i));
        infer(item.ptr(), found);
    }
}

// --- one number --------------------------------------------------------------------------------

[[noreturn]] void overflow(DType t) {
    fail<RuntimeError>("tensor: data: value cannot be converted to type ", t, " without overflow");
}

template <class T>
T integer(PyObject* o, DType dtype) {
    if (PyFloat_Check(o)) {
        double value = PyFloat_AS_DOUBLE(o);
        constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
        constexpr double high = static_cast<double>(std::numeric_limits<T>::max() / 2 + 1) * 2;
        if (!(value > low - 1 && value < high)) overflow(dtype);
        return static_cast<T>(value);
    }
    nb::object index = PyLong_Check(o) ? nb::borrow(o) : nb::steal(PyNumber_Index(o));
    if (!index.is_valid()) throw nb::python_error();
    int outside = 0;
    long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &outside);
    if (outside) {
        if constexpr (std::is_same_v<T, uint64_t>) {
            unsigned long long big = PyLong_AsUnsignedLongLong(index.ptr());
            if (!PyErr_Occurred()) return big;
            PyErr_Clear();
        }
        fail<ValueError>("tensor: data: Overflow when unpacking long long: expected an int of ",
                         dtype);
    }
    bool fits = std::in_range<T>(value);
    // a negative number whose size fits wraps around, as in C
    if (std::is_unsigned_v<T> && value < 0 && value != INT64_MIN) fits = std::in_range<T>(-value);
    if (!fits) overflow(dtype);
    return static_cast<T>(value);
}

template <class T>
T number(PyObject* o, DType dtype) {
    if (is_tensor(o)) {
        const Tensor& t = unwrap(o);
        check<ValueError>(t.numel() == 1,
                          "tensor: data: only one element tensors can be converted to Python "
                          "scalars, got shape ",
                          t.sizes());
        return ops::item(t).to<T>();
    }
    if constexpr (std::is_same_v<T, bool>) {
        if (!PyNumber_Check(o))
            fail<TypeError>("tensor: data: expected a number, got ", Py_TYPE(o)->tp_name);
        int truth = PyObject_IsTrue(o);
        if (truth < 0) throw nb::python_error();
        return truth;
    } else if constexpr (kIsComplex<T>) {
        Py_complex value = PyComplex_AsCComplex(o);
        if (value.real == -1 && PyErr_Occurred()) throw nb::python_error();
        return convert<T>(c128(value.real, value.imag));
    } else if constexpr (std::is_integral_v<T>) {
        return integer<T>(o, dtype);
    } else {
        double value = PyFloat_CheckExact(o) ? PyFloat_AS_DOUBLE(o) : PyFloat_AsDouble(o);
        if (value == -1 && PyErr_Occurred()) throw nb::python_error();
        return convert<T>(value);
    }
}

// --- many --------------------------------------------------------------------------------------

/// Writes nested sequences of one shape to contiguous memory.
template <class T>
class Writer {
  public:
    Writer(IntSpan sizes, DType dtype, T* out) : sizes_(sizes), dtype_(dtype), out_(out) {}

    void write(PyObject* o, size_t dim) {
        if (dim == sizes_.size()) {
            *out_++ = number<T>(o, dtype_);
            return;
        }
        check<TypeError>(is_sequence(o), "tensor: data: not a sequence: expected one of length ",
                         sizes_[dim], " at dim ", dim, ", got ", Py_TYPE(o)->tp_name);
        nb::object items = items_of(o);
        Py_ssize_t count = PySequence_Fast_GET_SIZE(items.ptr());
        check<ValueError>(count == sizes_[dim], "tensor: data: expected sequence of length ",
                          sizes_[dim], " at dim ", dim, " (got ", count, ")");
        // a list may shrink while __float__ of an item runs: its length is read again, items held
        for (Py_ssize_t i = 0; i < count && i < PySequence_Fast_GET_SIZE(items.ptr()); ++i) {
            nb::object item = nb::borrow(PySequence_Fast_GET_ITEM(items.ptr(), i));
            write(item.ptr(), dim + 1);
        }
    }

  private:
    IntSpan sizes_;
    DType dtype_;
    T* out_;
};

Tensor from_sequence(PyObject* data, std::optional<DType> dtype) {
    if (PyUnicode_Check(data) || PyBytes_Check(data))
        fail<TypeError>("new(): invalid data type '", Py_TYPE(data)->tp_name, "'");
    Dims sizes = measure(data);
    if (!dtype) {
        infer(data, dtype);
        if (!dtype) dtype = default_dtype();
    }
    Tensor t = empty(sizes, *dtype);
    visit(*dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        Writer<T>(sizes, *dtype, t.data<T>()).write(data, 0);
    });
    return t;
}

Tensor copy_of(const Tensor& t, DType dtype) {
    Tensor copy = empty_like(t, dtype);
    ops::copy_elements(copy, t);
    return copy;
}

void warn_copy() {
    int failed = PyErr_WarnEx(PyExc_UserWarning,
                              "To copy construct from a tensor, it is recommended to use "
                              "sourceTensor.detach().clone() or sourceTensor.detach().clone()."
                              "requires_grad_(True), rather than tensor(sourceTensor).",
                              1);
    if (failed) throw nb::python_error();
}

}  // namespace

Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype, Device device) {
    Tensor t;
    if (is_tensor(data)) {
        const Tensor& source = unwrap(data);
        if (source.device() == device || device == kCPU)
            return copy_of(source, dtype.value_or(source.dtype()));
        t = source;
    } else if (is_numpy_array(data)) {
        t = from_numpy(data, false);
        t = copy_of(t, dtype.value_or(t.dtype()));
    } else if (is_numpy_scalar(data)) {
        t = from_numpy_scalar(data);
        t = copy_of(t, dtype.value_or(t.dtype()));
    } else {
        t = from_sequence(data, dtype);
    }
    if (t.device() == device) return t;
    NoGrad guard;
    return ops::to_device(dtype ? ops::to(t, *dtype) : t, device);
}

Tensor tensor_sharing_data(PyObject* data, std::optional<DType> dtype,
                           std::optional<Device> device) {
    Tensor t;
    if (is_tensor(data)) {
        t = unwrap(data);
        if (!device) device = t.device();
    } else if (is_numpy_array(data)) {
        t = from_numpy(data);
    } else {
        return tensor_from_data(data, dtype, device.value_or(default_device()));
    }
    if (dtype && *dtype != t.dtype()) t = ops::to(t, *dtype);
    Device wanted = device.value_or(default_device());
    return t.device() == wanted ? t : ops::to_device(t, wanted);
}

// --- what Python calls -------------------------------------------------------------------------

namespace {

/// The keyword arguments that tensor() and as_tensor() know.
struct Options {
    PyObject* data = nullptr;
    std::optional<DType> dtype;
    std::optional<Device> device;
    bool requires_grad = false;

    void set(PyObject* name, PyObject* value, const char* op) {
        auto is = [&](const char* s) { return PyUnicode_CompareWithASCIIString(name, s) == 0; };
        if (is("dtype")) {
            if (value != Py_None) dtype = to_dtype(value, op);
        } else if (is("device")) {
            if (value != Py_None) device = to_device(value, op);
        } else if (is("requires_grad")) {
            requires_grad = PyObject_IsTrue(value) == 1;
        } else if (is("data") && !data) {
            data = value;
        } else if (!is("pin_memory")) {
            fail<TypeError>(op, "() got an unexpected keyword argument '",
                            nb::cast<std::string>(nb::handle(name)), "'");
        }
    }

    void read(PyObject* const* args, Py_ssize_t count, PyObject* names, const char* op,
              Py_ssize_t positional) {
        check<TypeError>(
            count <= positional, op, "() takes ", positional,
            positional == 1 ? " positional argument but " : " positional arguments but ", count,
            " were given");
        if (count > 0) data = args[0];
        if (count > 1 && args[1] != Py_None) dtype = to_dtype(args[1], op);
        if (count > 2 && args[2] != Py_None) device = to_device(args[2], op);
        if (names)
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); ++i)
                set(PyTuple_GET_ITEM(names, i), args[count + i], op);
        check<TypeError>(data, op, "() missing 1 required positional arguments: \"data\"");
    }
};

PyObject* make_tensor(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* names) {
    return guarded([&] {
        Options options;
        options.read(args, count, names, "tensor", 1);
        if (is_tensor(options.data)) warn_copy();
        Tensor t = tensor_from_data(options.data, options.dtype,
                                    options.device.value_or(default_device()));
        if (options.requires_grad) set_requires_grad(t, true);
        return wrap(t);
    });
}

PyObject* make_as_tensor(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* names) {
    return guarded([&] {
        Options options;
        options.read(args, count, names, "as_tensor", 3);
        Tensor t = tensor_sharing_data(options.data, options.dtype, options.device);
        if (is_tensor(options.data) && t.is(unwrap(options.data))) return Py_NewRef(options.data);
        return wrap(t);
    });
}

/// A buffer that somebody lends; given back with the storage.
struct Borrowed {
    Py_buffer view{};
    ~Borrowed() {
        if (!Py_IsInitialized()) return;
        PyGILState_STATE state = PyGILState_Ensure();
        PyBuffer_Release(&view);
        PyGILState_Release(state);
    }
};

std::shared_ptr<Borrowed> borrow_buffer(PyObject* o) {
    auto held = std::make_shared<Borrowed>();
    if (PyObject_GetBuffer(o, &held->view, PyBUF_WRITABLE) == 0) return held;
    PyErr_Clear();
    if (PyObject_GetBuffer(o, &held->view, PyBUF_SIMPLE) != 0) {
        PyErr_Clear();
        fail<ValueError>("frombuffer: object does not implement Python buffer protocol.");
    }
    int failed = PyErr_WarnEx(PyExc_UserWarning,
                              "The given buffer is not writable, and tensors do not support "
                              "non-writable memory. Writing to this tensor is undefined behaviour: "
                              "copy the buffer first to be safe.",
                              1);
    if (failed) throw nb::python_error();
    return held;
}

/// How many elements lie in the window that the caller asks for.
int64_t buffer_count(int64_t length, int64_t count, int64_t offset, int64_t size) {
    check<ValueError>(length > 0 && count != 0, "frombuffer: both buffer length (", length,
                      ") and count (", count, ") must not be 0");
    check<ValueError>(offset >= 0 && offset < length, "frombuffer: offset (", offset,
                      " bytes) must be non-negative and no greater than buffer length (", length,
                      " bytes) minus 1");
    if (count < 0) {
        check<ValueError>((length - offset) % size == 0, "frombuffer: buffer length (",
                          length - offset, " bytes) after offset (", offset,
                          " bytes) must be a multiple of element size (", size, ")");
        return (length - offset) / size;
    }
    check<ValueError>(count <= (length - offset) / size, "frombuffer: requested buffer length (",
                      count, " * ", size, " bytes) after offset (", offset,
                      " bytes) must not be greater than actual buffer length (", length, " bytes)");
    return count;
}

nb::object from_buffer(nb::handle buffer, nb::handle dtype, int64_t count, int64_t offset,
                       bool requires_grad) {
    DType t = to_dtype(dtype.ptr(), "frombuffer");
    auto held = borrow_buffer(buffer.ptr());
    auto size = static_cast<int64_t>(itemsize(t));
    count = buffer_count(held->view.len, count, offset, size);
    auto body = make_ref<TensorBody>();
    body->storage = make_ref<Storage>(static_cast<char*>(held->view.buf) + offset,
                                      static_cast<size_t>(count * size), kCPU, [held] {});
    body->sizes = {count};
    body->strides = {1};
    body->dtype = t;
    body->update_layout();
    Tensor made{std::move(body)};
    if (requires_grad) set_requires_grad(made, true);
    return nb::steal(wrap(made));
}

template <class F>
PyCFunction erased(F* function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef functions[] = {
    {"tensor", erased(make_tensor), METH_FASTCALL | METH_KEYWORDS,
     "tensor(data, *, dtype=None, device=None, requires_grad=False) -> Tensor\n\n"
     "A new tensor with the values of a number, nested sequences or a NumPy array."},
    {"as_tensor", erased(make_as_tensor), METH_FASTCALL | METH_KEYWORDS,
     "as_tensor(data, dtype=None, device=None) -> Tensor\n\n"
     "`data` as a tensor, sharing memory and history where it can."}};

}  // namespace

void bind_from_data(nb::module_& m) {
    for (PyMethodDef& function : functions)
        m.attr(function.ml_name) = nb::steal(PyCFunction_New(&function, nullptr));
    m.def("frombuffer", from_buffer, nb::arg("buffer"), nb::kw_only(), nb::arg("dtype"),
          nb::arg("count") = -1, nb::arg("offset") = 0, nb::arg("requires_grad") = false,
          "A one-dimensional tensor on the memory of a buffer.");
}

}  // namespace kagari
