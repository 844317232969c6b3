// The Python type of random generators, and the default one.
#include <nanobind/stl/string.h>

#include "ops/movement/copy.h"
#include "python/arguments.h"
#include "python/bindings.h"
#include "python/caster.h"
#include "runtime/generator.h"

namespace nb = nanobind;

namespace kagari {

namespace {

/// What Python holds: one reference to a generator.
struct PyGenerator {
    Ref<Generator> generator;
};

/// Seeds may be negative: -1 is the largest seed.
uint64_t seed_of(const nb::int_& seed) {
    int overflow;
    int64_t value = PyLong_AsLongLongAndOverflow(seed.ptr(), &overflow);
    if (!overflow) return static_cast<uint64_t>(value);
    uint64_t large = overflow > 0 ? PyLong_AsUnsignedLongLong(seed.ptr()) : 0;
    if (PyErr_Occurred() || overflow < 0) {
        PyErr_Clear();
        fail<RuntimeError>(
            "manual_seed: expected a seed in [-2^63, 2^64), got a larger number. "
            "Overflow when unpacking long");
    }
    return large;
}

Tensor get_state(const PyGenerator& self) {
    std::vector<uint8_t> bytes = self.generator->get_state();
    Tensor state = empty(Dims{static_cast<int64_t>(bytes.size())}, DType::U8);
    std::copy(bytes.begin(), bytes.end(), state.data<uint8_t>());
    return state;
}

void set_state(const PyGenerator& self, const Tensor& state) {
    check<TypeError>(state.defined() && state.dtype() == DType::U8 && state.device() == kCPU,
                     "expected a torch.ByteTensor on CPU as generator state");
    Tensor bytes = ops::raw_contiguous(state);
    self.generator->set_state({bytes.data<uint8_t>(), bytes.data<uint8_t>() + bytes.numel()});
}

PyGenerator construct(const std::string& device) {
    Device where = parse_device(device);
    check(where.kind == DeviceKind::CPU, "Device type ", where,
          " is not supported for torch.Generator() api.");
    return {Ref<Generator>(new MersenneTwister)};
}

bool from_python(PyObject* o, Ref<Generator>& out) {
    if (!nb::isinstance<PyGenerator>(o)) return false;
    out = nb::cast<PyGenerator&>(nb::handle(o)).generator;
    return true;
}

PyObject* to_python_object(Ref<Generator> g) {
    return nb::cast(PyGenerator{std::move(g)}).release().ptr();
}

}  // namespace

void bind_generator(nb::module_& m) {
    nb::class_<PyGenerator>(m, "Generator", "A stream of random numbers with a state.")
        .def(
            "__init__",
            [](PyGenerator* self, const std::string& device) {
                new (self) PyGenerator(construct(device));
            },
            nb::arg("device") = "cpu")
        .def(
            "manual_seed",
            [](nb::object self, const nb::int_& seed) {
                nb::cast<PyGenerator&>(self).generator->manual_seed(seed_of(seed));
                return self;
            },
            nb::arg("seed"), "Sets the seed and returns the generator.")
        .def(
            "seed", [](PyGenerator& self) { return self.generator->seed(); },
            "Seeds from the operating system and returns the seed.")
        .def("initial_seed", [](PyGenerator& self) { return self.generator->initial_seed(); })
        .def("get_state", get_state, "The state as bytes, in PyTorch's layout.")
        .def("set_state", set_state, nb::arg("new_state"))
        .def("clone_state", [](PyGenerator& self) { return PyGenerator{self.generator->clone()}; })
        .def_prop_ro(
            "device",
            [](PyGenerator&) { return nb::module_::import_("kagari").attr("device")("cpu"); })
        .def("__getstate__", get_state)
        .def("__setstate__", [](PyGenerator& self, const Tensor& state) {
            new (&self) PyGenerator{Ref<Generator>(new MersenneTwister)};
            set_state(self, state);
        });
    m.def(
        "_philox",
        [](uint64_t seed, uint64_t stream) {
            return PyGenerator{Ref<Generator>(new Philox(seed, stream))};
        },
        nb::arg("seed"), nb::arg("stream") = 0,
        "A generator of its own stream: the same seed and another stream give other numbers.");
    m.attr("default_generator") = nb::cast(PyGenerator{default_generator()});
    unwrap_generator = from_python;
    wrap_generator = to_python_object;
}

}  // namespace kagari
