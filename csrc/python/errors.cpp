// Which Python class each C++ error becomes.
#include "python/errors.h"

#include <nanobind/nanobind.h>

#include <new>

#include "ops/output.h"
#include "python/bindings.h"

namespace kagari {

static PyObject *out_of_memory, *linalg_error;

PythonError::PythonError() : Error("Python exception") { PyErr_Fetch(&type_, &value_, &trace_); }

PythonError::~PythonError() {
    PyGILState_STATE state = PyGILState_Ensure();
    Py_XDECREF(type_);
    Py_XDECREF(value_);
    Py_XDECREF(trace_);
    PyGILState_Release(state);
}

void PythonError::restore() const {
    PyErr_Restore(Py_XNewRef(type_), Py_XNewRef(value_), Py_XNewRef(trace_));
}

void set_python_error() {
    try {
        throw;
    } catch (const PythonError& e) {
        e.restore();
    } catch (const OutOfMemory& e) {
        PyErr_SetString(out_of_memory, e.what());
    } catch (const LinAlgError& e) {
        PyErr_SetString(linalg_error, e.what());
    } catch (const IndexError& e) {
        PyErr_SetString(PyExc_IndexError, e.what());
    } catch (const TypeError& e) {
        PyErr_SetString(PyExc_TypeError, e.what());
    } catch (const ValueError& e) {
        PyErr_SetString(PyExc_ValueError, e.what());
    } catch (const NotImplementedError& e) {
        PyErr_SetString(PyExc_NotImplementedError, e.what());
    } catch (const ZeroDivisionError& e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
    } catch (nanobind::python_error& e) {
        e.restore();
    } catch (const std::bad_alloc&) {
        PyErr_SetString(out_of_memory, "out of memory");
    } catch (const std::exception& e) {
        PyErr_SetString(PyExc_RuntimeError, e.what());
    }
}

std::shared_ptr<PyObject> keep_alive(PyObject* borrowed) {
    return std::shared_ptr<PyObject>(Py_NewRef(borrowed), [](PyObject* o) {
        if (!Py_IsInitialized()) return;
        PyGILState_STATE state = PyGILState_Ensure();
        Py_DECREF(o);
        PyGILState_Release(state);
    });
}

void bind_errors(nanobind::module_& m) {
    out_of_memory = PyErr_NewExceptionWithDoc(
        "kagari.OutOfMemoryError",
        "More memory was asked for than there is, or than the limit allows.", PyExc_RuntimeError,
        nullptr);
    linalg_error = PyErr_NewExceptionWithDoc("kagari.linalg.LinAlgError",
                                             "A matrix for which the operation has no result.",
                                             PyExc_RuntimeError, nullptr);
    m.attr("OutOfMemoryError") = nanobind::handle(out_of_memory);
    m.attr("LinAlgError") = nanobind::handle(linalg_error);
    nanobind::register_exception_translator([](const std::exception_ptr& p, void*) {
        try {
            std::rethrow_exception(p);
        } catch (const Error&) {
            set_python_error();
        }
    });
    warn = [](const std::string& message) {
        if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1) < 0) throw PythonError();
    };
}

}  // namespace kagari
