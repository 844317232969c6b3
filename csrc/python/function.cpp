// Custom differentiable functions: a node whose backward is a Python method.
#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "autograd/engine.h"
#include "autograd/record.h"
#include "python/autograd.h"
#include "python/bindings.h"
#include "python/caster.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace kagari {
namespace {

/// What ctx.save_for_backward has kept; shared by the context and the node.
struct SavedList {
    SavedList() = default;
    SavedList(const SavedList&) = delete;

    std::vector<Saved> saved;
    bool released = false;

    nb::tuple unpack() const {
        if (released) fail_released();
        nb::list out;
        for (const Saved& s : saved) out.append(nb::steal(wrap(s.unpack(current_node()))));
        return nb::tuple(out);
    }
};

class FunctionNode final : public Node {
  public:
    FunctionNode(nb::object context, std::string name, std::shared_ptr<SavedList> saved,
                 bool materialize)
        : context_(keep_alive(context.ptr())),
          name_(std::move(name)),
          saved_(std::move(saved)),
          materialize_(materialize) {}

    Tensors apply(Tensors grads) override {
        if (saved_->released) fail_released();
        nb::list args;
        for (size_t i = 0; i < grads.size(); ++i) {
            if (!grads[i].defined() && materialize_) grads[i] = engine_ops.zeros(outputs()[i]);
            args.append(nb::steal(wrap(grads[i])));
        }
        nb::object context = nb::borrow(context_.get());
        nb::object result = context.attr("_run_backward")(*args);
        if (!nb::isinstance<nb::tuple>(result) && !nb::isinstance<nb::list>(result))
            result = nb::make_tuple(result);
        return collect(result);
    }
    std::string name() const override { return name_; }
    void release_saved() override {
        saved_->released = !saved_->saved.empty();
        for (Saved& s : saved_->saved) s.release();
    }

  private:
    Tensors collect(nb::handle result) {
        size_t n = nb::len(result);
        bool extra_none = true;  // more values than inputs are legal if they are None
        for (size_t i = edges().size(); i < n; ++i) extra_none &= result[i].is_none();
        check<RuntimeError>(n == edges().size() || (n > edges().size() && extra_none), "function ",
                            name_, " returned an incorrect number of gradients (expected ",
                            edges().size(), ", got ", n, ")");
        Tensors out(edges().size());
        for (size_t i = 0; i < out.size(); ++i) {
            nb::object item = result[i];
            if (item.is_none()) continue;
            check<TypeError>(is_tensor(item.ptr()), "function ", name_,
                             ": expected Tensors or None as "
                             "gradients, got ",
                             Py_TYPE(item.ptr())->tp_name, " for input ", i);
            out[i] = unwrap(item.ptr());
        }
        return out;
    }

    std::shared_ptr<PyObject> context_;
    std::string name_;
    std::shared_ptr<SavedList> saved_;
    bool materialize_;
};

bool contains(const Tensors& list, const Tensor& t) {
    for (const Tensor& x : list)
        if (x.is(t)) return true;
    return false;
}

/// Ties what forward returned to a new node. Returns the outputs, replaced where they were inputs.
nb::list finish(nb::object context, std::string name, nb::list inputs, const Tensors& outputs,
                const Tensors& to_save, const Tensors& dirty, const Tensors& constant,
                bool materialize, bool recorded) {
    auto saved = std::make_shared<SavedList>();
    nb::list result;
    Tensors given;  // one per input; undefined for what is no tensor
    for (nb::handle h : inputs) given.push_back(is_tensor(h.ptr()) ? unwrap(h.ptr()) : Tensor());
    for (const Tensor& t : dirty) {
        check<RuntimeError>(contains(outputs, t) || !recorded, name,
                            ": a tensor marked dirty must be returned");
        GradMode on(recorded);
        check_inplace(t, name.c_str());
        t.bump_version();
    }
    Ref<FunctionNode> node;
    if (recorded) {
        node = make_ref<FunctionNode>(context, name, saved, materialize);
        for (const Tensor& t : given)
            node->edges().push_back(t.defined() ? gradient_edge(t) : Edge());
    }
    Tensors finished;
    for (size_t i = 0; i < outputs.size(); ++i) {
        Tensor out = outputs[i];
        bool is_dirty = contains(dirty, out);
        if (recorded) node->outputs().push_back({Dims(out.sizes()), out.dtype(), out.device()});
        if (!is_dirty && contains(given, out)) out = detach(out);  // an input returned as it is
        if (recorded && !contains(constant, outputs[i]) && is_differentiable(out.dtype())) {
            if (is_dirty && out.body()->base) {
                rebase_history(out, node);
            } else {
                out.body()->base =
                    nullptr;  // a view made inside forward is a result of the function
                Variable& v = variable(out);
                v.grad_fn = node;
                v.slot = static_cast<uint32_t>(i);
                out.body()->requires_grad = true;
            }
        }
        finished.push_back(out);
        result.append(nb::steal(wrap(out)));
    }
    for (const Tensor& t : to_save) {
        Tensor kept = t;
        bool is_output = false;
        for (size_t i = 0; i < outputs.size(); ++i)
            if (t.defined() && outputs[i].is(t)) {
                is_output = recorded && !contains(given, t);
                if (is_output) kept = finished[i];
            }
        saved->saved.emplace_back(kept, is_output);
    }
    context.attr("_saved") = saved;
    return result;
}

}  // namespace

void bind_function(nb::module_& m) {
    nb::class_<SavedList>(m, "SavedList").def("unpack", &SavedList::unpack);
    m.def("_finish_function", finish);
}

}  // namespace kagari
