// Ops on masks: where they are true, what they fill, choose and replace; and filling whole rows.
#include "ops/index/gather.h"
#include "ops/index/index.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/row_plan.h"
#include "ops/rows.h"
#include "ops/write.h"
#include "runtime/parallel.h"

namespace kagari::ops {

// ---- nonzero ----

/// Flat positions of the true elements, in order.
static std::vector<int64_t> true_positions(const Tensor& mask) {
    Tensor flags = raw_contiguous(mask, DType::Bool);
    const bool* flag = flags.data<bool>();
    constexpr int64_t kBlock = 16384;
    int64_t n = flags.numel(), blocks = (n + kBlock - 1) / kBlock;
    std::vector<int64_t> starts(static_cast<size_t>(blocks) + 1);
    parallel_for(0, blocks, 4, [&](int64_t b, int64_t e) {
        for (; b < e; ++b) {
            int64_t count = 0;
            for (int64_t i = b * kBlock, end = std::min(n, i + kBlock); i < end; ++i)
                count += flag[i];
            starts[static_cast<size_t>(b) + 1] = count;
        }
    });
    for (size_t b = 1; b < starts.size(); ++b) starts[b] += starts[b - 1];
    std::vector<int64_t> positions(static_cast<size_t>(starts.back()));
    parallel_for(0, blocks, 4, [&](int64_t b, int64_t e) {
        for (; b < e; ++b) {
            int64_t* to = positions.data() + starts[static_cast<size_t>(b)];
            int64_t* last = positions.data() + starts[static_cast<size_t>(b) + 1];
            for (int64_t i = b * kBlock; to < last; ++i) {
                *to = i;
                to += flag[i];
            }
        }
    });
    return positions;
}

/// Splits flat positions into coordinates; coordinate d of position i goes to to[i * step + d *
/// jump].
static void coordinates(const std::vector<int64_t>& positions, IntSpan sizes, int64_t* to,
                        int64_t step, int64_t jump) {
    parallel_for(0, static_cast<int64_t>(positions.size()), 8192, [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i) {
            int64_t rest = positions[static_cast<size_t>(i)];
            for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d])
                to[i * step + static_cast<int64_t>(d) * jump] = rest % sizes[d];
        }
    });
}

static Tensor nonzero_body(const Tensor& self) {
    check<NotImplementedError>(!self.is_meta(),
                               "nonzero: the size of the result depends on values, "
                               "which a meta tensor does not have");
    std::vector<int64_t> positions = true_positions(self);
    int64_t n = static_cast<int64_t>(positions.size());
    Tensor out = empty(Dims{n, self.dim()}, DType::I64);
    coordinates(positions, self.sizes(), out.data<int64_t>(), self.dim(), 1);
    return out;
}

Tensors nonzero_columns(const Tensor& mask) {
    std::vector<int64_t> positions = true_positions(mask);
    int64_t n = static_cast<int64_t>(positions.size());
    if (mask.dim() == 0) return {};
    Tensor table = empty(Dims{mask.dim(), n}, DType::I64);
    if (mask.dim() == 1)
        std::copy(positions.begin(), positions.end(), table.data<int64_t>());
    else
        coordinates(positions, mask.sizes(), table.data<int64_t>(), 1, n);
    Tensors columns;
    for (int64_t d = 0; d < mask.dim(); ++d)
        columns.push_back(raw_view(table, Dims{n}, Dims{1}, d * n));
    return columns;
}

const Op<Tensor(const Tensor&)> nonzero{
    "nonzero(Tensor input) -> Tensor", "p", nonzero_body,
    "Positions of the elements that are not zero, one row each."};

// ---- masked_fill ----

static void check_mask(const Tensor& mask, const char* op) {
    check(mask.dtype() == DType::Bool, op, ": expected a bool tensor as mask, got ",
          name(mask.dtype()));
}

