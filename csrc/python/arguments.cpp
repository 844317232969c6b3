// Matching Python arguments to signatures.
#include "python/arguments.h"

#include <cstring>

#include "ops/movement/copy.h"
#include "python/device.h"
#include "python/dtype.h"
#include "python/errors.h"
#include "python/size.h"
#include "python/tensor_type.h"

namespace kagari {

bool (*unwrap_generator)(PyObject*, Ref<Generator>&) = nullptr;
PyObject* (*wrap_generator)(Ref<Generator>) = nullptr;

namespace {

bool is_numpy_scalar(PyObject* o) {
    const char* type = Py_TYPE(o)->tp_name;
    return std::strncmp(type, "numpy.", 6) == 0 && std::strcmp(type, "numpy.ndarray") != 0 &&
           Py_TYPE(o)->tp_as_number;
}

bool numpy_scalar(PyObject* o, Scalar& out) {
    PyRef plain(PyObject_CallMethod(o, "item", nullptr));
    if (!plain) {
        PyErr_Clear();
        return false;
    }
    return !is_numpy_scalar(plain.get()) && to_scalar(plain.get(), out);
}

bool from_long(PyObject* o, Scalar& out) {
    int overflow;
    long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (!overflow) {
        out = Scalar(static_cast<int64_t>(v));
        return true;
    }
    if (overflow > 0) {
        unsigned long long u = PyLong_AsUnsignedLongLong(o);
        if (!PyErr_Occurred()) {
            out = Scalar(static_cast<uint64_t>(u));
            return true;
        }
    }
    PyErr_Clear();
    fail<RuntimeError>("Overflow when unpacking long: the integer does not fit in 64 bits");
}

/// A tensor of one element where a number is expected, as long as no history would be lost.
bool tensor_scalar(PyObject* o, Scalar& out) {
    if (!is_tensor(o)) return false;
    const Tensor& t = unwrap(o);
    if (t.numel() != 1 || t.dim() != 0) return false;
    out = ops::item(t);
    return true;
}

Match to_ints(PyObject* o, Value& out) {
    Dims dims;
    int64_t v;
    if (to_int(o, v)) {
        out = Dims{v};
        return Match::Yes;
    }
    if (!PyTuple_Check(o) && !PyList_Check(o)) return Match::No;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    PyObject** items = PySequence_Fast_ITEMS(o);
    for (Py_ssize_t i = 0; i < n; ++i) {
        if (!to_int(items[i], v)) return Match::No;
        dims.push_back(v);
    }
    out = std::move(dims);
    return Match::Yes;
}

Match to_tensor(PyObject* o, Value& out) {
    if (is_exact_tensor(o)) {
        out = unwrap(o);
        return Match::Yes;
    }
    if (has_override(o)) return Match::Override;
    if (!is_tensor(o)) return Match::No;
    out = unwrap(o);
    return Match::Yes;
}

Match to_tensors(PyObject* o, bool optional, Value& out) {
    if (!PyTuple_Check(o) && !PyList_Check(o)) return Match::No;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    PyObject** items = PySequence_Fast_ITEMS(o);
    Tensors tensors;
    OptionalTensors maybe;
    tensors.reserve(n);
    for (Py_ssize_t i = 0; i < n; ++i) {
        if (optional && items[i] == Py_None) {
            maybe.emplace_back();
            continue;
        }
        Value v;
        Match match = to_tensor(items[i], v);
        if (match != Match::Yes) return match;
        if (optional)
            maybe.emplace_back(std::get<Tensor>(std::move(v)));
        else
            tensors.push_back(std::get<Tensor>(std::move(v)));
    }
    if (optional)
        out = std::move(maybe);
    else
        out = std::move(tensors);
    return Match::Yes;
}

Match to_scalars(PyObject* o, Value& out) {
    if (!PyTuple_Check(o) && !PyList_Check(o)) return Match::No;
    std::vector<Scalar> list;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) {
        Scalar s;
        if (!to_scalar(PySequence_Fast_ITEMS(o)[i], s)) return Match::No;
        list.push_back(s);
    }
    out = std::move(list);
    return Match::Yes;
}

Match yes_if(bool condition) { return condition ? Match::Yes : Match::No; }

}  // namespace

bool to_scalar(PyObject* o, Scalar& out) {
    if (PyFloat_Check(o)) {
        out = Scalar(PyFloat_AS_DOUBLE(o));
    } else if (PyBool_Check(o)) {
        out = Scalar(o == Py_True);
    } else if (PyLong_Check(o)) {
        return from_long(o, out);
    } else if (PyComplex_Check(o)) {
        Py_complex c = PyComplex_AsCComplex(o);
        out = Scalar(c128(c.real, c.imag));
    } else {
        return is_numpy_scalar(o) && numpy_scalar(o, out);
    }
    return true;
}

