// Where the shared libraries lie: asked of kagari._libraries when one is first needed.
#include "runtime/libraries.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "python/bindings.h"

namespace nb = nanobind;

namespace kagari {

void bind_libraries(nb::module_& m) {
    set_library_finder([](const std::string& name) {
        nb::gil_scoped_acquire lock;
        return nb::cast<std::string>(nb::module_::import_("kagari._libraries").attr("find")(name));
    });
    m.def(
        "set_library_path",
        [](const std::string& name, const std::string& path) { set_library_path(name, path); },
        nb::arg("name"), nb::arg("path"),
        "Names the file of a library ('onednn', 'openblas') before it is first used.");
}

}  // namespace kagari