static Tensor one_value(const Value& value, const Tensor& self, const char* op) {
    const Tensor* given = std::get_if<Tensor>(&value);
    if (!given) {
        Scalar number = unbox_scalar(value);
        check_representable(number, self.dtype(), op);
        return scalar_tensor(number, self.dtype(), self.device());
    }
    check(given->dim() == 0, op,
          ": only supports a 0-dimensional value tensor, but got tensor with ", given->dim(),
          " dimension(s)");
    check(!is_complex(given->dtype()) || is_complex(self.dtype()), op, ": value of dtype ",
          name(given->dtype()), " cannot be converted to type ", name(self.dtype()),
          " without overflow");
    return to(*given, self.dtype());
}

template <bool inplace>
static Tensor masked_fill_body(const Tensor& self, const Tensor& mask, const Value& value) {
    check_mask(mask, "masked_fill");
    Tensor number = one_value(value, self, "masked_fill");
    Dims sizes = broadcast_sizes(self.sizes(), mask.sizes(), "masked_fill");
    bool same = same_sizes(sizes, self.sizes());
    check(same || !inplace, "masked_fill_: output with shape ", self.sizes(),
          " doesn't match the broadcast shape ", IntSpan(sizes));
    if (!inplace) {
        Tensor out = where(mask, number, self);
        return out;
    }
    auto write = [&](const Tensor& target) {
        NoGrad guard;
        where.into(target, mask, number, target);
    };
    bool has_value = std::holds_alternative<Tensor>(value);
    return written<inplace>("masked_fill_", "MaskedFillBackward0", {self, number}, {mask}, write,
                            [has_value](Backward& ctx) -> Tensors {
                                Tensor mask = ctx.saved(0), of_self, of_value;
                                Scalar zero(0);
                                if (ctx.needs(0))
                                    of_self = masked_fill(ctx.grad(), mask, Value(zero));
                                if (has_value && ctx.needs(1))
                                    of_value = sum_to_size(where(mask, ctx.grad(), zero), Dims{});
                                return {of_self, of_value};
                            });
}

#define KAGARI_MASKED_FILL(name) name "(Tensor input, Tensor mask, Operand value) -> Tensor"
const Op<Tensor(const Tensor&, const Tensor&, const Value&)> masked_fill{
    KAGARI_MASKED_FILL("masked_fill"), "fm", masked_fill_body<false>,
    "`input` with `value` where `mask` is true."};
const Op<Tensor(const Tensor&, const Tensor&, const Value&)> masked_fill_{
    KAGARI_MASKED_FILL("masked_fill_"), "m", masked_fill_body<true>, "In-place `masked_fill`."};

// ---- masked_select, masked_scatter ----

static Tensor flattened(const Tensor& t, IntSpan sizes) {
    return reshape(same_sizes(t.sizes(), sizes) ? t : expand(t, sizes), Dims{-1});
}

static Tensor masked_select_body(const Tensor& self, const Tensor& mask) {
    check_mask(mask, "masked_select");
    Dims sizes = broadcast_sizes(self.sizes(), mask.sizes(), "masked_select");
    return index(flattened(self, sizes), OptionalTensors{flattened(mask, sizes)});
}

template <bool inplace>
static Tensor masked_scatter_body(const Tensor& given, const Tensor& mask, const Tensor& source) {
    check_mask(mask, "masked_scatter");
    check(given.dtype() == source.dtype(),
          "masked_scatter: expected self and source to have same "
          "dtypes but got ",
          name(given.dtype()), " and ", name(source.dtype()));
    Dims sizes = broadcast_sizes(given.sizes(), mask.sizes(), "masked_scatter");
    Tensor self = inplace || same_sizes(given.sizes(), sizes) ? given : expand(given, sizes);
    Tensor whole_mask = same_sizes(mask.sizes(), self.sizes()) ? mask : expand(mask, self.sizes());
    auto write = [&](const Tensor& target) {
        OptionalTensors indices = expand_masks(target, {whole_mask});
        RowPlan plan = plan_rows(target, indices);
        check(plan.count() <= source.numel(),
              "masked_scatter: Number of elements of source < number "
              "of ones in mask: ",
              source.numel(), " < ", plan.count());
        Tensor values = raw_contiguous(source);
        scatter_rows(target, plan, raw_view(values, Dims{plan.count()}, Dims{1}, values.offset()),
                     cpu::Combine::Assign);
    };
    Dims source_sizes(source.sizes());
    return written<inplace>(
        "masked_scatter_", "MaskedScatterBackward0", {self, source}, {whole_mask}, write,
        [source_sizes](Backward& ctx) -> Tensors {
            Tensor mask = ctx.saved(0), of_self, of_source;
            if (ctx.needs(0)) of_self = masked_fill(ctx.grad(), mask, Value(Scalar(0)));
            if (ctx.needs(1)) {
                Tensor flat = masked_select(ctx.grad(), mask);
                Tensor zero = zeros(Dims{checked_numel(source_sizes, "masked_scatter")},
                                    flat.dtype(), flat.device());
                Tensor first = arange(Scalar(0), Scalar(flat.numel()), Scalar(1), DType::I64);
                of_source = reshape(index_copy(zero, 0, first, flat), source_sizes);
            }
            return {of_self, of_source};
        });
}

