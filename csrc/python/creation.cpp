// Fronts of the functions that make tensors: the usual arguments are read here and go straight to
// the op. Everything else, errors among it, is left to the Python function that stands behind.
#include "ops/movement/creation.h"

#include <structmember.h>

#include <algorithm>

#include "autograd/mode.h"
#include "autograd/node.h"
#include "ops/random/random.h"
#include "python/arguments.h"
#include "python/bindings.h"
#include "python/device.h"
#include "python/dtype.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

/// What the usual calls say.
struct Wanted {
    Dims sizes;
    std::optional<DType> dtype;
    std::optional<Device> device;
    bool requires_grad = false;

    DType dtype_or(DType other) const { return dtype.value_or(other); }
    DType dtype_or_default() const { return dtype ? *dtype : default_dtype(); }
    Device device_or_default() const { return device ? *device : default_device(); }
};

/// Positional arguments. Functions that read them take from the front, and are false where there is
/// something unusual.
using Arguments = std::span<PyObject* const>;

bool read_size(PyObject* o, Dims& sizes) {
    if (!PyLong_CheckExact(o)) return false;
    int overflow;
    sizes.push_back(PyLong_AsLongLongAndOverflow(o, &overflow));
    return !overflow;
}

bool read_size_tuple(PyObject* o, Dims& sizes) {
    if (!PyTuple_Check(o) && !PyList_CheckExact(o)) return false;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
        if (!read_size(PySequence_Fast_GET_ITEM(o, i), sizes)) return false;
    return true;
}

/// Sizes one by one, or as one tuple.
bool read_sizes(Arguments args, Dims& sizes) {
    if (args.size() == 1 && !PyLong_CheckExact(args[0])) return read_size_tuple(args[0], sizes);
    return !args.empty() &&
           std::all_of(args.begin(), args.end(), [&](PyObject* o) { return read_size(o, sizes); });
}

bool read_number(PyObject* o, Scalar& value) {
    if (PyFloat_CheckExact(o)) {
        value = PyFloat_AS_DOUBLE(o);
    } else if (PyBool_Check(o)) {
        value = o == Py_True;
    } else {
        Dims whole;
        if (!read_size(o, whole)) return false;
        value = whole[0];
    }
    return true;
}

bool read_option(PyObject* name, PyObject* value, Wanted& wanted) {
    auto is = [&](const char* s) { return PyUnicode_CompareWithASCIIString(name, s) == 0; };
    if (is("dtype")) {
        if (value == Py_None) return true;
        if (!is_dtype(value)) return false;
        wanted.dtype = unwrap_dtype(value);
    } else if (is("device")) {
        if (value == Py_None) return true;
        if (!is_device(value) && !PyUnicode_Check(value)) return false;
        wanted.device = to_device(value, "device");
    } else if (is("requires_grad")) {
        wanted.requires_grad = value == Py_True;
        return PyBool_Check(value);
    } else {
        return value == Py_None && (is("generator") || is("memory_format") || is("layout"));
    }
    return true;
}

// --- one function for each way to be called ----------------------------------------------------

using Make = bool (*)(Arguments args, Wanted& wanted, Tensor& made);

bool make_empty(Arguments args, Wanted& w, Tensor& made) {
    if (!read_sizes(args, w.sizes)) return false;
    made = ops::new_empty(w.sizes, w.dtype_or_default(), w.device_or_default());
    return true;
}

template <int value>
bool make_filled(Arguments args, Wanted& w, Tensor& made) {
    if (!read_sizes(args, w.sizes)) return false;
    made = ops::full(w.sizes, value, w.dtype_or_default(), w.device_or_default());
    return true;
}

DType dtype_of(const Scalar& value) {
    if (value.kind() == Scalar::Bool) return DType::Bool;
    return value.kind() == Scalar::Int ? DType::I64 : default_dtype();
}

bool make_full(Arguments args, Wanted& w, Tensor& made) {
    Scalar value;
    if (args.size() != 2 || !read_sizes(args.first(1), w.sizes) || !read_number(args[1], value))
        return false;
    made = ops::full(w.sizes, value, w.dtype_or(dtype_of(value)), w.device_or_default());
    return true;
}

