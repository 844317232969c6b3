// Differentiation from Python: modes, backward, nodes, hooks.
#include "python/autograd.h"

#include <nanobind/nanobind.h>
#include <nanobind/operators.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "autograd/engine.h"
#include "autograd/record.h"
#include "autograd/tangent.h"
#include "python/bindings.h"
#include "python/caster.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace kagari {
namespace {

/// A node as Python sees it: two of them are equal if they stand for the same node.
struct PyNode {
    Ref<Node> node;
};

/// Calls a gradient hook: None leaves the gradient as it is.
void call_hook(PyObject* f, Tensor& grad) {
    PyRef argument(wrap(grad));
    PyRef result(checked(PyObject_CallOneArg(f, argument.get())));
    if (result.get() == Py_None) return;
    check<TypeError>(is_tensor(result.get()), "hook: expected a Tensor or None as result, got ",
                     Py_TYPE(result.get())->tp_name);
    const Tensor& changed = unwrap(result.get());
    check<RuntimeError>(!grad.defined() || same_sizes(changed.sizes(), grad.sizes()),
                        "hook: hook has changed the size of value, from ", grad.sizes(), " to ",
                        changed.sizes());
    grad = changed;
}

int64_t register_tensor_hook(const Tensor& t, nb::object f) {
    check<RuntimeError>(t.requires_grad(),
                        "register_hook: cannot register a hook on a tensor that doesn't "
                        "require gradient");
    Ref<Node> fn = grad_fn(t);
    uint32_t slot = fn ? find_variable(t)->slot : 0;
    NodeHook hook{Node::next_hook_id(), {}, {}, slot, false};
    hook.pre = [kept = keep_alive(f.ptr()), slot](Tensors& grads) {
        if (grads[slot].defined()) call_hook(kept.get(), grads[slot]);
    };
    int64_t id = hook.id;
    (fn ? fn->hooks() : variable(t).hooks).push_back(std::move(hook));
    return id;
}

int64_t register_post_accumulate_hook(const Tensor& t, nb::object f) {
    check<RuntimeError>(is_leaf(t),
                        "register_post_accumulate_grad_hook: post accumulate grad hooks "
                        "cannot be registered on non-leaf tensors");
    NodeHook hook{Node::next_hook_id(), {}, {}, 0, false};
    hook.pre = [kept = keep_alive(f.ptr())](Tensors& self) {
        PyRef argument(wrap(self[0]));
        PyRef result(checked(PyObject_CallOneArg(kept.get(), argument.get())));
    };
    int64_t id = hook.id;
    variable(t).post_accumulate.push_back(std::move(hook));
    return id;
}

void remove_from(std::vector<NodeHook>& hooks, int64_t id) {
    std::erase_if(hooks, [id](const NodeHook& h) { return h.id == id; });
}

void remove_tensor_hook(const Tensor& t, int64_t id) {
    if (Ref<Node> fn = grad_fn(t)) remove_from(fn->hooks(), id);
    if (Variable* v = find_variable(t)) {
        remove_from(v->hooks, id);
        remove_from(v->post_accumulate, id);
    }
}

nb::tuple to_tuple(const Tensors& list) {
    nb::list out;
    for (const Tensor& t : list) out.append(nb::steal(wrap(t)));
    return nb::tuple(out);
}

/// Replaces `grads` by what a node hook returned: None, a tensor or a tuple.
void replace(Tensors& grads, nb::object result) {
    if (result.is_none()) return;
    if (is_tensor(result.ptr()) && grads.size() == 1) {
        grads[0] = unwrap(result.ptr());
        return;
    }
    check<TypeError>(PyTuple_Check(result.ptr()) || PyList_Check(result.ptr()),
                     "hook: expected None, a Tensor or a tuple of Tensors");
    check<RuntimeError>(nb::len(result) == grads.size(),
                        "hook: hook has returned an incorrect number of "
                        "values: expected ",
                        grads.size(), ", got ", nb::len(result));
    for (size_t i = 0; i < grads.size(); ++i) {
        nb::object item = result[i];
        grads[i] = item.is_none() ? Tensor() : unwrap(item.ptr());
    }
}

int64_t register_node_hook(PyNode& n, nb::object f, bool before) {
    NodeHook hook{Node::next_hook_id(), {}, {}, 0, false};
    auto kept = keep_alive(f.ptr());
    if (before)
        hook.pre = [kept](Tensors& grads) {
            replace(grads, nb::borrow(kept.get())(to_tuple(grads)));
        };
    else
        hook.post = [kept](Tensors& in, const Tensors& out) {
            replace(in, nb::borrow(kept.get())(to_tuple(in), to_tuple(out)));
        };
    int64_t id = hook.id;
    n.node->hooks().push_back(std::move(hook));
    return id;
}

nb::tuple next_functions(const PyNode& n) {
    nb::list out;
    for (const Edge& e : n.node->edges())
        out.append(nb::make_tuple(nb::steal(wrap_node(e.node)), e.slot));
    return nb::tuple(out);
}

/// What is attached to a node from Python: `metadata`, and in anomaly mode where it was made.
nb::dict node_data(Node& node) {
    if (!node.python_data) {
        nb::dict fresh;
        node.python_data = keep_alive(fresh.ptr());
    }
    return nb::borrow<nb::dict>(static_cast<PyObject*>(node.python_data.get()));
}

nb::object backward(const Tensors& roots, const Tensors& grads, bool retain_graph,
                    bool create_graph, const Tensors& inputs, bool accumulate) {
    return to_tuple(run_backward(roots, grads, retain_graph, create_graph, inputs, accumulate));
}

class PySavedHooks final : public SavedHooks {
  public:
    PySavedHooks(nb::object pack, nb::object unpack)
        : pack_(keep_alive(pack.ptr())), unpack_(keep_alive(unpack.ptr())) {}
    std::shared_ptr<void> pack(const Tensor& t) override {
        PyRef argument(wrap(t));
        PyRef packed(checked(PyObject_CallOneArg(pack_.get(), argument.get())));
        return keep_alive(packed.get());
    }
    Tensor unpack(const std::shared_ptr<void>& packed) override {
        PyRef result(
            checked(PyObject_CallOneArg(unpack_.get(), static_cast<PyObject*>(packed.get()))));
        check<TypeError>(is_tensor(result.get()),
                         "saved_tensors_hooks: Output of saved tensor unpack_hook "
                         "expected to be a Tensor but got result of type ",
                         Py_TYPE(result.get())->tp_name);
        return unwrap(result.get());
    }

