// View ops that show a part of a tensor: slices, diagonals, sliding windows, pieces; and views that
// reinterpret (real and complex, detached).
#include "ops/movement/view_record.h"
#include "ops/movement/views.h"

namespace kagari::ops {

static Tensor select_body(const Tensor& t, int64_t dim, int64_t index) {
    check<IndexError>(t.dim() > 0, "select: select() cannot be applied to a 0-dim tensor.");
    dim = wrap_dim(dim, t.dim(), "select");
    int64_t size = t.sizes()[dim];
    check<IndexError>(index >= -size && index < size, "select: index ", index,
                      " is out of bounds for dimension ", dim, " with size ", size);
    if (index < 0) index += size;
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t offset = t.offset() + index * strides[dim];
    sizes.erase(dim);
    strides.erase(dim);
    return make_view(
        t, sizes, strides, offset, "SelectBackward0",
        [old = t.body()->sizes, dim, index](const Tensor& g) {
            return embed(g, old, [dim, index](const Tensor& z) { return select(z, dim, index); });
        });
}
const Op<Tensor(const Tensor&, int64_t, int64_t)> select{
    "select(Tensor input, int dim, int index) -> Tensor", "fm", select_body,
    "The view at one index of a dimension, which goes away."};

/// `stride * step`; a step so large that this overflows shows one element, and is never taken.
static int64_t window_stride(int64_t stride, int64_t step) {
    int64_t product;
    return __builtin_mul_overflow(stride, step, &product) ? 0 : product;
}

static Tensor slice_body(const Tensor& t, int64_t dim, std::optional<int64_t> first,
                         std::optional<int64_t> last, int64_t step) {
    check<RuntimeError>(t.dim() > 0, "slice: slice() cannot be applied to a 0-dim tensor.");
    dim = wrap_dim(dim, t.dim(), "slice");
    check<ValueError>(step > 0, "slice: step must be greater than zero, got ", step);
    int64_t size = t.sizes()[dim];
    auto clamp = [size](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + size : i, 0, size); };
    int64_t start = clamp(first.value_or(0));
    int64_t end = std::max(start, clamp(last.value_or(INT64_MAX)));
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t offset = t.offset() + (start < size ? start * strides[dim] : 0);
    sizes[dim] = end == start ? 0 : (end - start - 1) / step + 1;
    strides[dim] = window_stride(strides[dim], step);
    return make_view(
        t, sizes, strides, offset, "SliceBackward0",
        [old = t.body()->sizes, dim, start, end, step](const Tensor& g) {
            return embed(g, old, [=](const Tensor& z) { return slice(z, dim, start, end, step); });
        });
}
const Op<Tensor(const Tensor&, int64_t, std::optional<int64_t>, std::optional<int64_t>, int64_t)>
    slice{"_slice(Tensor input, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
          "p", slice_body, ""};

static Tensor narrow_body(const Tensor& t, int64_t dim, int64_t start, int64_t length) {
    check<RuntimeError>(t.dim() > 0, "narrow: narrow() cannot be applied to a 0-dim tensor.");
    check<RuntimeError>(length >= 0, "narrow: narrow(): length must be non-negative, got ", length);
    int64_t size = t.size(dim);
    check<IndexError>(start >= -size && start <= size,
                      "narrow: start out of range (expected to be in "
                      "range of [",
                      -size, ", ", size, "], but got ", start, ")");
    if (start < 0) start += size;
    check<RuntimeError>(start <= size - length, "narrow: start (", start, ") + length (", length,
                        ") exceeds dimension size (", size, ").");
    return slice(t, dim, start, start + length, 1);
}
const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> narrow{
    "_narrow(Tensor input, int dim, int start, int length) -> Tensor", "p", narrow_body, ""};

static Tensor as_strided_body(const Tensor& t, IntSpan sizes, IntSpan strides,
                              std::optional<int64_t> offset) {
    int64_t at = offset.value_or(t.offset());
    check_in_storage(t, sizes, strides, at, "as_strided");
    Dims new_sizes(sizes), new_strides(strides);
    Dims old_sizes(t.sizes()), old_strides(t.strides());
    int64_t old_offset = t.offset();
    return make_view(t, sizes, strides, at, "AsStridedBackward0", [=](const Tensor& g) {
        return as_strided_backward(g, old_sizes, old_strides, old_offset, new_sizes, new_strides,
                                   at);
    });
}
const Op<Tensor(const Tensor&, IntSpan, IntSpan, std::optional<int64_t>)> as_strided{
    "as_strided(Tensor input, int[] size, int[] stride, int? storage_offset=None) -> Tensor", "fm",
    as_strided_body, "A view with any sizes, strides and offset that stay inside the storage."};

