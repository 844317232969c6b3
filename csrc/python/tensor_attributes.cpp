// Attributes of tensors and the few methods that are too hot, or too close to the object, to be ops
// or Python.
#include <Python.h>

#include "autograd/mode.h"
#include "autograd/node.h"
#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/views.h"
#include "ops/output.h"
#include "python/arguments.h"
#include "python/autograd.h"
#include "python/bindings.h"
#include "python/device.h"
#include "python/dtype.h"
#include "python/errors.h"
#include "python/size.h"
#include "python/tensor_type.h"
#include "tensor/batch.h"

namespace kagari {
namespace {

/// Reads an attribute through __torch_function__ where a subclass overrides it.
#define KAGARI_GETTER(Name, Expression)        \
    PyObject* get_##Name(PyObject* o, void*) { \
        return guarded([&]() -> PyObject* {    \
            const Tensor& t = unwrap(o);       \
            (void)t;                           \
            return Expression;                 \
        });                                    \
    }
KAGARI_GETTER(shape, wrap_size(t.sizes()))
KAGARI_GETTER(dtype, wrap(t.dtype()))
KAGARI_GETTER(device, wrap(t.device()))
KAGARI_GETTER(ndim, PyLong_FromLongLong(t.dim()))
KAGARI_GETTER(itemsize, PyLong_FromSize_t(t.itemsize()))
KAGARI_GETTER(nbytes, PyLong_FromSize_t(t.nbytes()))
KAGARI_GETTER(requires_grad, PyBool_FromLong(recorded(t).requires_grad()))
KAGARI_GETTER(is_leaf, PyBool_FromLong(is_leaf(recorded(t))))
KAGARI_GETTER(grad, wrap(grad(t)))
KAGARI_GETTER(grad_fn, wrap_node(grad_fn(recorded(t))))
KAGARI_GETTER(version, PyLong_FromLongLong(recorded(t).version()))
KAGARI_GETTER(base, t.body()->base ? wrap(Tensor(t.body()->base)) : Py_NewRef(Py_None))
KAGARI_GETTER(is_meta, PyBool_FromLong(t.is_meta()))
KAGARI_GETTER(is_cuda, PyBool_FromLong(t.device().kind == DeviceKind::CUDA))
KAGARI_GETTER(is_cpu, PyBool_FromLong(t.device().kind == DeviceKind::CPU))
KAGARI_GETTER(false, PyBool_FromLong(0))
KAGARI_GETTER(output_nr, PyLong_FromLong(find_variable(t) ? find_variable(t)->slot : 0))
KAGARI_GETTER(retains_grad, PyBool_FromLong(find_variable(t) && find_variable(t)->retains_grad))
KAGARI_GETTER(T, wrap(t.dim() == 2 ? ops::transpose(t, 0, 1) : [&] {
                  Dims order(t.dim());
                  for (int64_t i = 0; i < t.dim(); ++i) order[i] = t.dim() - 1 - i;
                  return ops::permute(t, order);
              }()))
PyObject* get_mT(PyObject* o, void*) {
    return guarded([&] {
        const Tensor& t = unwrap(o);
        check<RuntimeError>(t.dim() >= 2,
                            "mT: tensor.mT is only supported on matrices or batches of "
                            "matrices. Got ",
                            t.dim(), "-D tensor.");
        return wrap(ops::mT(t));
    });
}

/// The same memory as a tensor of its own: no history, and a version that nobody else counts.
PyObject* get_data(PyObject* o, void*) {
    return guarded([&] {
        const Tensor& t = unwrap(o);
        if (batch_of(t)) return to_python(std::move(find_op("detach")->run({t})[0]));
        Tensor out = detach(t);
        const Ref<Storage>& s = t.storage();
        out.body()->storage = make_ref<Storage>(s->data(), s->bytes(), s->device(), [s] {});
        return wrap(out);
    });
}

int set_data(PyObject* o, PyObject* value, void*) {
    return !guarded([&]() -> PyObject* {
        check<TypeError>(value && is_tensor(value),
                         "data: Variable data has to be a tensor, but got ",
                         value ? Py_TYPE(value)->tp_name : "a deletion");
        const Tensor &t = unwrap(o), &v = unwrap(value);
        TensorBody &to = *t.body(), &from = *v.body();
        check<RuntimeError>(!to.batch && !from.batch,
                            "data: the memory of a batched tensor cannot be exchanged in vmap");
        check<RuntimeError>(
            !t.requires_grad() || is_differentiable(v.dtype()),
            "data: data set to a tensor that requires gradients must be floating point "
            "or complex dtype, got ",
            v.dtype());
        check<RuntimeError>(
            !has_tangent(t),
            "data: mutating directly with `.data` inside functorch transform is not "
            "allowed: the tensor has a tangent");
        to.storage = from.storage;
        to.sizes = from.sizes;
        to.strides = from.strides;
        to.offset = from.offset;
        to.dtype = from.dtype;
        to.base = nullptr;
        to.update_layout();
        if (Variable* var = find_variable(t); var && var->accumulator)
            var->accumulator->outputs()[0] = {to.sizes, to.dtype, v.device()};
        return Py_None;
    })
               ? -1
               : 0;
}

int set_grad_attribute(PyObject* o, PyObject* value, void*) {
    return !guarded([&]() -> PyObject* {
        const Tensor& t = unwrap(o);
        if (!value || value == Py_None) {
            set_grad(t, Tensor());
            return Py_None;
        }
        check<TypeError>(is_tensor(value),
                         "grad: assigned grad expected to be a Tensor or None but got "
                         "grad of type ",
                         Py_TYPE(value)->tp_name);
        const Tensor& g = unwrap(value);
        check<RuntimeError>(!g.is(t), "grad: can't assign Variable as its own grad");
        check<RuntimeError>(same_sizes(g.sizes(), t.sizes()),
                            "grad: assigned grad has data of a "
                            "different size: expected ",
                            t.sizes(), ", got ", g.sizes());
        check<RuntimeError>(g.dtype() == t.dtype(),
                            "grad: assigned grad has data of a different type: "
                            "expected ",
                            t.dtype(), ", got ", g.dtype());
        check<RuntimeError>(g.device() == t.device(),
                            "grad: assigned grad has data located on a "
                            "different device: expected ",
                            t.device(), ", got ", g.device());
        set_grad(t, g);
        return Py_None;
    })
               ? -1
               : 0;
}

int set_requires_grad_attribute(PyObject* o, PyObject* value, void*) {
    return !guarded([&]() -> PyObject* {
        check<TypeError>(value && PyBool_Check(value), "requires_grad: must be a bool");
        set_requires_grad(recorded(unwrap(o)), value == Py_True);
        return Py_None;
    })
               ? -1
               : 0;
}

PyGetSetDef attributes[] = {
    {"shape", get_shape, nullptr, "Sizes of the dimensions, a kagari.Size.", nullptr},
    {"dtype", get_dtype, nullptr, "Element type.", nullptr},
    {"device", get_device, nullptr, "Where the memory is.", nullptr},
    {"ndim", get_ndim, nullptr, "Number of dimensions.", nullptr},
    {"itemsize", get_itemsize, nullptr, "Bytes of an element.", nullptr},
    {"nbytes", get_nbytes, nullptr, "Bytes of all elements.", nullptr},
    {"requires_grad", get_requires_grad, set_requires_grad_attribute,
     "Is what is done with this tensor recorded for differentiation?", nullptr},
    {"is_leaf", get_is_leaf, nullptr, "Not the result of a recorded op.", nullptr},
    {"grad", get_grad, set_grad_attribute, "The gradient that backward has left here, or None.",
     nullptr},
    {"grad_fn", get_grad_fn, nullptr, "The node that made this tensor, or None.", nullptr},
    {"data", get_data, set_data, "The same memory, outside differentiation.", nullptr},
    {"_version", get_version, nullptr, "Number of in-place writes so far.", nullptr},
    {"_base", get_base, nullptr, "The tensor that this one is a view of, or None.", nullptr},
    {"is_meta", get_is_meta, nullptr, "On the meta device: no memory.", nullptr},
    {"is_cuda", get_is_cuda, nullptr, "On a CUDA device.", nullptr},
    {"is_cpu", get_is_cpu, nullptr, "On the CPU.", nullptr},
    {"is_sparse", get_false, nullptr, "Always False: there are no sparse tensors yet.", nullptr},
    {"is_quantized", get_false, nullptr, "Always False: there are no quantised tensors yet.",
     nullptr},
    {"is_nested", get_false, nullptr, "Always False: there are no nested tensors yet.", nullptr},
    {"output_nr", get_output_nr, nullptr, "Which output of grad_fn this is.", nullptr},
    {"retains_grad", get_retains_grad, nullptr, "Does backward leave .grad here?", nullptr},
    {"T", get_T, nullptr, "A view with the dimensions reversed.", nullptr},
    {"mT", get_mT, nullptr, "A view with the last two dimensions swapped.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

/// size() and stride(): all, or one dimension.
PyObject* dims_or_one(IntSpan dims, const char* op, PyObject* const* args, Py_ssize_t n,
                      PyObject* names, bool as_size) {
    PyObject* dim = n ? args[0] : names && PyTuple_GET_SIZE(names) ? args[0] : nullptr;
    if (!dim || dim == Py_None) {
        if (as_size) return wrap_size(dims);
        PyRef tuple(checked(PyTuple_New(static_cast<Py_ssize_t>(dims.size()))));
        for (size_t i = 0; i < dims.size(); ++i)
            PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), PyLong_FromLongLong(dims[i]));
        return tuple.release();
    }
    int64_t d;
    check<TypeError>(to_int(dim, d), op, "(): argument 'dim' must be int, not ",
                     Py_TYPE(dim)->tp_name);
    check<IndexError>(!dims.empty(), op, ": Dimension specified as ", d,
                      " but tensor has no dimensions");
    return PyLong_FromLongLong(dims[wrap_dim(d, static_cast<int64_t>(dims.size()), op)]);
}

#define KAGARI_METHOD(Name) \
    PyObject* Name(PyObject* o, PyObject* const* args, Py_ssize_t n, PyObject* names)

KAGARI_METHOD(size) {
    return guarded([&] { return dims_or_one(unwrap(o).sizes(), "size", args, n, names, true); });
}
KAGARI_METHOD(stride) {
    return guarded(
        [&] { return dims_or_one(unwrap(o).strides(), "stride", args, n, names, false); });
}

/// Python does what has arguments; the plain call stays here.
PyObject* in_python(const char* function, PyObject* o, PyObject* const* args, Py_ssize_t n,
                    PyObject* names) {
    PyRef module(checked(PyImport_ImportModule("kagari._tensor")));
    PyRef f(checked(PyObject_GetAttrString(module.get(), function)));
    Py_ssize_t all = n + (names ? PyTuple_GET_SIZE(names) : 0);
    std::vector<PyObject*> shifted{o};
    shifted.insert(shifted.end(), args, args + all);
    return checked(PyObject_Vectorcall(f.get(), shifted.data(), static_cast<size_t>(n + 1), names));
}

KAGARI_METHOD(clone) {
    return guarded([&] {
        if (n || names || !is_exact_tensor(o)) return in_python("_clone", o, args, n, names);
        return wrap(ops::clone(unwrap(o)));
    });
}
KAGARI_METHOD(contiguous) {
    return guarded([&] {
        if (n || names) return in_python("_contiguous", o, args, n, names);
        if (unwrap(o).is_contiguous()) return Py_NewRef(o);
        return wrap(ops::contiguous(unwrap(o)));
    });
}
KAGARI_METHOD(to) {
    return guarded([&] {
        if (n == 1 && !names && is_dtype(args[0])) {
            DType dtype = unwrap_dtype(args[0]);
            if (unwrap(o).dtype() == dtype) return Py_NewRef(o);
            return wrap(ops::to(unwrap(o), dtype));
        }
        if (n == 1 && !names && (PyUnicode_Check(args[0]) || is_device(args[0])) &&
            to_device(args[0], "to") == unwrap(o).device())
            return Py_NewRef(o);
        return in_python("_to", o, args, n, names);
    });
}
KAGARI_METHOD(is_contiguous) {
    return guarded([&] {
        if (n || names) return in_python("_is_contiguous", o, args, n, names);
        return PyBool_FromLong(unwrap(o).is_contiguous());
    });
}
KAGARI_METHOD(requires_grad_) {
    return guarded([&] {
        bool value = true;
        Py_ssize_t all = n + (names ? PyTuple_GET_SIZE(names) : 0);
        check<TypeError>(all <= 1 && (all == 0 || PyBool_Check(args[0])),
                         "requires_grad_(): expected one bool, requires_grad");
        if (all) value = args[0] == Py_True;
        set_requires_grad(recorded(unwrap(o)), value);
        return Py_NewRef(o);
    });
}

#define KAGARI_NOARGS(Name, Expression)      \
    PyObject* Name(PyObject* o, PyObject*) { \
        return guarded([&]() -> PyObject* {  \
            const Tensor& t = unwrap(o);     \
            return Expression;               \
        });                                  \
    }
KAGARI_NOARGS(dim, PyLong_FromLongLong(t.dim()))
KAGARI_NOARGS(numel, PyLong_FromLongLong(t.numel()))
KAGARI_NOARGS(element_size, PyLong_FromSize_t(t.itemsize()))
KAGARI_NOARGS(data_ptr, PyLong_FromVoidPtr(t.numel() && !t.is_meta() ? t.data() : nullptr))
KAGARI_NOARGS(storage_offset, PyLong_FromLongLong(t.offset()))
KAGARI_NOARGS(item, to_python(ops::item(t)))
KAGARI_NOARGS(is_inference, PyBool_FromLong(t.body()->inference))
KAGARI_NOARGS(is_view, PyBool_FromLong(recorded(t).body()->base ? 1 : 0))
PyObject* retain_grad_method(PyObject* o, PyObject*) {
    return guarded([&]() -> PyObject* {
        retain_grad(recorded(unwrap(o)));
        Py_RETURN_NONE;
    });
}
PyObject* detach_inplace(PyObject* o, PyObject*) {
    return guarded([&]() -> PyObject* {
        const Tensor& t = recorded(unwrap(o));
        check<RuntimeError>(!t.body()->base,
                            "detach_: Can't detach views in-place. Use detach() instead.");
        if (Variable* v = find_variable(t)) {
            v->grad_fn = nullptr;
            v->slot = 0;
        }
        t.body()->requires_grad = false;
        return Py_NewRef(o);
    });
}
/// resize_(*sizes): other sizes over the same storage, which grows where needed.
PyObject* resize_method(PyObject* o, PyObject* args) {
    return guarded([&]() -> PyObject* {
        PyObject* sizes = args;
        if (PyTuple_GET_SIZE(args) == 1 && !PyLong_Check(PyTuple_GET_ITEM(args, 0)))
            sizes = PyTuple_GET_ITEM(args, 0);
        Value v;
        Param param{"size", ParamType::Ints};
        check<TypeError>(to_value(sizes, param, v) == Match::Yes,
                         "resize_(): expected sizes as integers");
        const Tensor& t = unwrap(o);
        check<RuntimeError>(!batch_of(t), "resize_: not possible on a batched tensor, in vmap");
        check<RuntimeError>(!t.requires_grad(),
                            "resize_: cannot resize variables that require grad");
        if (!same_sizes(t.sizes(), std::get<Dims>(v))) resize(t, std::get<Dims>(v));
        t.bump_version();
        return Py_NewRef(o);
    });
}
PyObject* same_storage_as(PyObject* o, PyObject* other) {
    return guarded([&]() -> PyObject* {
        check<TypeError>(is_tensor(other), "is_set_to(): expected a Tensor");
        const Tensor &a = unwrap(o), &b = unwrap(other);
        return PyBool_FromLong(a.storage() == b.storage() && a.offset() == b.offset() &&
                               same_sizes(a.sizes(), b.sizes()) &&
                               same_sizes(a.strides(), b.strides()));
    });
}

#define KAGARI_FAST(name, f)                                               \
    {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)), \
     METH_FASTCALL | METH_KEYWORDS, nullptr}
