// Interceptors written in Python: a callable that sees every op of its thread. What a user makes
// of it, such as the op log, is left to src/kagari/utils/; what vmap does to src/kagari/func/.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "ops/forward/rules.h"
#include "ops/op.h"
#include "ops/vmap.h"
#include "python/arguments.h"
#include "python/bindings.h"
#include "python/caster.h"
#include "python/errors.h"
#include "python/tensor_type.h"
#include "tensor/batch.h"

namespace nb = nanobind;

namespace kagari {
namespace {

/// An op as Python sees it.
struct OpHandle {
    const OpRecord* op;
};

/// Arguments or results. They stay boxed, so that what Python only passes on keeps its exact type.
struct Boxed {
    Values values;
};

nb::object item(const Boxed& boxed, int64_t index) {
    auto size = static_cast<int64_t>(boxed.values.size());
    if (index < 0) index += size;
    check<IndexError>(index >= 0 && index < size, "index ", index, " out of range for ", size,
                      " values");
    return nb::steal(to_python(boxed.values[static_cast<size_t>(index)]));
}

Values to_arguments(const OpRecord& op, nb::handle args) {
    if (nb::isinstance<Boxed>(args)) return nb::inst_ptr<Boxed>(args)->values;
    Values values;
    for (nb::handle o : args) {
        check<TypeError>(values.size() < op.schema().params.size(), op.name(), ": expected ",
                         op.schema().params.size(), " arguments");
        const Param& param = op.schema().params[values.size()];
        Value value;
        if (!o.is_none() || !param.optional)
            check<TypeError>(to_value(o.ptr(), param, value) == Match::Yes, op.name(), ": ",
                             param.name, ": cannot take a ", Py_TYPE(o.ptr())->tp_name);
        values.push_back(std::move(value));
    }
    return values;
}

Value to_result(const OpRecord& op, nb::handle o) {
    if (o.is_none()) return Tensor();
    if (is_tensor(o.ptr())) return unwrap(o.ptr());
    if (op.schema().list_result) {
        Tensors list;
        for (nb::handle t : o) {
            check<TypeError>(is_tensor(t.ptr()), op.name(), ": an interceptor must return tensors");
            list.push_back(unwrap(t.ptr()));
        }
        return list;
    }
    if (PyBool_Check(o.ptr())) return o.ptr() == Py_True;
    if (PyLong_Check(o.ptr())) return nb::cast<int64_t>(o);
    if (PyFloat_Check(o.ptr())) return nb::cast<double>(o);
    fail<TypeError>(op.name(), ": an interceptor returned a ", Py_TYPE(o.ptr())->tp_name,
                    ", expected what op.run() returned, or a list of tensors");
}

/// What a Python function made of an op: what op.run() returned, or one object per result.
Values to_results(const OpRecord& op, nb::handle result) {
    if (nb::isinstance<Boxed>(result)) return nb::inst_ptr<Boxed>(result)->values;
    Values values;
    for (nb::handle o : result) values.push_back(to_result(op, o));
    check<TypeError>(values.size() == op.schema().results, op.name(),
                     ": an interceptor must return ", op.schema().results, " values, got ",
                     values.size());
    return values;
}

class PythonInterceptor final : public Interceptor {
  public:
    explicit PythonInterceptor(nb::handle function) : function_(keep_alive(function.ptr())) {}

    Values call(const OpRecord& op, Values args) override {
        return to_results(op, nb::handle(function_.get())(OpHandle{&op}, Boxed{std::move(args)}));
    }