bool make_empty_like(Arguments args, Wanted& w, Tensor& made) {
    if (args.size() != 1 || !is_exact_tensor(args[0])) return false;
    const Tensor& t = unwrap(args[0]);
    made = ops::new_empty_like(t, w.dtype_or(t.dtype()), w.device.value_or(t.device()));
    return true;
}

bool fill_like(PyObject* like, const Scalar& value, const Wanted& w, Tensor& made) {
    if (!is_exact_tensor(like)) return false;
    const Tensor& t = unwrap(like);
    made = ops::full_like(t, value, w.dtype_or(t.dtype()), w.device.value_or(t.device()));
    return true;
}

template <int value>
bool make_filled_like(Arguments args, Wanted& w, Tensor& made) {
    return args.size() == 1 && fill_like(args[0], value, w, made);
}

bool make_full_like(Arguments args, Wanted& w, Tensor& made) {
    Scalar value;
    return args.size() == 2 && read_number(args[1], value) && fill_like(args[0], value, w, made);
}

/// Methods of a tensor from which dtype and device come. What is batched is left to Python.
bool read_origin(Arguments args, Wanted& w) {
    if (intercepted() || args.size() < 2 || !is_exact_tensor(args[0])) return false;
    w.dtype = w.dtype_or(unwrap(args[0]).dtype());
    w.device = w.device.value_or(unwrap(args[0]).device());
    return true;
}

template <Make make>
bool make_new(Arguments args, Wanted& w, Tensor& made) {
    return read_origin(args, w) && make(args.subspan(1), w, made);
}

template <bool normal>
bool draw(Tensor& made) {
    NoGrad guard;
    (normal ? ops::normal_ : ops::uniform_)(made, 0, 1, std::nullopt);
    return true;
}

template <bool normal>
bool make_random(Arguments args, Wanted& w, Tensor& made) {
    return make_empty(args, w, made) && draw<normal>(made);
}

template <bool normal>
bool make_random_like(Arguments args, Wanted& w, Tensor& made) {
    return make_empty_like(args, w, made) && draw<normal>(made);
}

bool make_randint(Arguments args, Wanted& w, Tensor& made) {
    Dims bounds;
    if (args.size() == 2) bounds.push_back(0);
    if (args.size() != 2 && args.size() != 3) return false;
    for (PyObject* o : args.first(args.size() - 1))
        if (!read_size(o, bounds)) return false;
    if (!read_size_tuple(args.back(), w.sizes)) return false;
    made = ops::new_empty(w.sizes, w.dtype_or(DType::I64), w.device_or_default());
    NoGrad guard;
    ops::random_(made, bounds[0], bounds[1], std::nullopt);
    return true;
}

bool make_arange(Arguments args, Wanted& w, Tensor& made) {
    Scalar numbers[3] = {0, 0, 1};
    if (args.empty() || args.size() > 3) return false;
    bool whole = true;
    for (size_t i = 0; i < args.size(); ++i) {
        Scalar& number = numbers[args.size() == 1 ? 1 : i];
        if (!read_number(args[i], number)) return false;
        whole &= number.is_integral();
    }
    DType dtype = w.dtype_or(whole ? DType::I64 : default_dtype());
    made = ops::arange_on(numbers[0], numbers[1], numbers[2], dtype, w.device_or_default());
    return true;
}

bool make_linspace(Arguments args, Wanted& w, Tensor& made) {
    Scalar ends[2];
    Dims steps;
    if (args.size() != 3 || !read_number(args[0], ends[0]) || !read_number(args[1], ends[1]) ||
        !read_size(args[2], steps))
        return false;
    made = ops::linspace(ends[0], ends[1], steps[0], w.dtype_or_default(), w.device_or_default());
    return true;
}

constexpr std::pair<const char*, Make> kMakers[] = {
    {"empty", make_empty},
    {"zeros", make_filled<0>},
    {"ones", make_filled<1>},
    {"full", make_full},
    {"empty_like", make_empty_like},
    {"zeros_like", make_filled_like<0>},
    {"ones_like", make_filled_like<1>},
    {"full_like", make_full_like},
    {"new_empty", make_new<make_empty>},
    {"new_zeros", make_new<make_filled<0>>},
    {"new_ones", make_new<make_filled<1>>},
    {"new_full", make_new<make_full>},
    {"rand", make_random<false>},
    {"randn", make_random<true>},
    {"rand_like", make_random_like<false>},
    {"randn_like", make_random_like<true>},
    {"randint", make_randint},
    {"arange", make_arange},
    {"linspace", make_linspace},
};

