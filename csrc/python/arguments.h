// Python arguments as boxed values, guided by an op's signature.
#pragma once
#include <Python.h>

#include "ops/op.h"

namespace kagari {

/// A Python number: bool, int, float, complex or a NumPy scalar. False for anything else.
bool to_scalar(PyObject* o, Scalar& out);
/// A Python integer (not a bool), anything with __index__, or an integer tensor of one element.
bool to_int(PyObject* o, int64_t& out);

enum class Match : uint8_t { Yes, No, Override };

/// Converts `o` to the type of `param`. Override: an argument's class has its own
/// __torch_function__, which is to be called instead of the op.
Match to_value(PyObject* o, const Param& param, Value& out);

/// Arguments of a call, matched to a signature. `out` is what was passed as out=, borrowed.
struct Parsed {
    Values values;
    PyObject* out = nullptr;
    bool override_found = false;
    std::string problem;  // why they did not match
};
bool parse_arguments(const OpRecord& op, PyObject* const* args, size_t count, PyObject* names,
                     Parsed& parsed);

/// Off while an override runs the plain op, or by the user's wish.
extern thread_local bool overrides_enabled;
/// Has the class of `o` a __torch_function__? (Tensor itself and classes that switch it off have
/// none.)
bool has_override(PyObject* o);
/// Calls the overriding __torch_function__ of one of the arguments. New reference.
PyObject* call_override(PyObject* function, PyObject* const* args, size_t count, PyObject* names);

/// A boxed value as a Python object. New reference.
PyObject* to_python(Value v);

/// Set by generator.cpp: the generator that a Python object stands for, and the way back.
extern bool (*unwrap_generator)(PyObject* o, Ref<Generator>& out);
extern PyObject* (*wrap_generator)(Ref<Generator> g);

}  // namespace kagari