static Tensor diagonal_body(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2) {
    dim1 = wrap_dim(dim1, t.dim(), "diagonal");
    dim2 = wrap_dim(dim2, t.dim(), "diagonal");
    check<RuntimeError>(dim1 != dim2, "diagonal: diagonal dimensions cannot be identical ", dim1,
                        ", ", dim2);
    int64_t rows = t.size(dim1), cols = t.size(dim2);
    offset = std::clamp(offset, -rows, cols);
    int64_t length = std::max<int64_t>(offset >= 0 ? std::min(rows, cols - std::min(offset, cols))
                                                   : std::min(rows + std::max(offset, -rows), cols),
                                       0);
    int64_t at = t.offset();
    if (length > 0) at += offset >= 0 ? offset * t.stride(dim2) : -offset * t.stride(dim1);
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t stride = strides[dim1] + strides[dim2];
    for (int64_t d : {std::max(dim1, dim2), std::min(dim1, dim2)}) {
        sizes.erase(d);
        strides.erase(d);
    }
    sizes.push_back(length);
    strides.push_back(stride);
    return make_view(
        t, sizes, strides, at, "DiagonalBackward0",
        [old = t.body()->sizes, offset, dim1, dim2](const Tensor& g) {
            return embed(g, old, [=](const Tensor& z) { return diagonal(z, offset, dim1, dim2); });
        });
}
const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> diagonal{
    "diagonal(Tensor input, int offset=0, int dim1=0, int dim2=1) -> Tensor", "fm", diagonal_body,
    "The diagonal of two dimensions as the last dimension of a view."};

static Tensor unfold_body(const Tensor& t, int64_t dim, int64_t size, int64_t step) {
    dim = wrap_dim(dim, t.dim(), "unfold");
    int64_t length = t.dim() ? t.sizes()[dim] : 1;
    check<RuntimeError>(size >= 0 && size <= length,
                        "unfold: maximum size for tensor at dimension ", dim, " is ", length,
                        " but size is ", size);
    check<RuntimeError>(step > 0, "unfold: step is ", step, " but must be > 0");
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t stride = t.dim() ? strides[dim] : 1;
    if (t.dim()) {
        sizes[dim] = (length - size) / step + 1;
        strides[dim] = window_stride(stride, step);
    }
    sizes.push_back(size);
    strides.push_back(stride);
    Dims old_sizes(t.sizes()), plain = contiguous_strides(t.sizes());
    return make_view(t, sizes, strides, t.offset(), "UnfoldBackward0", [=](const Tensor& g) {
        Dims on_plain(g.sizes().size());
        for (size_t i = 0; i + 1 < on_plain.size(); ++i) on_plain[i] = plain[i];
        if (!plain.empty()) on_plain[dim] = window_stride(plain[dim], step);
        on_plain.back() = plain.empty() ? 1 : plain[dim];
        return as_strided_backward(g, old_sizes, plain, 0, g.sizes(), on_plain, 0);
    });
}
const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> unfold{
    "unfold(Tensor input, int dimension, int size, int step) -> Tensor", "m", unfold_body,
    "Sliding windows of a dimension as a new last dimension; a view."};

/// Views made together: none may be written to while recording, as the others would not know.
static Tensors pieces(const Tensor& t, IntSpan sizes, int64_t dim) {
    Tensors out;
    out.reserve(sizes.size());
    int64_t start = 0;
    for (int64_t size : sizes) {
        out.push_back(slice(t, dim, start, start + size, 1));
        start += size;
    }
    return out;
}

