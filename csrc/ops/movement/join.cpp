// cat and stack: one result written piece by piece.
#include "ops/movement/join.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/movement/views.h"
#include "runtime/parallel.h"

namespace kagari::ops {

static DType common_dtype(const Tensors& tensors) {
    Promotion promotion;
    for (const Tensor& t : tensors) promotion.add_tensor(t.dtype(), t.dim() == 0);
    return promotion.result();
}

/// PyTorch lets an empty one-dimensional tensor join anything.
static bool is_skipped(const Tensor& t) { return t.dim() == 1 && t.numel() == 0; }

/// Copies `t` to out[..., start : start + t.size(dim), ...]; `out` is contiguous.
static void place(const Tensor& out, const Tensor& t, int64_t dim, int64_t start) {
    int64_t below = out.strides()[static_cast<size_t>(dim)];
    if (t.numel() == 0) return;
    if (t.dtype() != out.dtype() || !t.is_contiguous()) {
        Dims sizes(out.sizes());
        sizes[static_cast<size_t>(dim)] = t.size(dim);
        return copy_elements(raw_view(out, sizes, out.strides(), out.offset() + start * below), t);
    }
    size_t item = t.itemsize();
    size_t chunk = static_cast<size_t>(t.size(dim) * below) * item;
    size_t step = static_cast<size_t>(out.size(dim) * below) * item;
    char* to = out.data<char>() + static_cast<size_t>(start * below) * item;
    const char* from = t.data<char>();
    int64_t rows = t.numel() / (t.size(dim) * below);
    if (rows == 1) {
        int64_t bytes = static_cast<int64_t>(chunk);
        return parallel_for(0, bytes, 2 * kGrainBytes, [&](int64_t b, int64_t e) {
            std::memcpy(to + b, from + b, static_cast<size_t>(e - b));
        });
    }
    int64_t grain = std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(chunk));
    parallel_for(0, rows, grain, [&](int64_t b, int64_t e) {
        for (size_t r = static_cast<size_t>(b); r < static_cast<size_t>(e); ++r)
            std::memcpy(to + r * step, from + r * chunk, chunk);
    });
}

/// Sizes of the result of cat; errors for tensors that do not fit the first one.
static Dims joined_sizes(const Tensors& tensors, size_t first, int64_t dim) {
    Dims sizes(tensors[first].sizes());
    size_t along = static_cast<size_t>(dim);
    for (size_t i = 0; i < tensors.size(); ++i) {
        const Tensor& t = tensors[i];
        if (i == first || is_skipped(t)) continue;
        check(t.dim() == static_cast<int64_t>(sizes.size()),
              "Tensors must have same number of "
              "dimensions: got ",
              sizes.size(), " and ", t.dim());
        for (size_t d = 0; d < sizes.size(); ++d)
            check(d == along || t.sizes()[d] == sizes[d],
                  "Sizes of tensors must match except in dimension ", dim, ". Expected size ",
                  sizes[d], " but got size ", t.sizes()[d], " for tensor number ", i,
                  " in the list.");
        if (i > first) sizes[along] += t.sizes()[along];
    }
    return sizes;
}

static Tensor cat_body(const Tensors& tensors, int64_t dim) {
    check<ValueError>(!tensors.empty(), "cat(): expected a non-empty list of Tensors");
    for (size_t i = 0; i < tensors.size(); ++i)
        check(tensors[i].dim() > 0, "zero-dimensional tensor (at position ", i,
              ") cannot be concatenated");
    size_t first = 0;
    while (first + 1 < tensors.size() && is_skipped(tensors[first])) ++first;
    dim = wrap_dim(dim, tensors[first].dim(), "cat");
    Dims sizes = joined_sizes(tensors, first, dim);
    Tensor out = empty(sizes, common_dtype(tensors), tensors[first].device());
    std::vector<std::pair<int64_t, int64_t>> parts;  // start and length; -1 for a skipped one
    int64_t start = 0;
    for (const Tensor& t : tensors) {
        bool skipped = is_skipped(t) && out.dim() != 1;
        if (is_skipped(t)) {
            parts.emplace_back(skipped ? -1 : start, 0);
            continue;
        }
        if (!out.is_meta()) place(out, t, dim, start);
        parts.emplace_back(start, t.size(dim));
        start += t.size(dim);
    }
    if (should_record_any(tensors))
        record("CatBackward0", {out}, tensors, {}, [parts, dim](Backward& ctx) -> Tensors {
            Tensors grads(parts.size());
            for (size_t i = 0; i < parts.size(); ++i)
                if (parts[i].first >= 0 && ctx.needs(i))
                    grads[i] = narrow(ctx.grad(), dim, parts[i].first, parts[i].second);
            return grads;
        });
    return out;
}

static Tensor stack_body(const Tensors& tensors, int64_t dim) {
    check(!tensors.empty(), "stack expects a non-empty TensorList");
    dim = wrap_dim(dim, tensors[0].dim() + 1, "stack");
    Dims sizes(tensors[0].sizes());
    for (size_t i = 1; i < tensors.size(); ++i)
        check(same_sizes(sizes, tensors[i].sizes()),
              "stack expects each tensor to be equal size, "
              "but got ",
              IntSpan(sizes), " at entry 0 and ", tensors[i].sizes(), " at entry ", i);
    sizes.insert(static_cast<size_t>(dim), static_cast<int64_t>(tensors.size()));
    Tensor out = empty(sizes, common_dtype(tensors), tensors[0].device());
    for (size_t i = 0; i < tensors.size() && !out.is_meta(); ++i) {
        const Tensor& t = tensors[i];
        Dims part(t.sizes()), strides(t.strides());
        part.insert(static_cast<size_t>(dim), 1);
        strides.insert(static_cast<size_t>(dim), 1);
        place(out, raw_view(t, part, strides, t.offset()), dim, static_cast<int64_t>(i));
    }
    if (should_record_any(tensors))
        record("StackBackward0", {out}, tensors, {}, [dim, n = tensors.size()](Backward& ctx) {
            Tensors grads(n);
            for (size_t i = 0; i < n; ++i)
                if (ctx.needs(i)) grads[i] = select(ctx.grad(), dim, static_cast<int64_t>(i));
            return grads;
        });
    return out;
}

const Op<Tensor(const Tensors&, int64_t)> cat{
    "cat(Tensor[] tensors, int dim=0) -> Tensor", "fod", cat_body,
    "The tensors one after the other along `dim`; all other sizes must agree."};
const Op<Tensor(const Tensors&, int64_t)> stack{
    "stack(Tensor[] tensors, int dim=0) -> Tensor", "fod", stack_body,
    "The tensors along a new dimension `dim`; all sizes must agree."};

}  // namespace kagari::ops
