// gather and the scatters. Choosing whole rows is left to index.cpp.
#include "ops/index/gather.h"

#include "cpu/along.h"
#include "ops/index/index.h"
#include "ops/index/scatter_write.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/rows.h"
#include "ops/write.h"

namespace kagari::ops {

using cpu::Combine;

// ---- the walk that gather and scatter share ----

/// Sizes and strides with at least one dimension, so that 0-d tensors need no case of their own.
struct Window {
    Dims sizes{1}, strides{0};
    explicit Window(const Tensor& t) {
        if (t.dim() == 0) return;
        sizes = Dims(t.sizes());
        strides = Dims(t.strides());
    }
};

static void check_index_dtype(const Tensor& index, const char* op) {
    check(index.dtype() == DType::I64 || index.dtype() == DType::I32, op,
          "(): Expected dtype int32/int64 for index, got ", name(index.dtype()));
}

/// `sizes` of the index may exceed those of `other` nowhere but in `dim` (-1: nowhere at all).
static void check_covers(const Tensor& index, const Tensor& other, int64_t dim, const char* op,
                         const char* what) {
    Window i(index), o(other);
    check(i.sizes.size() == o.sizes.size(), op,
          "(): Index tensor must have the same number of "
          "dimensions as ",
          what, " tensor, got index ", index.sizes(), " and ", what, " ", other.sizes());
    for (size_t d = 0; d < i.sizes.size(); ++d)
        check(static_cast<int64_t>(d) == dim || i.sizes[d] <= o.sizes[d], op,
              "(): Size does not match at dimension ", d, ": expected index ", index.sizes(),
              " to be no larger than ", what, " ", other.sizes(),
              dim >= 0 ? " apart from dimension " : "", dim >= 0 ? std::to_string(dim) : "");
}

static cpu::Along along(const Window& index, const Window& self, const Window& other, int64_t dim) {
    return {index.sizes,   self.strides, index.strides,
            other.strides, dim,          self.sizes[static_cast<size_t>(dim)]};
}

// ---- gather ----

static Tensor gather_body(const Tensor& self, int64_t dim, const Tensor& given) {
    dim = wrap_dim(dim, self.dim(), "gather");
    Tensor index = given.dtype() == DType::U8 ? raw_contiguous(given, DType::I64) : given;
    check_index_dtype(index, "gather");
    if (index.numel() > 0) check_covers(index, self, dim, "gather", "input");
    Tensor out = empty(index.sizes(), self.dtype(), self.device());
    if (!self.is_meta() && out.numel() > 0) {
        Tensor places = index.dtype() == DType::I64 ? index : raw_contiguous(index, DType::I64);
        Window i(places), s(self), o(out);
        cpu::gather_along(along(i, s, o, dim), self.data(), places.data<int64_t>(), out.data(),
                          self.itemsize());
    }
    if (should_record(self)) {
        Dims sizes(self.sizes());
        record("GatherBackward0", {out}, {self}, {index}, [dim, sizes](Backward& ctx) -> Tensors {
            Tensor zero = zeros(sizes, ctx.grad().dtype(), ctx.grad().device());
            return {scatter_add(zero, dim, ctx.saved(0), ctx.grad())};
        });
    }
    return out;
}

const Op<Tensor(const Tensor&, int64_t, const Tensor&)> gather{
    "gather(Tensor input, int dim, Tensor index) -> Tensor", "fmo", gather_body,
    "Elements of `input` at the places of `index` along `dim`: out[i][j] = input[index[i][j]][j] "
    "for dim 0."};

// ---- scatter ----

/// Checks before anything is written, then combines `src` into `target`.
void scatter_into(Combine combine, const Tensor& target, int64_t dim, const Tensor& index,
                  const Tensor& src, const char* op) {
    if (index.numel() == 0) return;
    Tensor places = index.dtype() == DType::I64 ? index : raw_contiguous(index, DType::I64);
    Tensor values = src;
    if (src.storage() == target.storage()) {
        values = empty(src.sizes(), src.dtype());
        copy_elements(values, src);
    }
    Window i(places), s(target), o(values);
    if (src.dim() == 0 && index.dim() > 0) o.strides = Dims(i.sizes.size(), 0);
    cpu::Along walk = along(i, s, o, dim);
    cpu::check_along(walk, places.data<int64_t>(), op);
    cpu::scatter_along(combine, target.dtype(), walk, target.data(), places.data<int64_t>(),
                       values.data());
}

void check_scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                   const char* op) {
    check_index_dtype(index, op);
    check(self.dtype() == src.dtype(), op, "(): Expected self.dtype to be equal to src.dtype, got ",
          name(self.dtype()), " and ", name(src.dtype()));
    if (index.numel() == 0) return;
    check_covers(index, self, dim, op, "self");
    check_covers(index, src, -1, op, "src");
}

