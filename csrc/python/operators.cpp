// Number slots. The common arithmetic goes straight to its pointwise row; the rest calls the op's
// Python callable.
#include "python/operators.h"

#include "ops/movement/copy.h"
#include "ops/pointwise/pointwise.h"
#include "python/arguments.h"
#include "python/errors.h"
#include "python/numpy.h"
#include "python/tensor_type.h"
#include "tensor/batch.h"

namespace kagari {
namespace {

bool to_operand(PyObject* o, Operand& out) {
    if (is_tensor(o)) {
        out = unwrap(o);
        return true;
    }
    Scalar s;
    if (!to_scalar(o, s)) return false;
    out = s;
    return true;
}

/// NumPy arrays are operands too, on either side; not those that cannot be tensors.
bool to_operand_or_array(PyObject* o, Operand& out) {
    if (to_operand(o, out)) return true;
    if (!is_numpy_array(o)) return false;
    try {
        out = from_numpy(o, false);
        return true;
    } catch (const TypeError&) {
        return false;              // NumPy's own operator may know what to do
    } catch (const ValueError&) {  // memory in an order that tensors do not have
        PyRef copy(checked(PyObject_CallMethod(o, "copy", nullptr)));
        out = from_numpy(copy.get(), false);
        return true;
    }
}

PyObject* overridden(const char* method, PyObject* a, PyObject* b) {
    PyRef function(
        checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), method)));
    PyObject* args[] = {a, b};
    return call_override(function.get(), args, 2, nullptr);
}

