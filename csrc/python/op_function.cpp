// Calling ops from Python: overloads, out=, in-place variants, results.
#include "python/op_function.h"

#include <structmember.h>

#include <map>

#include "autograd/record.h"
#include "ops/forward/level.h"
#include "ops/movement/copy.h"
#include "ops/output.h"
#include "ops/pointwise/pointwise_front.h"
#include "python/arguments.h"
#include "python/bindings.h"
#include "python/errors.h"
#include "python/tensor_type.h"

namespace kagari {

PyTypeObject* op_function_type = nullptr;

namespace {

// Note [Direct calls]
// Matching arguments to a signature costs about 200 ns. The commonest signatures are known here by
// their C++ type, and a call with nothing but positional tensors and integers goes straight to the
// op.
using Unary = Op<Tensor(const Tensor&)>;
using Binary = Op<Tensor(const Tensor&, const Tensor&)>;
using WithInts = Op<Tensor(const Tensor&, IntSpan)>;
using WithInt = Op<Tensor(const Tensor&, int64_t)>;
using WithTwoInts = Op<Tensor(const Tensor&, int64_t, int64_t)>;
enum class Direct : uint8_t { No, Unary, Binary, WithInts, WithInt, WithTwoInts };

struct OpFunction {
    PyObject_HEAD vectorcallfunc vectorcall;
    std::string* name;  // owned; freed in dealloc, as Python allocates the object
    std::vector<const OpRecord*>* overloads;
    const PointwiseFront* front;  // the only overload, if it is pointwise
    Direct direct;                // how the first overload can be called without boxing
    bool inplace;
};

// --- results -------------------------------------------------------------------------------------

/// The named tuple of an op with named results, made once.
PyTypeObject* result_type(const Schema& schema) {
    static auto* types = new std::map<std::vector<std::string>, PyTypeObject*>;
    static auto* texts = new std::map<std::string, std::string>;
    auto key = schema.result_names;
    key.push_back(schema.name);
    PyTypeObject*& type = (*types)[key];
    if (type) return type;
    std::vector<PyStructSequence_Field> fields;
    for (const std::string& name : schema.result_names)
        fields.push_back({texts->emplace(name, name).first->second.c_str(), nullptr});
    fields.push_back({nullptr, nullptr});
    std::string base = schema.name.substr(0, schema.name.find('.'));
    const std::string& full =
        texts->emplace("." + base, "kagari.return_types." + base).first->second;
    PyStructSequence_Desc desc{full.c_str(), "", fields.data(),
                               static_cast<int>(schema.result_names.size())};
    type = PyStructSequence_NewType(&desc);
    if (!type) throw PythonError();
    PyRef printing(checked(PyImport_ImportModule("kagari._printing")));
    PyRef text(checked(PyObject_GetAttrString(printing.get(), "result_text")));
    checked(PyObject_SetAttrString(reinterpret_cast<PyObject*>(type), "__repr__", text.get()));
    return type;
}

PyObject* results_to_python(const Schema& schema, Values results) {
    if (results.size() == 1) return to_python(std::move(results[0]));
    PyRef tuple(checked(schema.result_names.empty()
                            ? PyTuple_New(static_cast<Py_ssize_t>(results.size()))
                            : PyStructSequence_New(result_type(schema))));
    for (size_t i = 0; i < results.size(); ++i) {
        PyObject* item = checked(to_python(std::move(results[i])));
        if (schema.result_names.empty())
            PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
        else
            PyStructSequence_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
    }
    return tuple.release();
}

// --- out= and in-place
// -----------------------------------------------------------------------------

void check_out_overlap(const Tensor& out, const Value& arg, bool disjoint, const char* op) {
    auto check_one = [&](const Tensor& in) {
        disjoint ? check_disjoint(out, in, op) : check_partial_overlap(out, in, op);
    };
    if (auto* t = std::get_if<Tensor>(&arg)) check_one(*t);
    if (auto* list = std::get_if<Tensors>(&arg))
        for (const Tensor& t : *list) check_one(t);
}

void check_outs(const OpRecord& op, const Values& args, const Tensors& outs, const Tensors& results,
                const char* name) {
    for (size_t i = 0; i < outs.size(); ++i) {
        const Tensor &out = outs[i], &result = results[i];
        if (dual_levels && (has_tangent(out) || has_tangent(result)))
            fail<NotImplementedError>(
                name, ": Trying to use forward AD with ", name,
                "_out that does not support it because it is an out= function");
        check_out(out, result, name);
        if (!op.flag('a')) check_out_dtype(result.dtype(), out.dtype(), op.flag('O'), name);
        Tensor fitted = out;  // the window that it will be, looked at before it is
        if (!same_sizes(out.sizes(), result.sizes()) && out.storage()->bytes())
            fitted =
                raw_view(out, result.sizes(), contiguous_strides(result.sizes()), out.offset());
        for (const Value& arg : args) {
            check_out_overlap(out, arg, op.flag('d'), name);
            check_out_overlap(fitted, arg, op.flag('d'), name);
        }
    }
}

/// All are checked before the first is written.
void write_outs(const OpRecord& op, const Values& args, const Tensors& outs, const Tensors& results,
                const char* name) {
    check_outs(op, args, outs, results, name);
    for (size_t i = 0; i < outs.size(); ++i) write_out(outs[i], results[i], name);
}

/// An op that computes in a dtype of its own choice computes in that of `out` where none is given.
void take_dtype(const OpRecord& op, Values& args, const Tensor& out) {
    if (!op.flag('c')) return;
    const auto& params = op.schema().params;
    for (size_t i = 0; i < params.size(); ++i)
        if (params[i].type == ParamType::DType && std::holds_alternative<std::monostate>(args[i]))
            args[i] = out.dtype();
}

PyObject* call_out(const OpRecord& op, Values args, PyObject* out) {
    const std::string name(op.name().substr(0, op.name().find('.')));
    if (is_tensor(out)) {
        if (!intercepted() && op.run_out(args, unwrap(out), false)) return Py_NewRef(out);
        take_dtype(op, args, unwrap(out));
        Values results = op.run(args);
        check<TypeError>(results.size() == 1, name, ": argument 'out' must be a tuple of ",
                         results.size(), " Tensors, not a Tensor");
        write_outs(op, args, {unwrap(out)}, {std::get<Tensor>(results[0])}, name.c_str());
        return Py_NewRef(out);
    }
    size_t expected = op.schema().results;
    check<TypeError>((PyTuple_Check(out) || PyList_Check(out)) &&
                         static_cast<size_t>(PySequence_Fast_GET_SIZE(out)) == expected,
                     name, ": argument 'out' must be ",
                     expected == 1 ? "a Tensor" : "a tuple of Tensors", ", not ",
                     Py_TYPE(out)->tp_name);
    PyObject** items = PySequence_Fast_ITEMS(out);
    for (size_t i = 0; i < expected; ++i)
        check<TypeError>(is_tensor(items[i]), name, ": argument 'out' must hold Tensors only");
    Values results = op.run(args);
    Tensors outs, made;
    for (size_t i = 0; i < expected; ++i) {
        outs.push_back(unwrap(items[i]));
        made.push_back(std::get<Tensor>(results[i]));
    }
    write_outs(op, args, outs, made, name.c_str());
    return results_to_python(op.schema(), Values(outs.begin(), outs.end()));
}

PyObject* call_inplace(const OpRecord& op, Values args, PyObject* self) {
    Tensor target = unwrap(self);
    if (!intercepted() && op.run_out(args, target, true)) return Py_NewRef(self);
    std::string name = std::string(op.name()) + "_";
    check_inplace(target, name.c_str());
    // the rule may have kept its input, which is about to change
    if (should_record(target)) args[0] = ops::clone(target);
    Values results = op.run(std::move(args));
    const Tensor& result = std::get<Tensor>(results[0]);
    check<RuntimeError>(can_cast(result.dtype(), target.dtype()), name, ": result type ",
                        result.dtype(), " can't be cast to the desired output type ",
                        target.dtype());
    check<RuntimeError>(same_sizes(result.sizes(), target.sizes()), name, ": output with shape ",
                        target.sizes(), " doesn't match the broadcast shape ", result.sizes());
    ops::copy_(target, result, false);
    return Py_NewRef(self);
}

// --- calls
// -----------------------------------------------------------------------------------------

/// Calls like exp(x) or add(x, 2): operands only, no boxing.
bool call_plain(const OpFunction& f, PyObject* const* args, size_t count, PyObject** result) {
    PointwiseRow* row = f.front->plain_row();
    if (!row || static_cast<int>(count) != f.front->plain_operands()) return false;
    Operand operands[kMaxOperands];
    for (size_t i = 0; i < count; ++i) {
        if (is_exact_tensor(args[i])) {
            operands[i] = unwrap(args[i]);
        } else {
            Scalar s;
            if (!f.front->takes_number(i) || !to_scalar(args[i], s)) return false;
            operands[i] = s;
        }
    }
    if (f.inplace) {
        Tensor target = unwrap(args[0]);
        pointwise(*row, operands, &target, true);
        *result = Py_NewRef(args[0]);
    } else {
        *result = wrap(pointwise(*row, operands));
    }
    return true;
}

Direct direct_kind(const OpRecord& op) {
    if (dynamic_cast<const Unary*>(&op)) return Direct::Unary;
    if (dynamic_cast<const Binary*>(&op)) return Direct::Binary;
    if (dynamic_cast<const WithInts*>(&op)) return Direct::WithInts;
    if (dynamic_cast<const WithInt*>(&op)) return Direct::WithInt;
    if (dynamic_cast<const WithTwoInts*>(&op)) return Direct::WithTwoInts;
    return Direct::No;
}

bool plain_int(PyObject* o, int64_t& out) {
    if (!PyLong_CheckExact(o)) return false;
    int overflow;
    out = PyLong_AsLongLongAndOverflow(o, &overflow);
    return !overflow;
}

/// Integers given one by one or as one tuple. False if there are others, or too many.
bool plain_ints(PyObject* const* items, size_t count, int64_t* out, size_t& found) {
    if (count == 1 && (PyTuple_Check(items[0]) || PyList_Check(items[0]))) {
        count = static_cast<size_t>(PySequence_Fast_GET_SIZE(items[0]));
        items = PySequence_Fast_ITEMS(items[0]);
    }
    found = count;
    if (count > 8) return false;
    for (size_t i = 0; i < count; ++i)
        if (!plain_int(items[i], out[i])) return false;
    return true;
}

/// See Note [Direct calls].
bool call_direct(const OpFunction& f, PyObject* const* args, size_t count, PyObject** result) {
    const OpRecord& op = *(*f.overloads)[0];
    const Tensor& x = unwrap(args[0]);
    int64_t ints[8];
    size_t found;
    switch (f.direct) {
        case Direct::Unary:
            if (count != 1) return false;
            *result = wrap(static_cast<const Unary&>(op)(x));
            return true;
        case Direct::Binary:
            if (count != 2 || !is_exact_tensor(args[1])) return false;
            *result = wrap(static_cast<const Binary&>(op)(x, unwrap(args[1])));
            return true;
        case Direct::WithInts:
            if (!plain_ints(args + 1, count - 1, ints, found)) return false;
            *result = wrap(static_cast<const WithInts&>(op)(x, IntSpan(ints, found)));
            return true;
        case Direct::WithInt:
            if (count != 2 || !plain_int(args[1], ints[0])) return false;
            *result = wrap(static_cast<const WithInt&>(op)(x, ints[0]));
            return true;
        case Direct::WithTwoInts:
            if (count != 3 || !plain_int(args[1], ints[0]) || !plain_int(args[2], ints[1]))
                return false;
            *result = wrap(static_cast<const WithTwoInts&>(op)(x, ints[0], ints[1]));
            return true;
        case Direct::No:
            return false;
    }
    return false;
}

[[noreturn]] void no_match(const OpFunction& f, const std::vector<std::string>& problems) {
    std::string text = *f.name + "(): ";
    if (problems.size() == 1) {
        fail<TypeError>(text, problems[0], ". The signature is ", (*f.overloads)[0]->schema_text());
    }
    text += "no signature matches the arguments:";
    for (size_t i = 0; i < problems.size(); ++i)
        text += "\n  " + std::string((*f.overloads)[i]->schema_text()) + ": " + problems[i];
    fail<TypeError>(text);
}

PyObject* call_boxed(PyObject* function, const OpFunction& f, PyObject* const* args, size_t count,
                     PyObject* names) {
    std::vector<std::string> problems;
    bool overridden = false;
    Parsed parsed;
    for (const OpRecord* op : *f.overloads) {
        parsed = Parsed();
        if (!parse_arguments(*op, args, count, names, parsed)) {
            overridden |= parsed.override_found;
            problems.push_back(parsed.problem);
            continue;
        }
        if (parsed.override_found) return call_override(function, args, count, names);
        if (f.inplace) {
            check<TypeError>(count > 0 && is_tensor(args[0]), *f.name,
                             ": expected a tensor to write to");
            return call_inplace(*op, std::move(parsed.values), args[0]);
        }
        if (parsed.out) return call_out(*op, std::move(parsed.values), parsed.out);
        return results_to_python(op->schema(), op->run(std::move(parsed.values)));
    }
    if (overridden) return call_override(function, args, count, names);
    no_match(f, problems);
}

PyObject* call(PyObject* function, PyObject* const* args, size_t flags, PyObject* names) {
    const auto& f = *reinterpret_cast<OpFunction*>(function);
    size_t count = static_cast<size_t>(PyVectorcall_NARGS(flags));
    try {
        PyObject* result;
        if (!names && count && is_exact_tensor(args[0])) {
            if (f.front && call_plain(f, args, count, &result)) return result;
            if (f.direct != Direct::No && call_direct(f, args, count, &result)) return result;
        }
        return call_boxed(function, f, args, count, names);
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}

// --- the type
// ----------------------------------------------------------------------------------------

PyObject* bind_to(PyObject* function, PyObject* object, PyObject*) {
    return object ? PyMethod_New(function, object) : Py_NewRef(function);
}

void dealloc(PyObject* o) {
    auto* f = reinterpret_cast<OpFunction*>(o);
    delete f->name;
    delete f->overloads;
    PyTypeObject* type = Py_TYPE(o);
    type->tp_free(o);
    Py_DECREF(type);
}

PyObject* get_name(PyObject* o, void*) {
    return PyUnicode_FromString(reinterpret_cast<OpFunction*>(o)->name->c_str());
}
PyObject* get_module(PyObject*, void*) { return PyUnicode_FromString("kagari"); }
PyObject* get_doc(PyObject* o, void*) {
    auto* f = reinterpret_cast<OpFunction*>(o);
    std::string text;
    for (const OpRecord* op : *f->overloads) {
        text += op->schema_text();
        text += "\n";
    }
    if (f->inplace) text += "\nIn-place variant: writes to this tensor and returns it.\n";
    for (const OpRecord* op : *f->overloads)
        if (*op->doc()) {
            text += std::string("\n") + op->doc();
            break;
        }
    return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}
PyObject* get_schemas(PyObject* o, void*) {
    auto* f = reinterpret_cast<OpFunction*>(o);
    PyRef list(PyList_New(0));
    for (const OpRecord* op : *f->overloads) {
        PyRef text(PyUnicode_FromString(op->schema_text()));
        if (PyList_Append(list.get(), text.get()) < 0) return nullptr;
    }
    return list.release();
}
PyObject* represent(PyObject* o) {
    return PyUnicode_FromFormat("<kagari op %s>", reinterpret_cast<OpFunction*>(o)->name->c_str());
}
PyObject* reduce(PyObject* o, PyObject*) { return get_name(o, nullptr); }

PyGetSetDef getset[] = {{"__name__", get_name, nullptr, nullptr, nullptr},
                        {"__qualname__", get_name, nullptr, nullptr, nullptr},
                        {"__module__", get_module, nullptr, nullptr, nullptr},
                        {"__doc__", get_doc, nullptr, nullptr, nullptr},
                        {"schemas", get_schemas, nullptr, nullptr, nullptr},
                        {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef methods[] = {{"__reduce__", reduce, METH_NOARGS, nullptr},
                         {nullptr, nullptr, 0, nullptr}};
PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpFunction, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

void make_type() {
    PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
                           {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                           {Py_tp_descr_get, reinterpret_cast<void*>(bind_to)},
                           {Py_tp_repr, reinterpret_cast<void*>(represent)},
                           {Py_tp_getset, getset},
                           {Py_tp_methods, methods},
                           {Py_tp_members, members},
                           {0, nullptr}};
    PyType_Spec spec{"kagari._C.Op", sizeof(OpFunction), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
                     slots};
    op_function_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
}

}  // namespace

PyObject* make_op_function(const std::string& name, std::vector<const OpRecord*> overloads,
                           bool inplace) {
    auto* f =
        reinterpret_cast<OpFunction*>(checked(op_function_type->tp_alloc(op_function_type, 0)));
    f->vectorcall = call;
    f->name = new std::string(name);
    f->overloads = new std::vector<const OpRecord*>(std::move(overloads));
    f->front = f->overloads->size() == 1 ? dynamic_cast<const PointwiseFront*>((*f->overloads)[0])
                                         : nullptr;
    f->inplace = inplace;
    f->direct = inplace ? Direct::No : direct_kind(*(*f->overloads)[0]);
    return reinterpret_cast<PyObject*>(f);
}

void add_overload(PyObject* function, const OpRecord* op) {
    auto* f = reinterpret_cast<OpFunction*>(function);
    f->overloads->push_back(op);
    f->front = nullptr;
}

namespace {

/// The namespaces that flags name; "" is kagari itself.
struct Space {
    char flag;
    const char* name;
};
constexpr Space kSpaces[] = {
    {'f', ""}, {'L', "linalg"}, {'F', "fft"}, {'S', "special"}, {'N', "nn"}};

/// One callable per (place, name); later overloads join the first.
class Binder {
  public:
    void bind(const OpRecord& op) {
        std::string name(op.name().substr(0, op.name().find('.')));
        place("ops", name, op, false);
        for (const Space& space : kSpaces) {
            if (!op.flag(space.flag)) continue;
            std::string local = name;
            std::string prefix = std::string(space.name) + "_";
            if (*space.name && local.starts_with(prefix)) local = local.substr(prefix.size());
            place(std::string("functions.") + space.name, local, op, false);
        }
        if (op.flag('m')) method(name, op, false);
        if (op.flag('i')) {
            method(name + "_", op, true);
            if (op.flag('f')) place("functions.", name + "_", op, true);
        }
    }
    /// {"functions.": {name: callable}, ...}
    PyObject* places() { return places_.get(); }

  private:
    void place(const std::string& where, const std::string& name, const OpRecord& op,
               bool inplace) {
        PyRef key(checked(PyUnicode_FromString(where.c_str())));
        PyObject* dict = PyDict_GetItem(places_.get(), key.get());
        if (!dict) {
            PyRef fresh(checked(PyDict_New()));
            checked(PyDict_SetItem(places_.get(), key.get(), fresh.get()));
            dict = fresh.get();
        }
        add(dict, name, op, inplace);
    }
    void method(const std::string& name, const OpRecord& op, bool inplace) {
        add(methods_.get(), name, op, inplace);
        PyObject* f = PyDict_GetItemString(methods_.get(), name.c_str());
        checked(PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), name.c_str(), f));
    }
    static void add(PyObject* dict, const std::string& name, const OpRecord& op, bool inplace) {
        if (PyObject* have = PyDict_GetItemString(dict, name.c_str()))
            return add_overload(have, &op);
        PyRef f(make_op_function(name, {&op}, inplace));
        checked(PyDict_SetItemString(dict, name.c_str(), f.get()));
    }

    PyRef places_{checked(PyDict_New())}, methods_{checked(PyDict_New())};
};

}  // namespace

void bind_ops(nanobind::module_& m) {
    m.def(
        "write_outs",
        [](const nanobind::sequence& outs, const nanobind::sequence& results, const char* op,
           bool same_dtype) {
            Tensors to, from;
            for (nanobind::handle t : outs) {
                check<TypeError>(is_tensor(t.ptr()), op, ": argument 'out' must be Tensor, got ",
                                 Py_TYPE(t.ptr())->tp_name);
                to.push_back(unwrap(t.ptr()));
            }
            for (nanobind::handle t : results) from.push_back(unwrap(t.ptr()));
            check<TypeError>(to.size() == from.size(), op, ": argument 'out' must be a tuple of ",
                             from.size(), " Tensors, got ", to.size());
            for (size_t i = 0; i < to.size(); ++i) {
                check_out(to[i], from[i], op);
                check_out_dtype(from[i].dtype(), to[i].dtype(), same_dtype, op);
            }
            for (size_t i = 0; i < to.size(); ++i) write_out(to[i], from[i], op);
        },
        nanobind::arg("outs"), nanobind::arg("results"), nanobind::arg("op"),
        nanobind::arg("same_dtype"), "Results copied to what was passed as out=, all or none.");
    make_type();
    register_pointwise_ops();
    Binder binder;
    for (const OpRecord* op : all_ops()) binder.bind(*op);
    m.attr("places") = nanobind::borrow(binder.places());
}

}  // namespace kagari