  private:
    std::shared_ptr<PyObject> pack_, unpack_;
};

void bind_modes(nb::module_& m) {
    m.def("is_grad_enabled", [] { return mode.grad; });
    m.def("_set_grad_enabled", [](bool on) { return std::exchange(mode.grad, on); });
    m.def("is_inference_mode_enabled", [] { return making_inference_tensors; });
    m.def("_set_inference", [](bool on) { return std::exchange(making_inference_tensors, on); });
    m.def("_set_anomaly", set_anomaly);
    m.def("_anomaly_enabled", anomaly_enabled);
    m.def("_set_anomaly_reporter", [](nb::object note, nb::object report) {
        // both live as long as the interpreter
        static nb::object* note_kept = new nb::object(note);
        static nb::object* report_kept = new nb::object(report);
        anomaly_hooks.note_creation = [](Node& node) { (*note_kept)(node_data(node)); };
        anomaly_hooks.report = [](Node& node) { (*report_kept)(node.name(), node_data(node)); };
    });
}

void bind_nodes(nb::module_& m) {
    nb::class_<PyNode>(m, "Node")
        .def("name", [](const PyNode& n) { return n.node->name(); })
        .def_prop_ro("next_functions", next_functions)
        .def_prop_ro("variable", [](const PyNode& n) { return n.node->variable(); })
        .def_prop_ro("metadata", [](PyNode& n) { return node_data(*n.node); })
        .def_prop_ro("_sequence_nr", [](const PyNode& n) { return n.node->sequence(); })
        .def("_register_hook", register_node_hook)
        .def("_remove_hook", [](PyNode& n, int64_t id) { remove_from(n.node->hooks(), id); })
        .def("__eq__",
             [](const PyNode& n, nb::object o) {
                 PyNode* other;
                 return nb::try_cast(o, other) && other && other->node == n.node;
             })
        .def("__hash__",
             [](const PyNode& n) { return reinterpret_cast<uintptr_t>(n.node.get()) >> 4; })
        .def("__repr__", [](const PyNode& n) {
            std::ostringstream os;
            os << "<" << n.node->name() << " object at " << static_cast<void*>(n.node.get()) << ">";
            return os.str();
        });
}

}  // namespace

PyObject* wrap_node(Ref<Node> node) {
    if (!node) Py_RETURN_NONE;
    return nb::cast(PyNode{std::move(node)}).release().ptr();
}

/// Tensor or a subclass of it.
static PyTypeObject* checked_class(nb::handle cls) {
    auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
    check<TypeError>(PyType_Check(cls.ptr()) && PyType_IsSubtype(type, tensor_type),
                     "as_subclass: cls: expected a subclass of Tensor, got ",
                     nb::cast<std::string>(nb::repr(cls)));
    return type;
}

void bind_autograd(nb::module_& m) {
    bind_modes(m);
    bind_nodes(m);
    m.def("_run_backward", backward);
    m.def("_register_hook", register_tensor_hook);
    m.def("_register_post_accumulate_hook", register_post_accumulate_hook);
    m.def("_remove_hook", remove_tensor_hook);
    m.def("_gradient_edge", [](const Tensor& t) {
        Edge e = gradient_edge(t);
        return nb::make_tuple(nb::steal(wrap_node(e.node)), e.slot);
    });
    m.def("_depends_on_others", depends_on_others, nb::arg("tensors"), nb::arg("own"));
    m.def("_queue_callback", [](nb::object f) {
        queue_callback([kept = keep_alive(f.ptr())] {
            PyRef result(checked(PyObject_CallNoArgs(kept.get())));
        });
    });
    m.def("_push_saved_hooks", [](nb::object pack, nb::object unpack) {
        push_saved_hooks(std::make_shared<PySavedHooks>(std::move(pack), std::move(unpack)));
    });
    m.def("_pop_saved_hooks", pop_saved_hooks);
    m.def(
        "_make_subclass",
        [](nb::handle cls, const Tensor& t, bool requires_grad) {
            Tensor made = detach(t);
            PyRef o(wrap_as(checked_class(cls), made));
            if (requires_grad) set_requires_grad(unwrap(o.get()), true);
            return nb::steal(o.release());
        },
        nb::arg("cls"), nb::arg("data"), nb::arg("requires_grad") = false);
    m.def("_alias_as", [](nb::handle cls, const Tensor& t) {
        // a subclass object with the history of `t`
        Tensor made = raw_view(t, t.sizes(), t.strides(), t.offset());
        if (dual_levels) share_tangents(made, t);
        if (should_record(t))
            record("AliasBackward0", {made}, {t}, {},
                   [](Backward& c) -> Tensors { return {c.grad()}; });
        return nb::steal(wrap_as(checked_class(cls), std::move(made)));
    });
    m.def("_set_grad_layout_policy", [](bool on) { return std::exchange(grads_as_leaves, on); });
    m.def("_bump_version", [](const Tensor& t) { t.bump_version(); });
    m.def("_live_tensors", live_tensors);
}

}  // namespace kagari
