// The switch of __torch_function__, and the implementation that switches it off for a class. The
// protocol itself is in arguments.cpp and src/kagari/overrides.py.
#include <nanobind/nanobind.h>

#include "python/arguments.h"
#include "python/bindings.h"
#include "python/errors.h"

namespace nb = nanobind;

namespace kagari {

thread_local bool overrides_enabled = true;

/// Calls the function as if no class overrode it.
static nb::object call_plainly(nb::handle function, nb::handle, nb::tuple args, nb::handle kwargs) {
    struct Off {
        bool before = std::exchange(overrides_enabled, false);
        ~Off() { overrides_enabled = before; }
    } off;
    PyObject* keywords = kwargs.is_none() ? nullptr : kwargs.ptr();
    return nb::steal(checked(PyObject_Call(function.ptr(), args.ptr(), keywords)));
}

void bind_overrides(nb::module_& m) {
    m.def("_disabled_torch_function_impl", call_plainly, nb::arg("func"), nb::arg("types"),
          nb::arg("args") = nb::tuple(), nb::arg("kwargs").none() = nb::none());
    m.def("_set_overrides", [](bool on) { return std::exchange(overrides_enabled, on); });
    m.def("_overrides_enabled", [] { return overrides_enabled; });
    m.def("_has_override", [](nb::handle o) { return has_override(o.ptr()); }, nb::arg().none());
}

}  // namespace kagari