bool to_int(PyObject* o, int64_t& out) {
    if (PyBool_Check(o)) return false;
    if (!PyLong_Check(o)) {
        if (is_tensor(o)) {
            const Tensor& t = unwrap(o);
            if (t.numel() != 1 || t.dim() != 0 || t.dtype() >= DType::F16 || t.is_meta())
                return false;
            out = ops::item(t).to<int64_t>();
            return true;
        }
        if (!PyIndex_Check(o)) return false;
        PyRef index(PyNumber_Index(o));
        if (!index) {
            PyErr_Clear();
            return false;
        }
        return to_int(index.get(), out);
    }
    int overflow;
    out = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow)
        fail<RuntimeError>("Overflow when unpacking long: the integer does not fit in 64 bits");
    return true;
}

Match to_value(PyObject* o, const Param& param, Value& out) {
    if (o == Py_None && (param.optional || param.type == ParamType::OptionalTensor)) {
        out = std::monostate();
        return Match::Yes;
    }
    switch (param.type) {
        case ParamType::Tensor:
        case ParamType::OptionalTensor:
            return to_tensor(o, out);
        case ParamType::Operand: {
            Scalar s;
            if (!is_exact_tensor(o) && to_scalar(o, s)) {
                out = s;
                return Match::Yes;
            }
            return to_tensor(o, out);
        }
        case ParamType::Tensors:
            return to_tensors(o, false, out);
        case ParamType::OptionalTensors:
            return to_tensors(o, true, out);
        case ParamType::Int: {
            int64_t v;
            if (!to_int(o, v)) return Match::No;
            out = v;
            return Match::Yes;
        }
        case ParamType::Scalar:
        case ParamType::Float: {
            Scalar s;
            if (!to_scalar(o, s) && !tensor_scalar(o, s))
                return has_override(o) ? Match::Override : Match::No;
            if (param.type == ParamType::Scalar)
                out = s;
            else if (s.kind() == Scalar::Complex)
                return Match::No;
            else
                out = s.to<double>();
            return Match::Yes;
        }
        case ParamType::Bool:
            if (PyBool_Check(o)) {
                out = o == Py_True;
                return Match::Yes;
            }
            if (is_numpy_scalar(o)) {
                Scalar s;
                if (!numpy_scalar(o, s) || s.kind() != Scalar::Bool) return Match::No;
                out = s.to<bool>();
                return Match::Yes;
            }
            return Match::No;
        case ParamType::Str: {
            if (!PyUnicode_Check(o)) return Match::No;
            Py_ssize_t n;
            const char* text = PyUnicode_AsUTF8AndSize(o, &n);
            if (!text) throw PythonError();
            out = std::string(text, static_cast<size_t>(n));
            return Match::Yes;
        }
        case ParamType::Ints:
            return to_ints(o, out);
        case ParamType::Floats: {
            Value list;
            if (to_scalars(o, list) != Match::Yes) return Match::No;
            std::vector<double> numbers;
            for (const Scalar& s : std::get<std::vector<Scalar>>(list))
                numbers.push_back(s.to<double>());
            out = std::move(numbers);
            return Match::Yes;
        }
        case ParamType::Scalars:
            return to_scalars(o, out);
        case ParamType::DType:
            if (!is_dtype(o) && !PyType_Check(o)) return Match::No;
            out = is_dtype(o) ? unwrap_dtype(o) : to_dtype(o, "dtype");
            return Match::Yes;
        case ParamType::Device:
            if (!is_device(o) && !PyUnicode_Check(o)) return Match::No;
            out = to_device(o, "device");
            return Match::Yes;
        case ParamType::Generator: {
            Ref<Generator> g;
            if (!unwrap_generator || !unwrap_generator(o, g)) return Match::No;
            out = std::move(g);
            return Match::Yes;
        }
    }
    return yes_if(false);
}