// --- the type ----------------------------------------------------------------------------------

struct Front {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject* behind;  // owned: the Python function
    Make make;
};

PyTypeObject* front_type = nullptr;

/// The new tensor; undefined if the call is not one of the usual.
Tensor make_usual(Make make, Arguments args, PyObject* const* options, PyObject* names) {
    Wanted wanted;
    Py_ssize_t named = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t i = 0; i < named; ++i)
        if (!read_option(PyTuple_GET_ITEM(names, i), options[i], wanted)) return Tensor();
    if (wanted.requires_grad && wanted.dtype && !is_differentiable(*wanted.dtype)) return Tensor();
    Tensor made;
    if (!make(args, wanted, made)) return Tensor();
    if (wanted.requires_grad) set_requires_grad(made, true);
    return made;
}

PyObject* call(PyObject* o, PyObject* const* args, size_t flags, PyObject* names) {
    const auto& front = *reinterpret_cast<Front*>(o);
    auto count = static_cast<size_t>(PyVectorcall_NARGS(flags));
    return guarded([&] {
        Tensor made = make_usual(front.make, {args, count}, args + count, names);
        return made.defined() ? wrap(std::move(made))
                              : PyObject_Vectorcall(front.behind, args, count, names);
    });
}

/// Its name, docstring and module are those of the function behind, which inspect.signature finds.
PyObject* get_attribute(PyObject* o, PyObject* name) {
    PyObject* behind = reinterpret_cast<Front*>(o)->behind;
    auto is = [&](const char* s) { return PyUnicode_CompareWithASCIIString(name, s) == 0; };
    if (is("__wrapped__")) return Py_NewRef(behind);
    if (!is("__doc__") && !is("__module__")) {
        if (PyObject* own = PyObject_GenericGetAttr(o, name)) return own;
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
        PyErr_Clear();
    }
    return PyObject_GetAttr(behind, name);
}

PyObject* bind_to(PyObject* o, PyObject* object, PyObject*) {
    return object ? PyMethod_New(o, object) : Py_NewRef(o);
}

PyObject* represent(PyObject* o) { return PyObject_Repr(reinterpret_cast<Front*>(o)->behind); }

PyObject* reduce(PyObject* o, PyObject*) { return PyObject_GetAttrString(o, "__qualname__"); }

int traverse(PyObject* o, visitproc visit, void* arg) {
    Py_VISIT(reinterpret_cast<Front*>(o)->behind);
    Py_VISIT(Py_TYPE(o));
    return 0;
}

void dealloc(PyObject* o) {
    PyObject_GC_UnTrack(o);
    Py_CLEAR(reinterpret_cast<Front*>(o)->behind);
    PyTypeObject* type = Py_TYPE(o);
    type->tp_free(o);
    Py_DECREF(type);
}

PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Front, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};
PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                       {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
                       {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                       {Py_tp_descr_get, reinterpret_cast<void*>(bind_to)},
                       {Py_tp_getattro, reinterpret_cast<void*>(get_attribute)},
                       {Py_tp_repr, reinterpret_cast<void*>(represent)},
                       {Py_tp_methods, methods},
                       {Py_tp_members, members},
                       {0, nullptr}};
PyType_Spec spec{"kagari._C.Front", sizeof(Front), 0,
                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                     Py_TPFLAGS_METHOD_DESCRIPTOR,
                 slots};

nb::object make_front(nb::handle behind) {
    auto name = nb::cast<std::string>(behind.attr("__name__"));
    const auto* maker = std::find_if(std::begin(kMakers), std::end(kMakers),
                                     [&](const auto& m) { return name == m.first; });
    check<ValueError>(maker != std::end(kMakers), "front: no usual calls are known of ", name);
    auto* front = reinterpret_cast<Front*>(checked(front_type->tp_alloc(front_type, 0)));
    front->vectorcall = call;
    front->behind = Py_NewRef(behind.ptr());
    front->make = maker->second;
    return nb::steal(reinterpret_cast<PyObject*>(front));
}

}  // namespace

void bind_creation(nb::module_& m) {
    front_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
    m.def("_front", make_front, nb::arg("function"),
          "A function that makes tensors, its usual calls read in C++; chosen by its name.");
}

}  // namespace kagari
