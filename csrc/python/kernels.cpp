// The way from the core to the run-time kernel compiler (src/kagari/kernels/), and ops defined at
// run time.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <deque>

#include "ops/pointwise/pointwise_front.h"
#include "python/bindings.h"
#include "python/errors.h"
#include "python/op_function.h"
#include "python/tensor_type.h"

namespace nb = nanobind;

namespace kagari {
namespace {

/// Strings that specs point to; they live as long as the process.
const char* intern(const std::string& text) {
    static auto* texts = new std::deque<std::string>;
    return texts->emplace_back(text).c_str();
}

Derivative derivative_from(nb::handle d) {
    Derivative out;
    auto rule = nb::cast<std::string>(d["rule"]);
    out.rule = rule == "Op"         ? Derivative::Op
               : rule == "Identity" ? Derivative::Identity
               : rule == "Zero"     ? Derivative::Zero
               : rule == "Missing"  ? Derivative::Missing
                                    : Derivative::None;
    if (!nb::object(d["op"]).is_none()) out.op = intern(nb::cast<std::string>(d["op"]));
    out.uses = nb::cast<uint32_t>(d["uses"]);
    return out;
}

/// A row from the compiler's description of it (table.fields).
void add_row_from(nb::handle row) {
    static auto* specs = new std::deque<PointwiseSpec>;
    PointwiseSpec& spec = specs->emplace_back();
    auto kinds = nb::cast<std::string>(row["kinds"]);
    auto promote = nb::cast<std::string>(row["promote"]);
    check<ValueError>(kinds.size() <= kMaxOperands, "pointwise: at most ", kMaxOperands,
                      " operands, got ", kinds.size());
    spec.name = intern(nb::cast<std::string>(row["name"]));
    spec.operands = static_cast<uint8_t>(kinds.size());
    spec.promote = promote == "float"    ? Promote::Float
                   : promote == "bool"   ? Promote::Bool
                   : promote == "number" ? Promote::Number
                   : promote == "equal"  ? Promote::Equal
                                         : Promote::Same;
    spec.result = nb::cast<std::string>(row["result"])[0];
    std::copy(kinds.begin(), kinds.end(), spec.kinds);
    spec.dtypes = nb::cast<uint16_t>(row["dtypes"]);
    size_t i = 0;
    for (nb::handle d : row["derivatives"]) spec.derivatives[i++] = derivative_from(d);
    nb::object grad_name = row["grad_name"];
    if (!grad_name.is_none()) spec.grad_name = intern(nb::cast<std::string>(grad_name));
    spec.meaningless = nb::cast<uint16_t>(row["meaningless"]);
    spec.remedy = intern(nb::cast<std::string>(row["remedy"]));
    spec.exact_out = nb::cast<bool>(row["exact_out"]);
    add_row(spec);
}

nb::object compiler() { return nb::module_::import_("kagari.kernels.runtime"); }

KernelFn provide(const std::string& name) {
    nb::gil_scoped_acquire lock;
    try {
        return reinterpret_cast<KernelFn>(nb::cast<uintptr_t>(compiler().attr("provide")(name)));
    } catch (nb::python_error& e) {
        e.restore();
        throw PythonError();
    }
}

bool provide_row(const std::string& name) {
    nb::gil_scoped_acquire lock;
    try {
        add_row_from(compiler().attr("row")(name));
        return true;
    } catch (nb::python_error& e) {
        if (e.matches(PyExc_KeyError)) return false;
        e.restore();
        throw PythonError();
    }
}

/// A public op of a new definition: `rows` as table.fields gives them, `variants` as (present,
/// mode, row name). Its callable also becomes a method where the flags say so.
nb::object add_op(const std::string& schema, const std::string& flags, const std::string& doc,
                  nb::list rows, nb::list variants) {
    static auto* variant_lists = new std::deque<std::vector<PointwiseVariant>>;
    static auto* ops = new std::deque<PointwiseOp>;
    for (nb::handle row : rows) add_row_from(row);
    auto& list = variant_lists->emplace_back();
    for (nb::handle v : variants) {
        nb::object mode = v[1];
        list.push_back({nb::cast<uint32_t>(v[0]),
                        mode.is_none() ? nullptr : intern(nb::cast<std::string>(mode)),
                        intern(nb::cast<std::string>(v[2]))});
    }
    list.push_back({0, nullptr, nullptr});
    const auto& op =
        ops->emplace_back(PointwiseOp{intern(schema), intern(flags), intern(doc), list.data()});
    const PointwiseFront& front = add_pointwise_op(op);
    std::string name(front.name());
    PyRef f(make_op_function(name, {&front}, false));
    auto* type = reinterpret_cast<PyObject*>(tensor_type);
    if (front.flag('m')) checked(PyObject_SetAttrString(type, name.c_str(), f.get()));
    if (front.flag('i')) {
        PyRef inplace(make_op_function(name + "_", {&front}, true));
        checked(PyObject_SetAttrString(type, (name + "_").c_str(), inplace.get()));
    }
    return nb::steal(f.release());
}

}  // namespace

void bind_kernels(nb::module_& m) {
    kernel_provider = provide;
    row_provider = provide_row;
    m.def("_add_pointwise_op", add_op);
    m.def("cpu_level", cpu_level);
    m.def("_has_kernel",
          [](const std::string& name) { return find_built_kernel(name) != nullptr; });
}

}  // namespace kagari