/// a OP b through the row; NotImplemented if an operand is foreign.
PyObject* run_binary(PointwiseRow*& row, const char* name, const char* method,
                     const char* reflected, PyObject* a, PyObject* b) {
    try {
        if (!row) row = &find_row(name);
        if ((!is_exact_tensor(a) && has_override(a)) || (!is_exact_tensor(b) && has_override(b)))
            return is_tensor(a) ? overridden(method, a, b) : overridden(reflected, b, a);
        Operand operands[2];
        if (!to_operand_or_array(a, operands[0]) || !to_operand_or_array(b, operands[1]))
            Py_RETURN_NOTIMPLEMENTED;
        return wrap(pointwise(*row, operands));
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}

PyObject* run_inplace(PointwiseRow*& row, const char* name, const char* method, PyObject* a,
                      PyObject* b) {
    try {
        if (!row) row = &find_row(name);
        if (!is_exact_tensor(b) && has_override(b)) return overridden(method, a, b);
        Operand operands[2];
        if (!to_operand(a, operands[0]) || !to_operand(b, operands[1])) Py_RETURN_NOTIMPLEMENTED;
        Tensor target = unwrap(a);
        pointwise(*row, operands, &target, true);
        return Py_NewRef(a);
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}

PyObject* run_unary(PointwiseRow*& row, const char* name, const char* method, PyObject* a) {
    try {
        if (!row) row = &find_row(name);
        if (!is_exact_tensor(a) && has_override(a)) {
            PyRef f(
                checked(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), method)));
            return call_override(f.get(), &a, 1, nullptr);
        }
        Operand operand(unwrap(a));
        return wrap(pointwise(*row, &operand));
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}

#define KAGARI_BINARY(Name, Row, Method, Reflected)           \
    PyObject* Name(PyObject* a, PyObject* b) {                \
        static PointwiseRow* row = nullptr;                   \
        return run_binary(row, Row, Method, Reflected, a, b); \
    }
#define KAGARI_INPLACE(Name, Row, Method)           \
    PyObject* Name(PyObject* a, PyObject* b) {      \
        static PointwiseRow* row = nullptr;         \
        return run_inplace(row, Row, Method, a, b); \
    }
#define KAGARI_UNARY(Name, Row, Method)        \
    PyObject* Name(PyObject* a) {              \
        static PointwiseRow* row = nullptr;    \
        return run_unary(row, Row, Method, a); \
    }
KAGARI_BINARY(add, "add", "__add__", "__radd__")
KAGARI_BINARY(sub, "sub", "__sub__", "__rsub__")
KAGARI_BINARY(mul, "mul", "__mul__", "__rmul__")
KAGARI_BINARY(div, "div", "__truediv__", "__rtruediv__")
KAGARI_BINARY(floordiv, "floor_divide", "__floordiv__", "__rfloordiv__")
KAGARI_BINARY(remainder_, "remainder", "__mod__", "__rmod__")
KAGARI_BINARY(and_, "bitwise_and", "__and__", "__rand__")
KAGARI_BINARY(or_, "bitwise_or", "__or__", "__ror__")
KAGARI_BINARY(xor_, "bitwise_xor", "__xor__", "__rxor__")
KAGARI_BINARY(lshift, "bitwise_left_shift", "__lshift__", "__rlshift__")
KAGARI_BINARY(rshift, "bitwise_right_shift", "__rshift__", "__rrshift__")
KAGARI_INPLACE(iadd, "add", "__iadd__")
KAGARI_INPLACE(isub, "sub", "__isub__")
KAGARI_INPLACE(imul, "mul", "__imul__")
KAGARI_INPLACE(idiv, "div", "__itruediv__")
KAGARI_INPLACE(ifloordiv, "floor_divide", "__ifloordiv__")
KAGARI_INPLACE(iremainder, "remainder", "__imod__")
KAGARI_INPLACE(iand, "bitwise_and", "__iand__")
KAGARI_INPLACE(ior, "bitwise_or", "__ior__")
KAGARI_INPLACE(ixor, "bitwise_xor", "__ixor__")
KAGARI_INPLACE(ilshift, "bitwise_left_shift", "__ilshift__")
KAGARI_INPLACE(irshift, "bitwise_right_shift", "__irshift__")
KAGARI_UNARY(neg, "neg", "__neg__")
KAGARI_UNARY(abs_, "abs", "__abs__")
KAGARI_UNARY(invert, "bitwise_not", "__invert__")
KAGARI_BINARY(eq, "eq", "__eq__", "__eq__")
KAGARI_BINARY(ne, "ne", "__ne__", "__ne__")
KAGARI_BINARY(lt, "lt", "__lt__", "__gt__")
KAGARI_BINARY(le, "le", "__le__", "__ge__")
KAGARI_BINARY(gt, "gt", "__gt__", "__lt__")
KAGARI_BINARY(ge, "ge", "__ge__", "__le__")
#undef KAGARI_BINARY
#undef KAGARI_INPLACE
#undef KAGARI_UNARY

PyObject* compare(PyObject* a, PyObject* b, int op) {
    switch (op) {
        case Py_EQ:
            return eq(a, b);
        case Py_NE:
            return ne(a, b);
        case Py_LT:
            return lt(a, b);
        case Py_LE:
            return le(a, b);
        case Py_GT:
            return gt(a, b);
        default:
            return ge(a, b);
    }
}

PyObject* positive(PyObject* a) { return Py_NewRef(a); }

/// Operators that are not one row: the callable of that name in kagari._C.places.
PyObject* call_op(const char* name, const char* method, const char* reflected, PyObject* a,
                  PyObject* b) {
    try {
        if ((!is_exact_tensor(a) && has_override(a)) || (!is_exact_tensor(b) && has_override(b)))
            return is_tensor(a) ? overridden(method, a, b) : overridden(reflected, b, a);
        Operand operands[2];
        if (!to_operand_or_array(a, operands[0]) || !to_operand_or_array(b, operands[1]))
            Py_RETURN_NOTIMPLEMENTED;
        const OpRecord* op = find_op(name);
        check<NotImplementedError>(op, name, " is not there");
        Values args;
        for (const Operand& o : operands)
            args.push_back(o.is_tensor() ? Value(o.tensor()) : Value(o.scalar()));
        for (size_t i = 0; i < 2; ++i)
            if (op->schema().params[i].type == ParamType::Tensor && !operands[i].is_tensor())
                Py_RETURN_NOTIMPLEMENTED;
        return to_python(std::move(op->run(std::move(args))[0]));
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}
PyObject* matmul(PyObject* a, PyObject* b) {
    return call_op("matmul", "__matmul__", "__rmatmul__", a, b);
}
PyObject* power(PyObject* a, PyObject* b, PyObject*) {
    static PointwiseRow* row = nullptr;
    return run_binary(row, "pow", "__pow__", "__rpow__", a, b);
}
PyObject* ipower(PyObject* a, PyObject* b, PyObject*) {
    static PointwiseRow* row = nullptr;
    return run_inplace(row, "pow", "__ipow__", a, b);
}

int truth(PyObject* o) {
    try {
        const Tensor& t = unwrap(o);
        check<RuntimeError>(!batch_of(t),
                            "vmap: It looks like you're attempting to use a Tensor in some "
                            "data-dependent control flow, where each sample may choose another "
                            "way. Use torch.where instead");
        check<RuntimeError>(t.numel() == 1, "bool: Boolean value of Tensor with ",
                            t.numel() ? "more than one value" : "no values",
                            " is ambiguous; use .any() or .all()");
        return ops::item(t).to<bool>();
    } catch (...) {
        set_python_error();
        return -1;
    }
}

}  // namespace

void add_operator_slots(std::vector<PyType_Slot>& slots) {
    auto slot = [&](int id, auto* f) { slots.push_back({id, reinterpret_cast<void*>(f)}); };
    slot(Py_nb_add, add);
    slot(Py_nb_subtract, sub);
    slot(Py_nb_multiply, mul);
    slot(Py_nb_true_divide, div);
    slot(Py_nb_floor_divide, floordiv);
    slot(Py_nb_remainder, remainder_);
    slot(Py_nb_and, and_);
    slot(Py_nb_or, or_);
    slot(Py_nb_xor, xor_);
    slot(Py_nb_lshift, lshift);
    slot(Py_nb_rshift, rshift);
    slot(Py_nb_matrix_multiply, matmul);
    slot(Py_nb_power, power);
    slot(Py_nb_inplace_add, iadd);
    slot(Py_nb_inplace_subtract, isub);
    slot(Py_nb_inplace_multiply, imul);
    slot(Py_nb_inplace_true_divide, idiv);
    slot(Py_nb_inplace_floor_divide, ifloordiv);
    slot(Py_nb_inplace_remainder, iremainder);
    slot(Py_nb_inplace_and, iand);
    slot(Py_nb_inplace_or, ior);
    slot(Py_nb_inplace_xor, ixor);
    slot(Py_nb_inplace_lshift, ilshift);
    slot(Py_nb_inplace_rshift, irshift);
    slot(Py_nb_inplace_power, ipower);
    slot(Py_nb_negative, neg);
    slot(Py_nb_positive, positive);
    slot(Py_nb_absolute, abs_);
    slot(Py_nb_invert, invert);
    slot(Py_nb_bool, truth);
    slot(Py_tp_richcompare, compare);
}

}  // namespace kagari