/// The gradient of a source that is larger than the index: zero where it was not read.
static Tensor grow(const Tensor& grad, IntSpan sizes) {
    if (same_sizes(grad.sizes(), sizes)) return grad;
    Tensor whole = zeros(sizes, grad.dtype(), grad.device()), part = whole;
    for (int64_t d = 0; d < grad.dim(); ++d) part = narrow(part, d, 0, grad.size(d));
    copy_(part, grad, false);
    return whole;
}

static Combine scatter_way(const std::optional<std::string>& reduce) {
    if (!reduce) return Combine::Assign;
    check(*reduce == "add" || *reduce == "multiply",
          "scatter(): reduce argument must be either add or multiply, got '", *reduce, "'");
    return *reduce == "add" ? Combine::Add : Combine::Multiply;
}

template <bool inplace>
static Tensor scatter_body(const Tensor& self, int64_t dim, const Tensor& index,
                           const Value& source, const std::optional<std::string>& reduce) {
    dim = wrap_dim(dim, self.dim(), "scatter");
    Combine combine = scatter_way(reduce);
    const Tensor* given = std::get_if<Tensor>(&source);
    check(combine == Combine::Assign || !should_record(self, given ? *given : Tensor()),
          "scatter(): reduce='", reduce.value_or(""),
          "' is not differentiable; use scatter_add or "
          "scatter_reduce");
    Tensor src;
    if (given) {
        src = *given;
        check_scatter(self, dim, index, src, "scatter");
    } else {
        src = scalar_tensor(unbox_scalar(source), self.dtype(), self.device());
        check_index_dtype(index, "scatter");
        if (index.numel() > 0) check_covers(index, self, dim, "scatter", "self");
    }
    auto write = [&](const Tensor& target) {
        scatter_into(combine, target, dim, index, src, "scatter");
    };
    Dims src_sizes(src.sizes());
    bool has_source = given != nullptr;
    return written<inplace>("scatter_", "ScatterBackward0", {self, src}, {index}, write,
                            [dim, src_sizes, has_source](Backward& ctx) -> Tensors {
                                Tensor of_self, of_src, index = ctx.saved(0);
                                if (ctx.needs(0))
                                    of_self = scatter(ctx.grad(), dim, index, Value(Scalar(0)), {});
                                if (has_source && ctx.needs(1))
                                    of_src = grow(gather(ctx.grad(), dim, index), src_sizes);
                                return {of_self, of_src};
                            });
}

template <bool inplace>
static Tensor scatter_add_body(const Tensor& self, int64_t dim, const Tensor& index,
                               const Tensor& src) {
    dim = wrap_dim(dim, self.dim(), "scatter_add");
    check_scatter(self, dim, index, src, "scatter_add");
    auto write = [&](const Tensor& target) {
        scatter_into(Combine::Add, target, dim, index, src, "scatter_add");
    };
    Dims src_sizes(src.sizes());
    return written<inplace>("scatter_add_", "ScatterAddBackward0", {self, src}, {index}, write,
                            [dim, src_sizes](Backward& ctx) -> Tensors {
                                Tensor of_src;
                                if (ctx.needs(1))
                                    of_src = grow(gather(ctx.grad(), dim, ctx.saved(0)), src_sizes);
                                return {ctx.grad(), of_src};
                            });
}

#define KAGARI_SCATTER(name) \
    name "(Tensor input, int dim, Tensor index, Operand src, *, str? reduce=None) -> Tensor"
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&,
                const std::optional<std::string>&)>
    scatter{KAGARI_SCATTER("scatter"), "po", scatter_body<false>,
            "A copy of `input` with `src`, a tensor or a number, at the places of `index` along "
            "`dim`."};
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&,
                const std::optional<std::string>&)>
    scatter_{KAGARI_SCATTER("scatter_"), "p", scatter_body<true>, "In-place `scatter`."};