static Tensors split_with_sizes_body(const Tensor& t, IntSpan sizes, int64_t dim) {
    check<RuntimeError>(t.dim() > 0,
                        "split_with_sizes: split expects at least a 1-dimensional tensor");
    dim = wrap_dim(dim, t.dim(), "split_with_sizes");
    int64_t total = 0, length = t.sizes()[dim];
    bool fits = true;
    for (int64_t s : sizes) {
        check<RuntimeError>(s >= 0,
                            "split_with_sizes: expects split_sizes have only non-negative "
                            "entries, but got split_sizes=",
                            sizes);
        fits = fits && s <= length - total;
        if (fits) total += s;
    }
    check<RuntimeError>(fits && total == length,
                        "split_with_sizes: expects split_sizes to sum exactly "
                        "to ",
                        length, " (input tensor's size at dimension ", dim,
                        "), but got split_sizes=", sizes);
    return pieces(t, sizes, dim);
}
const Op<Tensors(const Tensor&, IntSpan, int64_t)> split_with_sizes{
    "split_with_sizes(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]", "fm",
    split_with_sizes_body, "Views of consecutive pieces of the given sizes along dim."};

static Tensors chunk_body(const Tensor& t, int64_t chunks, int64_t dim) {
    check<RuntimeError>(t.dim() > 0, "chunk: chunk expects at least a 1-dimensional tensor");
    check<RuntimeError>(chunks > 0,
                        "chunk: chunk expects `chunks` to be greater than 0, got: ", chunks);
    dim = wrap_dim(dim, t.dim(), "chunk");
    int64_t length = t.sizes()[dim], size = length / chunks + (length % chunks != 0);
    Dims sizes;
    if (size == 0) sizes = Dims(static_cast<size_t>(chunks), 0);
    for (int64_t left = length; left > 0; left -= size) sizes.push_back(std::min(size, left));
    return pieces(t, sizes, dim);
}
const Op<Tensors(const Tensor&, int64_t, int64_t)> chunk{
    "chunk(Tensor input, int chunks, int dim=0) -> Tensor[]", "fm", chunk_body,
    "At most `chunks` views of equal size along dim; the last may be smaller."};

static Tensors unbind_body(const Tensor& t, int64_t dim) {
    check<IndexError>(t.dim() > 0, "unbind: Dimension specified as ", dim,
                      " but tensor has no dimensions");
    dim = wrap_dim(dim, t.dim(), "unbind");
    Tensors out;
    out.reserve(t.sizes()[dim]);
    for (int64_t i = 0; i < t.sizes()[dim]; ++i) out.push_back(select(t, dim, i));
    return out;
}
const Op<Tensors(const Tensor&, int64_t)> unbind{"unbind(Tensor input, int dim=0) -> Tensor[]",
                                                 "fm", unbind_body,
                                                 "A view for every index of dim."};

static Tensor view_as_real_body(const Tensor& t) {
    check<RuntimeError>(is_complex(t.dtype()),
                        "view_as_real: view_as_real is only supported for complex tensors, got ",
                        t.dtype());
    Dims sizes(t.sizes()), strides(t.strides());
    for (int64_t& s : strides) s *= 2;
    sizes.push_back(2);
    strides.push_back(1);
    return make_view(t, sizes, strides, 2 * t.offset(), real_counterpart(t.dtype()),
                     "ViewAsRealBackward0",
                     [](const Tensor& g) { return view_as_complex(contiguous(g)); });
}
const Op<Tensor(const Tensor&)> view_as_real{
    "view_as_real(Tensor input) -> Tensor", "f", view_as_real_body,
    "A complex tensor of shape (...) seen as a real one of shape (..., 2)."};

static Tensor view_as_complex_body(const Tensor& t) {
    check<RuntimeError>(is_floating(t.dtype()) && t.dtype() != DType::BF16,
                        "view_as_complex: expected float16, float32 or float64 numbers, but got ",
                        t.dtype());
    check<RuntimeError>(
        t.dim() > 0 && t.size(-1) == 2 && t.stride(-1) == 1 && t.offset() % 2 == 0,
        "view_as_complex: Tensor must have a last dimension of size 2 and stride 1, "
        "got sizes ",
        t.sizes(), " and strides ", t.strides());
    Dims sizes(t.sizes()), strides(t.strides());
    sizes.pop_back();
    strides.pop_back();
    for (int64_t& s : strides) {
        check<RuntimeError>(s % 2 == 0,
                            "view_as_complex: Tensor must have a stride divisible by 2 for "
                            "all but last dimension, got strides ",
                            t.strides());
        s /= 2;
    }
    return make_view(t, sizes, strides, t.offset() / 2, complex_counterpart(t.dtype()),
                     "ViewAsComplexBackward0", [](const Tensor& g) { return view_as_real(g); });
}
const Op<Tensor(const Tensor&)> view_as_complex{
    "view_as_complex(Tensor input) -> Tensor", "f", view_as_complex_body,
    "A real tensor of shape (..., 2) seen as a complex one of shape (...)."};

