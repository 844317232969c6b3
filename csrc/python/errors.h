// C++ errors as Python exceptions and back.
#pragma once
#include <Python.h>

#include <memory>
#include <utility>

#include "tensor/error.h"

namespace kagari {

/// A Python exception on its way through C++.
class PythonError final : public Error {
  public:
    PythonError();  // takes the pending exception over; holds the interpreter's lock
    ~PythonError() override;
    PythonError(const PythonError&) = delete;
    void restore() const;  // makes it pending again

  private:
    PyObject *type_ = nullptr, *value_ = nullptr, *trace_ = nullptr;
};

/// Sets the Python exception for the C++ exception being handled. Call inside a catch block.
void set_python_error();
/// Throws PythonError if `o` is null.
inline PyObject* checked(PyObject* o) {
    if (!o) [[unlikely]]
        throw PythonError();
    return o;
}
inline void checked(int status) {
    if (status < 0) throw PythonError();
}

/// Runs `f` for Python: a C++ error becomes the pending Python exception and a null result.
template <class F>
auto guarded(F&& f) -> decltype(f()) {
    try {
        return f();
    } catch (...) {
        set_python_error();
        if constexpr (std::is_pointer_v<decltype(f())>)
            return nullptr;
        else
            return -1;
    }
}

/// An owned reference.
class PyRef {
  public:
    PyRef() = default;
    explicit PyRef(PyObject* owned) : o_(owned) {}
    PyRef(PyRef&& o) noexcept : o_(std::exchange(o.o_, nullptr)) {}
    PyRef& operator=(PyRef&& o) noexcept {
        std::swap(o_, o.o_);
        return *this;
    }
    ~PyRef() { Py_XDECREF(o_); }
    static PyRef borrow(PyObject* o) { return PyRef(Py_XNewRef(o)); }
    PyObject* get() const { return o_; }
    PyObject* release() { return std::exchange(o_, nullptr); }
    explicit operator bool() const { return o_ != nullptr; }

  private:
    PyObject* o_ = nullptr;
};

/// A Python object that C++ keeps beyond a call: released under the interpreter's lock.
std::shared_ptr<PyObject> keep_alive(PyObject* borrowed);

}  // namespace kagari
