// Advanced indexing and its writing counterparts, and the ops along one dimension that choose whole
// rows. Element-by-element gathering is left to gather.cpp.
#include "ops/index/index.h"

#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/row_plan.h"
#include "ops/rows.h"
#include "ops/write.h"

namespace kagari::ops {

/// The tensors among `indices`, and a function that puts saved ones back in their places.
static Tensors defined_among(const OptionalTensors& indices) {
    Tensors tensors;
    for (const auto& index : indices)
        if (index) tensors.push_back(*index);
    return tensors;
}

static std::vector<bool> places_of(const OptionalTensors& indices) {
    std::vector<bool> places;
    for (const auto& index : indices) places.push_back(index.has_value());
    return places;
}

static OptionalTensors restore(const std::vector<bool>& places, const Backward& ctx, size_t first) {
    OptionalTensors indices(places.size());
    for (size_t d = 0; d < places.size(); ++d)
        if (places[d]) indices[d] = ctx.saved(first++);
    return indices;
}

static Tensor index_body(const Tensor& self, const OptionalTensors& given) {
    OptionalTensors indices = expand_masks(self, given);
    Tensor out = self.is_meta() ? empty(indexed_sizes(self, indices), self.dtype(), self.device())
                                : gather_rows(self, plan_rows(self, indices));
    if (should_record(self)) {
        Dims sizes(self.sizes());
        record("IndexBackward0", {out}, {self}, defined_among(indices),
               [sizes, places = places_of(indices)](Backward& ctx) -> Tensors {
                   const Tensor& grad = ctx.grad();
                   Tensor zero = zeros(sizes, grad.dtype(), grad.device());
                   return {index_put(zero, restore(places, ctx, 0), grad, true)};
               });
    }
    return out;
}

template <bool inplace>
static Tensor index_put_body(const Tensor& self, const OptionalTensors& given, const Tensor& values,
                             bool accumulate) {
    check(self.dtype() == values.dtype(),
          "index_put: Index put requires the source and destination "
          "dtypes match, got ",
          name(self.dtype()), " for the destination and ", name(values.dtype()), " for the source");
    OptionalTensors indices = expand_masks(self, given);
    Dims chosen = indexed_sizes(self, indices);
    check(same_sizes(broadcast_sizes(chosen, values.sizes(), "index_put"), chosen),
          "shape mismatch: value tensor of shape ", values.sizes(),
          " cannot be broadcast to indexing result of shape ", IntSpan(chosen));
    auto write = [&](const Tensor& target) {
        scatter_rows(target, plan_rows(target, indices), values,
                     accumulate ? cpu::Combine::Add : cpu::Combine::Assign);
    };
    Dims value_sizes(values.sizes());
    return written<inplace>(
        "index_put_", "IndexPutBackward0", {self, values}, defined_among(indices), write,
        [accumulate, value_sizes, places = places_of(indices)](Backward& ctx) -> Tensors {
            OptionalTensors indices = restore(places, ctx, 0);
            Tensor of_self = ctx.grad(), of_values;
            if (ctx.needs(1)) of_values = sum_to_size(index(of_self, indices), value_sizes);
            if (!accumulate && ctx.needs(0)) {
                Tensor zero = zeros({}, of_self.dtype(), of_self.device());
                of_self = index_put(of_self, indices, zero, false);
            }
            return {of_self, of_values};
        });
}

const Op<Tensor(const Tensor&, const OptionalTensors&)> index{
    "index(Tensor input, Tensor?[] indices) -> Tensor", "p", index_body,
    "Elements of `input` chosen by index tensors, one per dimension."};
#define KAGARI_INDEX_PUT(name) \
    name "(Tensor input, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor"
const Op<Tensor(const Tensor&, const OptionalTensors&, const Tensor&, bool)> index_put{
    KAGARI_INDEX_PUT("index_put"), "fm", index_put_body<false>,
    "A copy of `input` with `values` at the places that `indices` choose; added there if "
    "`accumulate`."};
const Op<Tensor(const Tensor&, const OptionalTensors&, const Tensor&, bool)> index_put_{
    KAGARI_INDEX_PUT("index_put_"), "fm", index_put_body<true>, "In-place `index_put`."};

// ---- rows along one dimension ----

/// A bad index is a RuntimeError here where PyTorch copies whole rows, an IndexError for a vector.
static RowPlan plan_selection(const Tensor& self, int64_t dim, const Tensor& index) {
    if (self.dim() <= 1 || index.dim() > 1) return plan_rows(self, dim, index, "index_select");
    try {
        return plan_rows(self, dim, index, "index_select");
    } catch (const IndexError& error) {
        fail<RuntimeError>("index_select: ", error.what());
    }
}

static Tensor index_select_body(const Tensor& self, int64_t dim, const Tensor& index) {
    dim = wrap_dim(dim, self.dim(), "index_select");
    Tensor out;
    if (self.is_meta() || index.is_meta()) {
        Dims sizes(self.sizes());
        if (!sizes.empty()) sizes[static_cast<size_t>(dim)] = index.numel();
        out = empty(sizes, self.dtype(), kMeta);
    } else {
        out = gather_rows(self, plan_selection(self, dim, index));
    }
    if (should_record(self)) {
        Dims sizes(self.sizes());
        record("IndexSelectBackward0", {out}, {self}, {index},
               [dim, sizes](Backward& ctx) -> Tensors {
                   const Tensor& grad = ctx.grad();
                   Tensor zero = zeros(sizes, grad.dtype(), grad.device());
                   return {index_add(zero, dim, ctx.saved(0), grad, Scalar(1))};
               });
    }
    return out;
}

/// Checks the source of index_add and index_copy against the rows it goes to; E is PyTorch's class.
template <class E>
static void check_source(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                         const char* op) {
    check(self.dtype() == source.dtype(), op,
          ": self and source expected to have the same dtype, "
          "but got (self) ",
          name(self.dtype()), " and (source) ", name(source.dtype()));
    check<IndexError>(index.dim() <= 1, op, ": Index is supposed to be a vector, got sizes ",
                      index.sizes());
    Dims expected(self.sizes());
    if (!expected.empty()) expected[static_cast<size_t>(dim)] = index.numel();
    bool scalar_ok = source.dim() == 0 && index.numel() == 1 && self.dim() <= 1;
    check<E>(scalar_ok || same_sizes(expected, source.sizes()) ||
                 (self.dim() == 0 && source.numel() == index.numel()),
             op, ": expected source of sizes ", IntSpan(expected), " for self ", self.sizes(),
             " and an index of ", index.numel(), ", got ", source.sizes());
}

static void write_rows(const Tensor& target, int64_t dim, const Tensor& index, const Tensor& source,
                       cpu::Combine combine, const char* op) {
    RowPlan plan = plan_rows(target, dim, index, op);
    if (target.dim() == 0 || source.dim() == 0) plan.result = Dims(source.sizes());
    scatter_rows(target, plan, source, combine);
}

template <bool inplace>
static Tensor index_add_body(const Tensor& self, int64_t dim, const Tensor& index,
                             const Tensor& source, const Scalar& alpha) {
    dim = wrap_dim(dim, self.dim(), "index_add");
    check_source<RuntimeError>(self, dim, index, source, "index_add");
    auto write = [&](const Tensor& target) {
        NoGrad guard;
        Tensor scaled = alpha == Scalar(1) ? source : ops::to(mul(source, alpha), self.dtype());
        write_rows(target, dim, index, scaled, cpu::Combine::Add, "index_add");
    };
    Dims source_sizes(source.sizes());
    return written<inplace>("index_add_", "IndexAddBackward0", {self, source}, {index}, write,
                            [dim, alpha, source_sizes](Backward& ctx) -> Tensors {
                                Tensor of_source;
                                if (ctx.needs(1)) {
                                    of_source = index_select(ctx.grad(), dim, ctx.saved(0));
                                    of_source = mul(reshape(of_source, source_sizes), alpha);
                                }
                                return {ctx.grad(), of_source};
                            });
}

template <bool inplace>
static Tensor index_copy_body(const Tensor& self, int64_t dim, const Tensor& index,
                              const Tensor& source) {
    dim = wrap_dim(dim, self.dim(), "index_copy");
    check_source<IndexError>(self, dim, index, source, "index_copy");
    auto write = [&](const Tensor& target) {
        write_rows(target, dim, index, source, cpu::Combine::Assign, "index_copy");
    };
    Dims source_sizes(source.sizes());
    return written<inplace>(
        "index_copy_", "IndexCopyBackward0", {self, source}, {index}, write,
        [dim, source_sizes](Backward& ctx) -> Tensors {
            Tensor of_self, of_source, index = ctx.saved(0);
            if (ctx.needs(0)) {
                Tensor zero = zeros(source_sizes, ctx.grad().dtype(), ctx.grad().device());
                of_self = index_copy(ctx.grad(), dim, index, zero);
            }
            if (ctx.needs(1))
                of_source = reshape(index_select(ctx.grad(), dim, index), source_sizes);
            return {of_self, of_source};
        });
}

const Op<Tensor(const Tensor&, int64_t, const Tensor&)> index_select{
    "index_select(Tensor input, int dim, Tensor index) -> Tensor", "fmOd", index_select_body,
    "The rows of `input` along `dim` that the vector `index` chooses."};
#define KAGARI_INDEX_ADD(name) \
    name "(Tensor input, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor"
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&, const Scalar&)> index_add{
    KAGARI_INDEX_ADD("index_add"), "fmO", index_add_body<false>,
    "A copy of `input` with `alpha * source` added to the rows along `dim` that `index` chooses; "
    "equal indices add up, in order."};
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&, const Scalar&)> index_add_{
    KAGARI_INDEX_ADD("index_add_"), "m", index_add_body<true>, "In-place `index_add`."};
#define KAGARI_INDEX_COPY(name) \
    name "(Tensor input, int dim, Tensor index, Tensor source) -> Tensor"
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> index_copy{
    KAGARI_INDEX_COPY("index_copy"), "fmO", index_copy_body<false>,
    "A copy of `input` with the rows along `dim` that `index` chooses taken from `source`."};
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Tensor&)> index_copy_{
    KAGARI_INDEX_COPY("index_copy_"), "m", index_copy_body<true>, "In-place `index_copy`."};

}  // namespace kagari::ops