  private:
    std::shared_ptr<PyObject> function_;
};

/// vmap with rules in Python: `rule(op, args)` returns results, or None for an op whose body is to
/// run on the batched tensors.
void push_vmap(int64_t level, nb::handle rule, const std::vector<std::string>& watched) {
    auto ask = [kept = keep_alive(rule.ptr())](const OpRecord& op,
                                               const Values& args) -> std::optional<Values> {
        nb::object result = nb::handle(kept.get())(OpHandle{&op}, Boxed{args});
        if (result.is_none()) return std::nullopt;
        return to_results(op, result);
    };
    push_interceptor(std::make_shared<VmapInterceptor>(
        level, ask, std::unordered_set<std::string>(watched.begin(), watched.end())));
}

void bind_vmap(nb::module_& m) {
    m.def("_push_vmap", push_vmap, nb::arg("level"), nb::arg("rule"), nb::arg("watched"));
    m.def("_make_batched", make_batched, nb::arg("value"), nb::arg("level"));
    m.def(
        "_batch_of",
        [](const Tensor& t) -> nb::object {
            const BatchSlot* slot = t.defined() ? batch_of(t) : nullptr;
            if (!slot) return nb::none();
            return nb::make_tuple(slot->value, slot->level);
        },
        nb::arg("tensor").none(), "(all samples, level) of a batched tensor, or None.");
    m.def(
        "_all_samples", [](const Tensor& t) { return recorded(t); }, nb::arg("tensor"),
        "The tensor, or, where vmap has batched it, the one with the values of all samples.");
    m.def(
        "_without_levels",
        [](const std::vector<int64_t>& levels, nb::callable body) {
            nb::object result;
            without_levels(levels, [&] { result = body(); });
            return result;
        },
        nb::arg("levels"), nb::arg("body"));
}

std::vector<std::string> parameter_names(const OpHandle& self) {
    std::vector<std::string> names;
    for (const Param& param : self.op->schema().params) names.push_back(param.name);
    return names;
}

/// The Python function that transposes backward: transposed(op, args, tangents).
nb::object* transposed = nullptr;

DualResult call_transposed(const OpRecord& op, const Values& args, const Tensors& tangents) {
    nb::list given;
    for (const Tensor& t : tangents) given.append(nb::steal(wrap(t)));
    nb::tuple made = nb::cast<nb::tuple>((*transposed)(OpHandle{&op}, Boxed{args}, given));
    auto tensors = [](nb::handle list) {
        Tensors found;
        for (nb::handle t : list) found.push_back(t.is_none() ? Tensor() : unwrap(t.ptr()));
        return found;
    };
    return {to_results(op, made[0]), tensors(made[1]), tensors(made[2])};
}

void bind_dual_levels(nb::module_& m) {
    m.def("_enter_dual_level", enter_dual_level);
    m.def("_exit_dual_level", exit_dual_level, nb::arg("level"));
    m.def("_dual_levels", [] {
        std::vector<int64_t> ids;
        for (const auto& level : all_dual_levels()) ids.push_back(level->id());
        return ids;
    });
    m.def("_tangent", [](const Tensor& t, int64_t level) { return dual_level(level).tangent(t); });
    m.def("_set_tangent", [](const Tensor& t, const Tensor& tangent, int64_t level) {
        dual_level(level).set(t, tangent);
    });
    m.def("_share_tangents", [](const Tensor& to, const Tensor& from) {
        if (same_sizes(recorded(to).sizes(), recorded(from).sizes()))
            share_tangents(recorded(to), recorded(from));
    });
    m.def("_follow_tangents", [](const Tensor& alias, const Tensor& t, int64_t level) {
        dual_level(level).follow(alias, t);
    });
    m.def("_enable_dual_level",
          [](int64_t level, bool on) { return std::exchange(dual_level(level).enabled, on); });
    m.def(
        "_transforms",
        [] {
            std::vector<std::pair<bool, int64_t>> found;
            for (const auto& each : all_interceptors())
                if (auto* level = dynamic_cast<DualLevel*>(each.get()); level && level->enabled)
                    found.emplace_back(true, level->id());
                else if (auto* vmap = dynamic_cast<VmapInterceptor*>(each.get()))
                    found.emplace_back(false, vmap->level());
            return found;
        },
        "(is it a level of dual tensors rather than of vmap, which) of all, outermost first.");
    m.def("_is_fwd_grad_enabled", [] { return forward_grad_enabled; });
    m.def("_set_fwd_grad_enabled", [](bool on) { return std::exchange(forward_grad_enabled, on); });
    m.def("_set_transposed", [](nb::object function) {
        transposed = new nb::object(function);  // lives as long as the interpreter
        transposed_tangent = call_transposed;
    });
}

}  // namespace

void bind_interceptor(nb::module_& m) {
    nb::class_<Boxed>(m, "Boxed", "Arguments or results of an op, as a sequence.")
        .def("__len__", [](const Boxed& b) { return b.values.size(); })
        .def("__getitem__", item);
    nb::class_<OpHandle>(m, "OpHandle", "An op, as interceptors see it.")
        .def_prop_ro("name", [](const OpHandle& self) { return std::string(self.op->name()); })
        .def_prop_ro("schema", [](const OpHandle& self) { return self.op->schema_text(); })
        .def_prop_ro("made_of_ops", [](const OpHandle& self) { return self.op->made_of_ops(); })
        .def_prop_ro("parameters", parameter_names)
        .def(
            "run",
            [](const OpHandle& self, nb::handle args) {
                return Boxed{self.op->run(to_arguments(*self.op, args))};
            },
            nb::arg("args"), "Goes on to the next interceptor, or to the op's body.")
        .def("__repr__",
             [](const OpHandle& self) { return "<op " + std::string(self.op->name()) + ">"; });
    m.def(
        "_push_interceptor",
        [](nb::handle function) {
            push_interceptor(std::make_shared<PythonInterceptor>(function));
        },
        nb::arg("function"));
    m.def("_pop_interceptor", pop_interceptor);
    m.def("_intercepted", intercepted);
    m.def(
        "_as_rule",
        [](nb::callable function) {
            MadeOfOps scope("a rule");
            return nb::object(function());
        },
        nb::arg("function"), "Runs it where a backward rule runs (Note [Lost tangents]).");
    m.def("_made_of_ops", [] {
        std::vector<std::string> names;
        for (const OpRecord* op : all_ops())
            if (op->made_of_ops()) names.emplace_back(op->name());
        return names;
    });
    bind_vmap(m);
    bind_dual_levels(m);
}

}  // namespace kagari
