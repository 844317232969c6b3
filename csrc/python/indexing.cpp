// `tensor[index]` and `tensor[index] = value`: what a Python index means in terms of the view ops,
// index and index_put_. How elements are found is left to ops/index/index.cpp.
#include "autograd/record.h"
#include "ops/index/gather.h"
#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "python/arguments.h"
#include "python/bindings.h"
#include "python/errors.h"
#include "python/tensor_type.h"
#include "tensor/batch.h"

namespace kagari {

namespace {

/// A tensor narrowed by the parts of an index that are views, and the parts that are tensors, by
/// dimension.
struct Selection {
    Tensor view;
    OptionalTensors indices;
    bool has_indices = false;

    void set(int64_t dim, const Tensor& index) {
        if (indices.size() <= static_cast<size_t>(dim))
            indices.resize(static_cast<size_t>(dim) + 1);
        indices[static_cast<size_t>(dim)] = index;
        has_indices = true;
    }
};

[[noreturn]] void invalid_index(PyObject* o) {
    fail<IndexError>(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables "
        "are valid indices (got ",
        Py_TYPE(o)->tp_name, ")");
}

// ---- integers and slices ----

/// The Python int in `o`, if it is one (a bool is not) or has __index__.
bool is_integer(PyObject* o, int64_t& out) {
    if (PyLong_CheckExact(o)) {
        int overflow;
        out = PyLong_AsLongLongAndOverflow(o, &overflow);
        check<IndexError>(!overflow, "index does not fit in 64 bits");
        return true;
    }
    if (PyBool_Check(o) || is_tensor(o) || PySequence_Check(o)) return false;
    return PyIndex_Check(o) && to_int(o, out);
}

Tensor pick(const Tensor& t, int64_t dim, int64_t index, int64_t shown_dim) {
    check<IndexError>(t.dim() > 0,
                      "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                      "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
    int64_t size = t.sizes()[static_cast<size_t>(dim)];
    check<IndexError>(index >= -size && index < size, "index ", index,
                      " is out of bounds for dimension ", shown_dim, " with size ", size);
    return ops::select(t, dim, index);
}

std::optional<int64_t> slice_bound(PyObject* o) {
    if (o == Py_None) return std::nullopt;
    if (PyLong_CheckExact(o)) {
        int overflow;
        int64_t value = PyLong_AsLongLongAndOverflow(o, &overflow);
        return overflow > 0 ? INT64_MAX : overflow < 0 ? INT64_MIN + 1 : value;
    }
    int64_t value;
    check<TypeError>(to_int(o, value),
                     "slice indices must be integers or None or have an __index__ "
                     "method, got ",
                     Py_TYPE(o)->tp_name);
    return value;
}

Tensor cut(const Tensor& t, int64_t dim, PyObject* o) {
    auto* s = reinterpret_cast<PySliceObject*>(o);
    int64_t step = slice_bound(s->step).value_or(1);
    check<ValueError>(step > 0, "step must be greater than zero, got ", step);
    auto start = slice_bound(s->start), stop = slice_bound(s->stop);
    int64_t size = t.sizes()[static_cast<size_t>(dim)];
    bool whole = step == 1 && start.value_or(0) == 0 && stop.value_or(INT64_MAX) >= size;
    return whole ? t : ops::slice(t, dim, start, stop, step);
}

// ---- everything else ----

/// kagari.tensor(o), with numbers that are not bool or bytes as int64.
Tensor sequence_to_index(PyObject* o) {
    static PyObject* make = [] {
        PyRef module(checked(PyImport_ImportModule("kagari")));
        return checked(PyObject_GetAttrString(module.get(), "tensor"));
    }();
    PyRef made(checked(PyObject_CallOneArg(make, o)));
    const Tensor& t = unwrap(made.get());
    if (t.dtype() == DType::Bool || t.dtype() == DType::U8) return t;
    return ops::raw_contiguous(t, DType::I64);
}

bool is_mask(const Tensor& t) { return t.dtype() == DType::Bool || t.dtype() == DType::U8; }

/// True and False index a new dimension of size 1: with one element, or with none.
Tensor flag_index(bool value) {
    return value ? ops::zeros(Dims{1}, DType::I64) : ops::zeros(Dims{0}, DType::I64);
}

/// How many dimensions the parts of an index use up.
int64_t count_dims(PyObject* const* parts, Py_ssize_t n) {
    int64_t count = 0;
    for (Py_ssize_t i = 0; i < n; ++i) {
        PyObject* o = parts[i];
        if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) continue;
        if (is_tensor(o) && is_mask(unwrap(o)))
            count += unwrap(o).dim();
        else
            ++count;
    }
    return count;
}

/// Applies one part at `dim` of the selection's view, which is dimension `shown` of the tensor the
/// user sees; returns the dimension of the next part.
int64_t apply_part(Selection& s, PyObject* o, int64_t dim, int64_t shown, int64_t rest) {
    int64_t value;
    if (is_integer(o, value)) {
        s.view = pick(s.view, dim, value, shown);
        return dim;
    }
    if (PySlice_Check(o)) {
        s.view = cut(s.view, dim, o);
        return dim + 1;
    }
    if (o == Py_Ellipsis) return dim + rest;
    if (o == Py_None) {
        s.view = ops::unsqueeze(s.view, dim);
        return dim + 1;
    }
    if (PyBool_Check(o)) {
        s.view = ops::unsqueeze(s.view, dim);
        s.set(dim, flag_index(o == Py_True));
        return dim + 1;
    }
    if (!is_tensor(o) && !PySequence_Check(o) && !PyObject_HasAttrString(o, "__array__"))
        invalid_index(o);
    Tensor index = is_tensor(o) ? unwrap(o) : sequence_to_index(o);
    bool one = index.dim() == 0 && is_integral(index.dtype()) && !is_mask(index);
    if (one && !index.is_meta() && !batch_of(index)) {
        s.view = pick(s.view, dim, ops::item(index).to<int64_t>(), shown);
        return dim;
    }
    if (index.dim() == 0 && is_mask(index)) {
        s.view = ops::unsqueeze(s.view, dim);
        s.set(dim, flag_index(ops::item(index).to<bool>()));
        return dim + 1;
    }
    s.set(dim, index);
    return dim + (is_mask(index) ? index.dim() : 1);
}

/// Masks of several dimensions stand for as many entries: one defined, the others left out.
OptionalTensors without_mask_gaps(const Selection& s) {
    OptionalTensors out;
    for (size_t d = 0; d < s.indices.size(); ++d) {
        out.push_back(s.indices[d]);
        if (s.indices[d] && is_mask(*s.indices[d]))
            d += static_cast<size_t>(std::max<int64_t>(s.indices[d]->dim(), 1)) - 1;
    }
    return out;
}

Selection select_parts(const Tensor& self, PyObject* const* parts, Py_ssize_t n) {
    int64_t used = count_dims(parts, n);
    check<IndexError>(used <= self.dim(), "too many indices for tensor of dimension ", self.dim());
    Selection s{self, {}, false};
    int64_t dim = 0, shown = 0, rest = self.dim() - used;
    for (Py_ssize_t i = 0; i < n; ++i) {
        dim = apply_part(s, parts[i], dim, shown, rest);
        shown += parts[i] == Py_Ellipsis ? std::exchange(rest, 0) : count_dims(parts + i, 1);
    }
    if (s.has_indices) s.indices = without_mask_gaps(s);
    return s;
}

/// A list stands for a tuple if it holds anything that is no plain number.
bool stands_for_tuple(PyObject* o) {
    if (PyTuple_Check(o)) return true;
    if (!PyList_Check(o)) return false;
    Py_ssize_t n = PyList_GET_SIZE(o);
    if (n >= 32) return false;
    for (Py_ssize_t i = 0; i < n; ++i) {
        PyObject* item = PyList_GET_ITEM(o, i);
        if (is_tensor(item) || PySlice_Check(item) || item == Py_Ellipsis || item == Py_None ||
            (PySequence_Check(item) && !PyUnicode_Check(item)))
            return true;
    }
    return false;
}

Selection parse(const Tensor& self, PyObject* index) {
    if (stands_for_tuple(index))
        return select_parts(self, PySequence_Fast_ITEMS(index), PySequence_Fast_GET_SIZE(index));
    return select_parts(self, &index, 1);
}

// ---- reading ----

Tensor get(const Tensor& self, PyObject* index) {
    Selection s = parse(self, index);
    if (s.has_indices) return ops::index(s.view, s.indices);
    return s.view.is(self) ? ops::alias(self) : s.view;
}

// ---- writing ----

/// Leading dimensions of size 1 that the target does not have are dropped.
Tensor drop_leading(const Tensor& value, int64_t rank) {
    Dims sizes(value.sizes());
    while (static_cast<int64_t>(sizes.size()) > rank && !sizes.empty() && sizes[0] == 1)
        sizes.erase(0);
    return sizes.size() == value.sizes().size() ? value : ops::reshape(value, sizes);
}

Tensor to_value_tensor(const Tensor& self, PyObject* o) {
    if (is_tensor(o)) return unwrap(o);
    Scalar number;
    if (to_scalar(o, number)) return ops::scalar_tensor(number, self.dtype(), self.device());
    fail<TypeError>("can't assign a ", Py_TYPE(o)->tp_name, " to a tensor of ", self.dtype());
}

/// target[mask] = number, without looking for the places where the mask is true.
bool fill_masked(const Selection& s, const Tensor& value) {
    if (s.indices.size() != 1 || !s.indices[0] || value.dim() != 0) return false;
    Tensor mask = *s.indices[0];
    if (mask.dtype() != DType::Bool || mask.dim() > s.view.dim()) return false;
    for (int64_t d = 0; d < mask.dim(); ++d)
        if (mask.size(d) != s.view.size(d)) return false;
    while (mask.dim() < s.view.dim()) mask = ops::unsqueeze(mask, -1);
    ops::masked_fill_(s.view, mask, Value(value));
    return true;
}

void set(const Tensor& self, PyObject* index, PyObject* given) {
    Tensor value = to_value_tensor(self, given);
    Selection s = parse(self, index);
    if (!s.has_indices) {
        ops::copy_(s.view, drop_leading(value, s.view.dim()), false);
        return;
    }
    if (value.dim() == 0 && value.dtype() != s.view.dtype()) value = ops::to(value, s.view.dtype());
    if (fill_masked(s, value)) return;
    ops::index_put_(s.view, s.indices, drop_leading(value, 0), false);
}

PyObject* get_item(PyObject* self, PyObject* index) {
    try {
        const Tensor& t = unwrap(self);
        if (PyLong_CheckExact(index) && is_exact_tensor(self)) {
            int64_t at = 0;
            is_integer(index, at);
            return wrap(pick(t, 0, at, 0));
        }
        if (has_override(self)) {
            static PyObject* function =
                PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "__getitem__");
            PyObject* args[] = {self, index};
            return call_override(function, args, 2, nullptr);
        }
        return wrap(get(t, index));
    } catch (...) {
        set_python_error();
        return nullptr;
    }
}

int set_item(PyObject* self, PyObject* index, PyObject* value) {
    try {
        if (has_override(self)) {
            static PyObject* function =
                PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "__setitem__");
            PyObject* args[] = {self, index, value};
            PyRef result(checked(call_override(function, args, 3, nullptr)));
            return 0;
        }
        set(unwrap(self), index, value);
        return 0;
    } catch (...) {
        set_python_error();
        return -1;
    }
}

}  // namespace

static const bool installed = [] {
    indexing_hooks.get = get_item;
    indexing_hooks.set = set_item;
    return true;
}();

}  // namespace kagari