PyMethodDef methods[] = {KAGARI_FAST("size", size),
                         KAGARI_FAST("stride", stride),
                         KAGARI_FAST("clone", clone),
                         KAGARI_FAST("contiguous", contiguous),
                         KAGARI_FAST("to", to),
                         KAGARI_FAST("is_contiguous", is_contiguous),
                         KAGARI_FAST("requires_grad_", requires_grad_),
                         {"dim", dim, METH_NOARGS, nullptr},
                         {"ndimension", dim, METH_NOARGS, nullptr},
                         {"numel", numel, METH_NOARGS, nullptr},
                         {"nelement", numel, METH_NOARGS, nullptr},
                         {"element_size", element_size, METH_NOARGS, nullptr},
                         {"data_ptr", data_ptr, METH_NOARGS, nullptr},
                         {"storage_offset", storage_offset, METH_NOARGS, nullptr},
                         {"item", item, METH_NOARGS, nullptr},
                         {"is_inference", is_inference, METH_NOARGS, nullptr},
                         {"_is_view", is_view, METH_NOARGS, nullptr},
                         {"retain_grad", retain_grad_method, METH_NOARGS, nullptr},
                         {"detach_", detach_inplace, METH_NOARGS, nullptr},
                         {"resize_", resize_method, METH_VARARGS, nullptr},
                         {"is_set_to", same_storage_as, METH_O, nullptr},
                         {nullptr, nullptr, 0, nullptr}};

}  // namespace

void bind_tensor_methods(nanobind::module_&) {
    auto* type = reinterpret_cast<PyObject*>(tensor_type);
    for (PyGetSetDef* d = attributes; d->name; ++d) {
        PyRef descriptor(checked(PyDescr_NewGetSet(tensor_type, d)));
        checked(PyObject_SetAttrString(type, d->name, descriptor.get()));
    }
    for (PyMethodDef* d = methods; d->ml_name; ++d) {
        PyRef descriptor(checked(PyDescr_NewMethod(tensor_type, d)));
        checked(PyObject_SetAttrString(type, d->ml_name, descriptor.get()));
    }
}

}  // namespace kagari