#define KAGARI_SCATTER_ADD(name) name "(Tensor input, int dim, Tensor index, Tensor src) -> Tensor"
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> scatter_add{
    KAGARI_SCATTER_ADD("scatter_add"), "fmo", scatter_add_body<false>,
    "A copy of `input` with `src` added at the places of `index` along `dim`, in order."};
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> scatter_add_{
    KAGARI_SCATTER_ADD("scatter_add_"), "m", scatter_add_body<true>, "In-place `scatter_add`."};

// ---- flat: take and put ----

/// `index` with negative places wrapped; IndexError for those outside [-n, n).
static Tensor flat_places(const Tensor& index, int64_t n, const char* op) {
    check(index.dtype() == DType::I64, op, "(): Expected a long tensor for index, but got ",
          name(index.dtype()));
    Tensor places = empty(index.sizes(), DType::I64);
    Tensor given = raw_contiguous(index);
    const int64_t* from = given.data<int64_t>();
    int64_t* to = places.data<int64_t>();
    for (int64_t i = 0; i < index.numel(); ++i) {
        to[i] = from[i] < 0 ? from[i] + n : from[i];
        check<IndexError>(to[i] >= 0 && to[i] < n, op, "(): out of range: index ", from[i],
                          " for a tensor with ", n, " elements");
    }
    return places;
}

static Tensor take_body(const Tensor& self, const Tensor& index) {
    if (self.is_meta()) return empty(index.sizes(), self.dtype(), self.device());
    check<IndexError>(self.numel() > 0 || index.numel() == 0,
                      "take(): tried to take from an empty tensor");
    Tensor places = flat_places(index, self.numel(), "take");
    Tensor flat = reshape(self, Dims{-1});
    return reshape(index_select(flat, 0, reshape(places, Dims{-1})), index.sizes());
}

template <bool inplace>
static Tensor put_body(const Tensor& self, const Tensor& index, const Tensor& source,
                       bool accumulate) {
    check(self.dtype() == source.dtype(),
          "put(): self and source expected to have the same dtype, "
          "but got ",
          name(self.dtype()), " and ", name(source.dtype()));
    check<IndexError>(index.numel() == source.numel(),
                      "put(): index and source must have the same "
                      "number of elements, got ",
                      index.sizes(), " and ", source.sizes());
    auto write = [&](const Tensor& target) {
        Tensor places = flat_places(index, target.numel(), "put");
        Tensor whole = target.is_contiguous() ? target : raw_contiguous(target);
        Tensor values = raw_contiguous(source);
        cpu::RowLayout layout({}, {}, {}, {});
        cpu::scatter_rows(accumulate ? Combine::Add : Combine::Assign, self.dtype(), whole.data(),
                          values.data(), layout, places.data<int64_t>(), places.numel());
        if (!target.is_contiguous()) copy_elements(target, whole);
    };
    return written<inplace>("put_", "PutBackward0", {self, source}, {index}, write,
                            [accumulate, sizes = Dims(source.sizes())](Backward& ctx) -> Tensors {
                                Tensor index = ctx.saved(0), of_self = ctx.grad(), of_source;
                                if (!accumulate && ctx.needs(0)) {
                                    Tensor zero = zeros(index.sizes(), ctx.grad().dtype(),
                                                        ctx.grad().device());
                                    of_self = put(ctx.grad(), index, zero, false);
                                }
                                if (ctx.needs(1))
                                    of_source = reshape(take(ctx.grad(), index), sizes);
                                return {of_self, of_source};
                            });
}

const Op<Tensor(const Tensor&, const Tensor&)> take{
    "take(Tensor input, Tensor index) -> Tensor", "fmo", take_body,
    "Elements of `input`, seen as one row, at the places of `index`."};
#define KAGARI_PUT(name) \
    name "(Tensor input, Tensor index, Tensor source, bool accumulate=False) -> Tensor"
const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, bool)> put{
    KAGARI_PUT("put"), "fm", put_body<false>,
    "A copy of `input`, seen as one row, with `source` at the places of `index`."};
const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, bool)> put_{
    KAGARI_PUT("put_"), "m", put_body<true>, "In-place `put`."};

}  // namespace kagari::ops