namespace {

/// NumPy's names for arguments, which PyTorch accepts too.
bool same_name(const std::string& param, const char* given) {
    if (param == given) return true;
    if (param == "dim") return !std::strcmp(given, "axis");
    if (param == "keepdim") return !std::strcmp(given, "keepdims");
    if (param == "input")
        return !std::strcmp(given, "self") || !std::strcmp(given, "x") || !std::strcmp(given, "a");
    if (param == "other") return !std::strcmp(given, "x2");
    return false;
}

std::string describe(PyObject* o) {
    if (!is_tensor(o)) return Py_TYPE(o)->tp_name;
    std::ostringstream os;
    os << "Tensor of " << unwrap(o).dtype() << " " << unwrap(o).sizes();
    return os.str();
}

const char* expected(ParamType t) {
    switch (t) {
        case ParamType::Tensor:
        case ParamType::OptionalTensor:
            return "Tensor";
        case ParamType::Operand:
            return "Tensor or Number";
        case ParamType::Tensors:
        case ParamType::OptionalTensors:
            return "tuple of Tensors";
        case ParamType::Int:
            return "int";
        case ParamType::Float:
            return "float";
        case ParamType::Bool:
            return "bool";
        case ParamType::Str:
            return "str";
        case ParamType::Ints:
            return "tuple of ints";
        case ParamType::Floats:
            return "tuple of floats";
        case ParamType::Scalar:
            return "Number";
        case ParamType::Scalars:
            return "tuple of Numbers";
        case ParamType::DType:
            return "dtype";
        case ParamType::Device:
            return "device";
        case ParamType::Generator:
            return "Generator";
    }
    return "?";
}

bool match_one(const Param& param, PyObject* o, Value& out, Parsed& parsed) {
    switch (to_value(o, param, out)) {
        case Match::Yes:
            return true;
        case Match::Override:
            parsed.override_found = true;
            return true;
        case Match::No:
            break;
    }
    parsed.problem = "argument '" + param.name + "' must be " + expected(param.type) +
                     (param.optional ? " or None" : "") + ", not " + describe(o);
    return false;
}

/// `x.view(2, 3)`: all remaining positional integers are one argument.
bool takes_rest(const std::vector<Param>& params, size_t at) {
    if (params[at].type != ParamType::Ints) return false;
    return at + 1 == params.size() || params[at + 1].keyword_only;
}

}  // namespace

bool parse_arguments(const OpRecord& op, PyObject* const* args, size_t count, PyObject* names,
                     Parsed& parsed) {
    const auto& params = op.schema().params;
    parsed.values.clear();
    parsed.values.resize(params.size());
    std::vector<bool> given(params.size());
    size_t at = 0, arg = 0;
    for (; arg < count; ++at) {
        if (at >= params.size() || params[at].keyword_only) {
            parsed.problem = "takes " + std::to_string(at) + " positional arguments but " +
                             std::to_string(count) + " were given";
            return false;
        }
        given[at] = true;
        int64_t ignored;
        if (takes_rest(params, at) && (count - arg > 1 || to_int(args[arg], ignored))) {
            Dims dims;
            for (; arg < count; ++arg) {
                int64_t v;
                if (!to_int(args[arg], v)) {
                    parsed.problem = "argument '" + params[at].name +
                                     "' must be tuple of ints, not " + describe(args[arg]);
                    return false;
                }
                dims.push_back(v);
            }
            parsed.values[at] = std::move(dims);
            continue;
        }
        if (!match_one(params[at], args[arg++], parsed.values[at], parsed)) return false;
    }
    Py_ssize_t keywords = names ? PyTuple_GET_SIZE(names) : 0;
    for (Py_ssize_t k = 0; k < keywords; ++k) {
        const char* name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, k));
        PyObject* value = args[count + static_cast<size_t>(k)];
        size_t i = 0;
        while (i < params.size() && !same_name(params[i].name, name)) ++i;
        if (i == params.size()) {
            if (!std::strcmp(name, "out") && op.takes_out()) {
                parsed.out = value == Py_None ? nullptr : value;
                if (parsed.out && has_override(value)) parsed.override_found = true;
                continue;
            }
            parsed.problem = std::string("got an unexpected keyword argument '") + name + "'";
            return false;
        }
        if (given[i]) {
            parsed.problem = std::string("got multiple values for argument '") + name + "'";
            return false;
        }
        given[i] = true;
        if (!match_one(params[i], value, parsed.values[i], parsed)) return false;
    }
    for (size_t i = 0; i < params.size(); ++i) {
        if (given[i]) continue;
        if (!params[i].has_default) {
            parsed.problem =
                "missing argument '" + params[i].name + "' (" + expected(params[i].type) + ")";
            return false;
        }
        parsed.values[i] = params[i].default_value;
    }
    return true;
}

