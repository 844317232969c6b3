// Life and death of tensor objects (see Note [Twins] in tensor/ref.h).
#include "python/tensor_type.h"

#include <structmember.h>

#include <cstddef>
#include <vector>

#include "autograd/node.h"
#include "python/bindings.h"
#include "python/errors.h"
#include "python/operators.h"
#include "python/values.h"
#include "runtime/parallel.h"

namespace kagari {

PyTypeObject* tensor_type = nullptr;
IndexingHooks indexing_hooks;

namespace {

void dealloc(PyObject* o) {
    auto* self = reinterpret_cast<PyTensor*>(o);
    PyTypeObject* type = Py_TYPE(o);
    PyObject_GC_UnTrack(o);
    if (self->weakrefs) PyObject_ClearWeakRefs(o);
    Py_CLEAR(self->dict);
    delete self->body;
    type->tp_free(o);
    Py_DECREF(type);
}

int traverse(PyObject* o, visitproc visit, void* arg) {
    Py_VISIT(reinterpret_cast<PyTensor*>(o)->dict);
    Py_VISIT(Py_TYPE(o));
    return 0;
}

int clear(PyObject* o) {
    Py_CLEAR(reinterpret_cast<PyTensor*>(o)->dict);
    return 0;
}

/// Exact tensors join the garbage collector when they get their first attribute: before, they can
/// be part of no cycle.
int set_attribute(PyObject* o, PyObject* name, PyObject* value) {
    int status = PyObject_GenericSetAttr(o, name, value);
    if (reinterpret_cast<PyTensor*>(o)->dict && !PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
    return status;
}

/// Gives `t` its twin: the object takes over all references that C++ holds, and `t`'s own becomes
/// the returned one.
PyObject* adopt(PyObject* o, Tensor t) {
    auto* self = reinterpret_cast<PyTensor*>(o);
    Ref<TensorBody> ref = t.ref();
    t = Tensor();
    TensorBody* body = ref.detach();
    self->body = body;
    self->dict = nullptr;
    self->weakrefs = nullptr;
    Py_SET_REFCNT(o, static_cast<Py_ssize_t>(body->count()));
    body->set_twin(o);
    return o;
}

PyObject* get_item(PyObject* self, PyObject* index) { return indexing_hooks.get(self, index); }
int set_item(PyObject* self, PyObject* index, PyObject* value) {
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Tensor does not support deleting items");
        return -1;
    }
    return indexing_hooks.set(self, index, value);
}
Py_ssize_t length(PyObject* self) {
    const Tensor& t = unwrap(self);
    if (t.dim() == 0) {
        PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
        return -1;
    }
    return static_cast<Py_ssize_t>(t.sizes()[0]);
}
Py_hash_t hash(PyObject* self) { return _Py_HashPointer(self); }

PyObject* construct(PyTypeObject* cls, PyObject* args, PyObject* kwargs) {
    PyRef module(PyImport_ImportModule("kagari._tensor"));
    if (!module) return nullptr;
    PyRef make(PyObject_GetAttrString(module.get(), "_legacy_constructor"));
    if (!make) return nullptr;
    PyRef data(PyObject_Call(make.get(), args, kwargs));
    if (!data) return nullptr;
    if (!is_tensor(data.get())) {
        PyErr_SetString(PyExc_TypeError, "Tensor: the data is not a tensor");
        return nullptr;
    }
    if (cls == tensor_type) return data.release();
    return wrap_as(cls, detach(unwrap(data.get())));
}

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr}};

PyGetSetDef dict_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* wrap(Tensor t) {
    if (!t.defined()) Py_RETURN_NONE;
    if (void* twin = t.body()->twin()) return Py_NewRef(static_cast<PyObject*>(twin));
    auto* o = reinterpret_cast<PyObject*>(PyObject_GC_New(PyTensor, tensor_type));
    if (!o) throw PythonError();
    return adopt(o, std::move(t));
}

PyObject* wrap_as(PyTypeObject* cls, Tensor t) {
    check<RuntimeError>(!t.body()->twin(), "a tensor that Python knows cannot change its class");
    return adopt(checked(cls->tp_alloc(cls, 0)), std::move(t));
}

void bind_tensor_type(nanobind::module_& m) {
    twin_hooks.retain = [](void* twin) noexcept { Py_INCREF(static_cast<PyObject*>(twin)); };
    twin_hooks.release = [](void* twin) noexcept { Py_DECREF(static_cast<PyObject*>(twin)); };
    lock_hooks.unlock = []() noexcept -> void* {
        return PyGILState_Check() ? PyEval_SaveThread() : nullptr;
    };
    lock_hooks.lock = [](void* state) noexcept {
        PyEval_RestoreThread(static_cast<PyThreadState*>(state));
    };
    std::vector<PyType_Slot> slots = {
        {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
        {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
        {Py_tp_clear, reinterpret_cast<void*>(clear)},
        {Py_tp_new, reinterpret_cast<void*>(construct)},
        {Py_tp_setattro, reinterpret_cast<void*>(set_attribute)},
        {Py_tp_hash, reinterpret_cast<void*>(hash)},
        {Py_tp_members, members},
        {Py_tp_getset, dict_getset},
        {Py_mp_subscript, reinterpret_cast<void*>(get_item)},
        {Py_mp_ass_subscript, reinterpret_cast<void*>(set_item)},
        {Py_mp_length, reinterpret_cast<void*>(length)},
        {Py_sq_length, reinterpret_cast<void*>(length)},
    };
    add_operator_slots(slots);
    add_value_slots(slots);
    slots.push_back({0, nullptr});
    PyType_Spec spec{"kagari.Tensor", sizeof(PyTensor), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots.data()};
    tensor_type = reinterpret_cast<PyTypeObject*>(checked(PyType_FromSpec(&spec)));
    m.attr("Tensor") = nanobind::handle(reinterpret_cast<PyObject*>(tensor_type));
}

}  // namespace kagari