/// The same bytes as elements of another size: the last dimension shrinks or grows.
static Tensor view_dtype_body(const Tensor& t, DType dtype) {
    if (dtype == t.dtype()) return alias(t);
    check<RuntimeError>(!needs_grad(t) || !grad_enabled(),
                        "view: a view of another dtype has no "
                        "derivative, got a tensor of ",
                        t.dtype(), " that requires grad; detach it first");
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t from = static_cast<int64_t>(t.itemsize()), to = static_cast<int64_t>(itemsize(dtype));
    int64_t offset = t.offset();
    if (from != to) {
        check<RuntimeError>(t.dim() > 0, "view: self.dim() cannot be 0 to view ", t.dtype(), " as ",
                            dtype, " (different element sizes)");
        check<RuntimeError>(strides.back() == 1, "view: self.stride(-1) must be 1 to view ",
                            t.dtype(), " as ", dtype, " (different element sizes), but got ",
                            strides.back());
    }
    if (from > to) {
        int64_t ratio = from / to;
        sizes.back() *= ratio;
        for (size_t i = 0; i + 1 < strides.size(); ++i) strides[i] *= ratio;
        offset *= ratio;
    } else if (from < to) {
        int64_t ratio = to / from;
        bool fits = sizes.back() % ratio == 0 && offset % ratio == 0;
        for (size_t i = 0; i + 1 < strides.size(); ++i) fits &= strides[i] % ratio == 0;
        check<RuntimeError>(fits,
                            "view: self.size(-1), strides and storage_offset must be divisible by ",
                            ratio, " to view ", t.dtype(), " as ", dtype, ", got sizes ", t.sizes(),
                            ", strides ", t.strides(), ", offset ", t.offset());
        sizes.back() /= ratio;
        for (size_t i = 0; i + 1 < strides.size(); ++i) strides[i] /= ratio;
        offset /= ratio;
    }
    return raw_view(t, sizes, strides, offset, dtype);
}
static const Op<Tensor(const Tensor&, DType)> view_dtype{
    "view.dtype(Tensor input, dtype dtype) -> Tensor", "m", view_dtype_body, ""};

/// In-place views (transpose_, squeeze_, ...): `t` becomes the window that `view` is.
static Tensor become_body(const Tensor& t, const Tensor& view) {
    check_inplace(t, "in-place view");
    TensorBody& body = *t.body();
    const TensorBody& from = *view.body();
    body.sizes = from.sizes;
    body.strides = from.strides;
    body.offset = from.offset;
    body.update_layout();
    if (Ref<Node> node = grad_enabled() && needs_grad(view) ? grad_fn(view) : nullptr) {
        Variable& v = variable(t);
        v.grad_fn = node;
        v.slot = find_variable(view)->slot;
        body.requires_grad = true;
    }
    t.bump_version();
    body.view_version = t.version();
    return t;
}
static const Op<Tensor(const Tensor&, const Tensor&)> become{
    "_become(Tensor input, Tensor view) -> Tensor", "p", become_body, ""};

static Tensor alias_body(const Tensor& t) {
    return make_view(t, t.sizes(), t.strides(), t.offset(), "AliasBackward0",
                     [](const Tensor& g) { return g; });
}
const Op<Tensor(const Tensor&)> alias{"_alias(Tensor input) -> Tensor", "p", alias_body, ""};

static Tensor detach_body(const Tensor& t) { return kagari::detach(t); }
const Op<Tensor(const Tensor&)> detach{
    "detach(Tensor input) -> Tensor", "fm", detach_body,
    "The same memory without history: gradients do not flow through it."};

/// As detach while nothing is recorded, but tangents stay; else with history, and no view either
/// way.
static Tensor same_memory_body(const Tensor& t) {
    Tensor out = kagari::detach(t);
    if (is_differentiable(t.dtype()) && should_record(t))
        record("AliasBackward0", {out}, {t}, {},
               [](Backward& ctx) -> Tensors { return {ctx.grad()}; });
    return out;
}
static const Op<Tensor(const Tensor&)> same_memory{"_same_memory(Tensor input) -> Tensor", "p",
                                                   same_memory_body, ""};

}  // namespace kagari::ops