bool has_override(PyObject* o) {
    static PyObject* name = PyUnicode_InternFromString("__torch_function__");
    PyTypeObject* type = Py_TYPE(o);
    if (type == tensor_type || type == &PyFloat_Type || type == &PyLong_Type ||
        type == &PyTuple_Type || type == &PyList_Type || type == &PyBool_Type || o == Py_None ||
        type == &PyUnicode_Type || !overrides_enabled)
        return false;
    PyObject* found = _PyType_Lookup(type, name);
    if (!found) return false;
    // A subclass without one of its own has Tensor's, which gives results the subclass.
    static PyObject* disabled = [] {
        PyRef module(checked(PyImport_ImportModule("kagari._C")));
        return checked(PyObject_GetAttrString(module.get(), "_disabled_torch_function_impl"));
    }();
    return found != disabled;
}

PyObject* call_override(PyObject* function, PyObject* const* args, size_t count, PyObject* names) {
    PyRef module(checked(PyImport_ImportModule("kagari.overrides")));
    PyRef dispatch(checked(PyObject_GetAttrString(module.get(), "_dispatch")));
    PyRef positional(checked(PyTuple_New(static_cast<Py_ssize_t>(count))));
    for (size_t i = 0; i < count; ++i)
        PyTuple_SET_ITEM(positional.get(), static_cast<Py_ssize_t>(i), Py_NewRef(args[i]));
    PyRef keywords(checked(PyDict_New()));
    for (Py_ssize_t k = 0; names && k < PyTuple_GET_SIZE(names); ++k)
        checked(PyDict_SetItem(keywords.get(), PyTuple_GET_ITEM(names, k),
                               args[count + static_cast<size_t>(k)]));
    return checked(PyObject_CallFunctionObjArgs(dispatch.get(), function, positional.get(),
                                                keywords.get(), nullptr));
}

namespace {

PyObject* scalar_to_python(const Scalar& s) {
    switch (s.kind()) {
        case Scalar::Bool:
            return PyBool_FromLong(s.to<bool>());
        case Scalar::Int:
            return PyLong_FromLongLong(s.to<int64_t>());
        case Scalar::UInt:
            return PyLong_FromUnsignedLongLong(s.to<uint64_t>());
        case Scalar::Float:
            return PyFloat_FromDouble(s.to<double>());
        case Scalar::Complex:
            break;
    }
    c128 v = s.to<c128>();
    return PyComplex_FromDoubles(v.real(), v.imag());
}

template <class List, class F>
PyObject* to_list(List&& list, F convert_item, bool tuple) {
    auto n = static_cast<Py_ssize_t>(list.size());
    PyRef out(checked(tuple ? PyTuple_New(n) : PyList_New(n)));
    for (Py_ssize_t i = 0; i < n; ++i) {
        PyObject* item = checked(convert_item(std::move(list[static_cast<size_t>(i)])));
        if (tuple)
            PyTuple_SET_ITEM(out.get(), i, item);
        else
            PyList_SET_ITEM(out.get(), i, item);
    }
    return out.release();
}

struct ToPython {
    PyObject* operator()(std::monostate) { Py_RETURN_NONE; }
    PyObject* operator()(Tensor t) { return wrap(std::move(t)); }
    PyObject* operator()(Scalar s) { return scalar_to_python(s); }
    PyObject* operator()(int64_t v) { return PyLong_FromLongLong(v); }
    PyObject* operator()(double v) { return PyFloat_FromDouble(v); }
    PyObject* operator()(bool v) { return PyBool_FromLong(v); }
    PyObject* operator()(std::string v) {
        return PyUnicode_FromStringAndSize(v.data(), static_cast<Py_ssize_t>(v.size()));
    }
    PyObject* operator()(Dims v) { return wrap_size(v); }
    PyObject* operator()(std::vector<double> v) {
        return to_list(v, [](double x) { return PyFloat_FromDouble(x); }, false);
    }
    PyObject* operator()(Tensors v) {
        return to_list(v, [](Tensor&& t) { return wrap(std::move(t)); }, true);
    }
    PyObject* operator()(OptionalTensors v) {
        return to_list(
            v, [](std::optional<Tensor>&& t) { return t ? wrap(*t) : Py_NewRef(Py_None); }, true);
    }
    PyObject* operator()(std::vector<Scalar> v) {
        return to_list(v, [](Scalar s) { return scalar_to_python(s); }, false);
    }
    PyObject* operator()(DType v) { return wrap(v); }
    PyObject* operator()(Device v) { return wrap(v); }
    PyObject* operator()(Ref<Generator> v) {
        if (!wrap_generator) Py_RETURN_NONE;
        return wrap_generator(std::move(v));
    }
};

}  // namespace

PyObject* to_python(Value v) { return std::visit(ToPython(), std::move(v)); }

}  // namespace kagari