const Op<Tensor(const Tensor&, const Tensor&)> masked_select{
    "masked_select(Tensor input, Tensor mask) -> Tensor", "fmOd", masked_select_body,
    "The elements of `input` where `mask` is true, in one row."};
#define KAGARI_MASKED_SCATTER(name) name "(Tensor input, Tensor mask, Tensor source) -> Tensor"
const Op<Tensor(const Tensor&, const Tensor&, const Tensor&)> masked_scatter{
    KAGARI_MASKED_SCATTER("masked_scatter"), "fm", masked_scatter_body<false>,
    "`input` with the elements where `mask` is true taken from `source`, in order."};
const Op<Tensor(const Tensor&, const Tensor&, const Tensor&)> masked_scatter_{
    KAGARI_MASKED_SCATTER("masked_scatter_"), "m", masked_scatter_body<true>,
    "In-place `masked_scatter`."};

// ---- index_fill ----

template <bool inplace>
static Tensor index_fill_body(const Tensor& self, int64_t dim, const Tensor& index,
                              const Value& value) {
    dim = wrap_dim(dim, self.dim(), "index_fill");
    check<IndexError>(index.dtype() == DType::I64,
                      "index_fill_(): Expected dtype int64 for index, got ", name(index.dtype()));
    Tensor number = one_value(value, self, "index_fill_");
    Tensor wrapped =
        where(lt(index, Scalar(0)), add(index, Scalar(self.dim() ? self.size(dim) : 1)), index);
    auto write = [&](const Tensor& target) {
        RowPlan plan = plan_rows(target, dim, wrapped, "index_fill_");
        if (target.dim() == 0) plan.result = Dims{plan.count()};
        scatter_rows(target, plan, number, cpu::Combine::Assign);
    };
    bool has_value = std::holds_alternative<Tensor>(value);
    return written<inplace>("index_fill_", "IndexFillBackward0", {self, number}, {wrapped}, write,
                            [dim, has_value](Backward& ctx) -> Tensors {
                                Tensor of_self, of_value, index = ctx.saved(0);
                                if (ctx.needs(0))
                                    of_self = index_fill(ctx.grad(), dim, index, Value(Scalar(0)));
                                if (has_value && ctx.needs(1)) {  // equal indices name one place
                                    Tensor ones = index_fill(zeros_like(ctx.grad()), dim, index,
                                                             Value(Scalar(1)));
                                    of_value = sum_to_size(mul(ctx.grad(), ones), Dims{});
                                }
                                return {of_self, of_value};
                            });
}

#define KAGARI_INDEX_FILL(name) \
    name "(Tensor input, int dim, Tensor index, Operand value) -> Tensor"
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&)> index_fill{
    KAGARI_INDEX_FILL("index_fill"), "fm", index_fill_body<false>,
    "`input` with `value` in the rows along `dim` that `index` chooses."};
const Op<Tensor(const Tensor&, int64_t, const Tensor&, const Value&)> index_fill_{
    KAGARI_INDEX_FILL("index_fill_"), "m", index_fill_body<true>, "In-place `index_fill`."};

}  // namespace kagari::ops
