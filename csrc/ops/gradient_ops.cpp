// What the engine asks of the ops: adding gradients, bringing them to shape, windows on them.
#include "autograd/engine.h"
#include "ops/movement/view_record.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"

namespace kagari {
namespace ops {

/// How many elements of a storage a window takes, from its first one on.
static int64_t reach(IntSpan sizes, IntSpan strides) {
    int64_t last = 0;
    for (size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == 0) return 0;
        last += (sizes[i] - 1) * strides[i];
    }
    return last + 1;
}

/// Fresh zeros that both a base and a window on it lie in; as_strided may leave the base's memory,
/// so that the window can begin before the base or end behind it.
struct Laid {
    Tensor base, window;
};
static Laid lay(const Window& w, Device device) {
    bool same = w.base.dtype == w.view.dtype;  // a window of another dtype stays inside
    int64_t low = same ? std::min<int64_t>(w.offset, 0) : 0;
    int64_t length = reach(w.base.sizes, w.base_strides);
    if (same) length = std::max(length, w.offset + reach(w.view.sizes, w.strides));
    Tensor storage = zeros(Dims{length - low}, w.base.dtype, device);
    return {raw_view(storage, w.base.sizes, w.base_strides, -low),
            raw_view(storage, w.view.sizes, w.strides, w.offset - low, w.view.dtype)};
}

static Tensor as_strided_backward_body(const Tensor& grad, IntSpan old_sizes, IntSpan old_strides,
                                       int64_t old_offset, IntSpan sizes, IntSpan strides,
                                       int64_t offset) {
    // Every element of the storage gets the sum of the gradients of the places that show it; an
    // input that overlaps itself shares its element's gradient among the places.
    Dims from_sizes(old_sizes), from_strides(old_strides), to_sizes(sizes), to_strides(strides);
    int64_t low = std::min(old_offset, offset);
    int64_t length = std::max(old_offset - low + reach(old_sizes, old_strides),
                              offset - low + reach(sizes, strides));
    Tensor out;
    {
        NoGrad guard;
        Tensor storage = zeros(Dims{length}, grad.dtype(), grad.device());
        Tensor view = raw_view(storage, sizes, strides, offset - low);
        if (overlaps_itself(view)) {
            Tensor index = raw_view(arange(0, length, 1, DType::I64), sizes, strides, offset - low);
            Tensor flat_index = raw_contiguous(index), flat = raw_contiguous(grad);
            visit(grad.dtype(), [&](auto tag) {
                using T = typename decltype(tag)::type;
                auto* at = flat_index.template data<int64_t>();
                T *from = flat.template data<T>(), *to = storage.template data<T>();
                if constexpr (!std::is_same_v<T, bool>)
                    for (int64_t i = 0; i < flat.numel(); ++i) to[at[i]] = T(to[at[i]] + from[i]);
            });
        } else {
            copy_elements(view, grad);
        }
        out = raw_contiguous(raw_view(storage, old_sizes, old_strides, old_offset - low));
    }
    if (should_record(grad))  // its own derivative is the same with the windows exchanged
        record("AsStridedBackwardBackward0", {out}, {grad}, {}, [=](Backward& ctx) -> Tensors {
            return {as_strided_backward(ctx.grad(), to_sizes, to_strides, offset, from_sizes,
                                        from_strides, old_offset)};
        });
    return out;
}

const Op<Tensor(const Tensor&, IntSpan, IntSpan, int64_t, IntSpan, IntSpan, int64_t)>
    as_strided_backward{
        "_as_strided_backward(Tensor grad, int[] old_size, int[] old_stride, int old_offset, int[] "
        "size, int[] stride, int offset) -> Tensor",
        "p", as_strided_backward_body, ""};

/// `t` in memory laid out like the base of a window; through ops, for interceptors.
static Tensor laid_out(const Tensor& t, const Window& w) {
    static const OpRecord* op = find_op("_clone_strided");
    return std::get<Tensor>(op->run({t, w.base_strides})[0]);
}

/// The part of a base-shaped gradient that a window shows.
static Tensor window(const Tensor& base_grad, const Window& w) {
    if (intercepted()) return as_strided(laid_out(base_grad, w), w.view.sizes, w.strides, w.offset);
    Tensor out;
    {
        NoGrad guard;
        Laid laid = lay(w, base_grad.device());
        copy_elements(laid.base, base_grad);
        out = empty(w.view.sizes, w.view.dtype, base_grad.device());
        copy_elements(out, laid.window);
    }
    if (should_record(base_grad))
        record("WindowBackward0", {out}, {base_grad}, {}, [w](Backward& ctx) -> Tensors {
            return {engine_ops.window_scatter({}, ctx.grad(), w)};
        });
    return out;
}

static Tensor window_scatter(const Tensor& base_grad, const Tensor& part, const Window& w) {
    if (intercepted()) {
        Tensor laid = new_zeros(part, w.base.sizes);
        laid = laid_out(base_grad.defined() ? add(laid, base_grad) : laid, w);
        copy_(as_strided(laid, w.view.sizes, w.strides, w.offset), part, false);
        return laid;
    }
    Tensor out;
    {
        NoGrad guard;
        Laid laid = lay(w, part.device());
        if (base_grad.defined()) copy_elements(laid.base, base_grad);
        copy_elements(laid.window, part);
        out = laid.base;
    }
    bool recorded = base_grad.defined() ? should_record(base_grad, part) : should_record(part);
    if (recorded)
        record("WindowScatterBackward0", {out}, {base_grad.defined() ? base_grad : part, part}, {},
               [w, has_base = base_grad.defined()](Backward& ctx) -> Tensors {
                   Tensor rest = has_base ? engine_ops.window_scatter(
                                                ctx.grad(), zeros(w.view.sizes, w.view.dtype), w)
                                          : Tensor();
                   return {rest, engine_ops.window(ctx.grad(), w)};
               });
    return out;
}

static Tensor conform(const Tensor& grad, const OutputInfo& info) {
    Tensor out = grad;
    if (is_complex(out.dtype()) && !is_complex(info.dtype)) out = select(view_as_real(out), -1, 0);
    if (!same_sizes(out.sizes(), info.sizes)) {
        IntSpan from = out.sizes();
        bool fits = from.size() >= info.sizes.size();
        for (size_t i = 0; fits && i < info.sizes.size(); ++i) {
            int64_t to = info.sizes[info.sizes.size() - 1 - i], have = from[from.size() - 1 - i];
            fits = to == have || to == 1;
        }
        check<RuntimeError>(fits, "backward: a function returned an invalid gradient: got shape ",
                            from, " but expected shape compatible with ", IntSpan(info.sizes));
        out = sum_to_size(out, info.sizes);
    }
    return to(out, info.dtype);
}

static Tensor add_inplace(const Tensor& a, const Tensor& b) {
    NoGrad guard;
    if (intercepted()) return add(a, b);
    add.into(a, a, b);
    return a;
}

static bool has_nan(const Tensor& t) {
    if (!is_floating(t.dtype()) && !is_complex(t.dtype())) return false;
    NoGrad guard;
    return item(sum(to(isnan(t), DType::I64), Dims(), false, std::nullopt)).to<int64_t>() > 0;
}

static const bool engine_ready = [] {
    engine_ops.add = [](const Tensor& a, const Tensor& b) { return add(a, b); };
    engine_ops.add_inplace = add_inplace;
    engine_ops.zeros = [](const OutputInfo& info) {
        return zeros(info.sizes, info.dtype, info.device);
    };
    engine_ops.ones_like = [](const Tensor& t) { return ones_like(t); };
    engine_ops.conform = conform;
    engine_ops.clone_as = [](const Tensor& t, const Tensor& like) {
        static const OpRecord* op = find_op("_clone_strided");
        Dims strides = preserved_strides(like);
        if (same_sizes(strides, preserved_strides(t))) return clone(t);
        return std::get<Tensor>(op->run({t, strides})[0]);
    };
    engine_ops.window = window;
    engine_ops.window_scatter = window_scatter;
    engine_ops.has_nan = has_nan;
    return true;
}();

}  // namespace ops
}  // namespace kagari
