// Element copies: conversion, broadcasting, layout.
#include "ops/movement/copy.h"

#include "autograd/record.h"
#include "cpu/convert.h"
#include "cpu/transpose.h"
#include "ops/movement/view_record.h"
#include "ops/movement/views.h"
#include "ops/output.h"
#include "ops/pointwise/loop.h"
#include "runtime/parallel.h"
#include "tensor/batch.h"

namespace kagari::ops {
namespace {

/// See Note [Transposed copies].
bool copy_transposed(const Tensor& to, const Tensor& from) {
    if (to.dtype() != from.dtype() || to.dim() < 2 || !same_sizes(to.sizes(), from.sizes()) ||
        to.numel() == 0 || (to.is_contiguous() && from.is_contiguous()))
        return false;
    Unlocked unlocked(static_cast<int64_t>(to.nbytes()) > kUnlockBytes);
    return cpu::copy_transposed(to.data(), to.strides(), from.data(), from.strides(), to.sizes(),
                                to.itemsize());
}

void copy_between_devices(const Tensor& to, const Tensor& from) {
    Tensor source = raw_contiguous(from, to.dtype());
    if (!same_sizes(source.sizes(), to.sizes()) || !to.is_contiguous())
        fail<NotImplementedError>(
            "copy_: copies between devices need equal shapes and a contiguous "
            "destination, got ",
            source.sizes(), " to ", to.sizes());
    if (from.device() == kCPU)
        backend(to.device().kind)
            .copy_from_cpu(to.data(), source.data(), to.nbytes(), to.device().index);
    else if (to.device() == kCPU)
        backend(from.device().kind)
            .copy_to_cpu(to.data(), source.data(), to.nbytes(), from.device().index);
    else
        copy_between_devices(to, to_device(source, kCPU));
}

}  // namespace

void copy_elements(const Tensor& to, const Tensor& from) {
    if (to.is_meta()) return;
    if (to.device() != from.device()) return copy_between_devices(to, from);
    if (copy_transposed(to, from)) return;
    Loop loop(to.sizes());
    loop.add(to);
    loop.add(from);
    loop.run(cpu::convert_kernel(to.dtype(), from.dtype()),
             static_cast<int64_t>(to.itemsize() + from.itemsize()));
}

Tensor raw_contiguous(const Tensor& t, DType dtype) {
    if (t.is_contiguous() && t.dtype() == dtype) return t;
    Tensor out = empty(t.sizes(), dtype, t.device());
    copy_elements(out, t);
    return out;
}
Tensor raw_contiguous(const Tensor& t) { return raw_contiguous(t, t.dtype()); }

static Tensor copy_body(const Tensor& self, const Tensor& source, bool) {
    Dims sizes = broadcast_sizes(self.sizes(), source.sizes(), "copy_");
    check<RuntimeError>(same_sizes(sizes, self.sizes()), "copy_: The size of tensor a ",
                        self.sizes(), " must match the size of tensor b ", source.sizes(),
                        ": the source does not broadcast to the destination");
    if (self.is(source)) return self;
    check_inplace(self, "copy_");
    bool recorded = is_differentiable(self.dtype()) && should_record(self, source);
    Ref<Node> node;
    if (recorded) {
        auto rule = [](Backward& ctx) -> Tensors { return {Tensor(), ctx.grad()}; };
        auto made = make_ref<ClosureNode<decltype(rule)>>("CopyBackwards", rule);
        made->edges() = {gradient_edge(self), gradient_edge(source)};
        made->outputs().push_back({self.body()->sizes, self.dtype(), self.device()});
        node = made;
    }
    bool aliased = self.storage() == source.storage() && may_share_memory(self, source);
    if (aliased && same_window(self, source)) return self;
    copy_elements(self, aliased ? raw_contiguous(clone(source)) : source);
    self.bump_version();
    if (recorded) rebase_history(self, node);
    return self;
}
const Op<Tensor(const Tensor&, const Tensor&, bool)> copy_{
    "copy_(Tensor input, Tensor src, bool non_blocking=False) -> Tensor", "m", copy_body,
    "Writes src, broadcast and converted to this dtype, into this tensor and returns it."};

/// A recorded copy in fresh memory.
static Tensor recorded_copy(const Tensor& t, Tensor out, const char* name) {
    copy_elements(out, t);
    if (is_differentiable(out.dtype()) && should_record(t))
        record(name, {out}, {t}, {}, [](Backward& ctx) -> Tensors { return {ctx.grad()}; });
    return out;
}

static Tensor clone_body(const Tensor& t) {
    return recorded_copy(t, empty_like(t), "CloneBackward0");
}
const Op<Tensor(const Tensor&)> clone{"_clone(Tensor input) -> Tensor", "p", clone_body, ""};

static Tensor contiguous_body(const Tensor& t) {
    if (t.is_contiguous()) return t;
    return recorded_copy(t, empty(t.sizes(), t.dtype(), t.device()), "CloneBackward0");
}
const Op<Tensor(const Tensor&)> contiguous{"_contiguous(Tensor input) -> Tensor", "p",
                                           contiguous_body, ""};

static Tensor to_dtype_body(const Tensor& t, DType dtype) {
    if (t.dtype() == dtype) return t;
    return recorded_copy(t, empty_like(t, dtype), "ToCopyBackward0");
}
static const Op<Tensor(const Tensor&, DType)> to_dtype{
    "_to_dtype(Tensor input, dtype dtype) -> Tensor", "p", to_dtype_body, ""};
Tensor to(const Tensor& t, DType dtype) { return t.dtype() == dtype ? t : to_dtype(t, dtype); }

static Tensor to_device_body(const Tensor& t, Device device) {
    if (t.device() == device) return t;
    if (device == kMeta) return empty_strided(t.sizes(), t.strides(), t.dtype(), device);
    return recorded_copy(t, empty(t.sizes(), t.dtype(), device), "ToCopyBackward0");
}
static const Op<Tensor(const Tensor&, Device)> to_device_op{
    "_to_device(Tensor input, device device) -> Tensor", "p", to_device_body, ""};
Tensor to_device(const Tensor& t, Device device) { return to_device_op(t, device); }

/// A copy with the strides asked for; what memory_format and `layout` arguments end in.
static Tensor clone_strided_body(const Tensor& t, IntSpan strides) {
    return recorded_copy(t, empty_strided(t.sizes(), strides, t.dtype(), t.device()),
                         "CloneBackward0");
}
static const Op<Tensor(const Tensor&, IntSpan)> clone_strided{
    "_clone_strided(Tensor input, int[] stride) -> Tensor", "p", clone_strided_body, ""};

Scalar item(const Tensor& t) {
    check<RuntimeError>(
        !batch_of(t),
        "vmap: It looks like you're calling .item() on a Tensor, which has one value "
        "per sample. We don't support vmap over calling .item() on a Tensor; use "
        "ops on tensors instead");
    check<RuntimeError>(t.numel() == 1, "item: a Tensor with ", t.numel(),
                        " elements cannot be converted to Scalar");
    check<RuntimeError>(!t.is_meta(), "item: Tensor.item() cannot be called on meta tensors");
    Tensor source = t.device() == kCPU ? t : to_device(t, kCPU);
    return visit(source.dtype(), [&](auto tag) -> Scalar {
        using T = typename decltype(tag)::type;
        T v = *source.data<T>();
        if constexpr (kIsComplex<T>)
            return Scalar(c128(v));
        else if constexpr (std::is_same_v<T, bool>)
            return Scalar(v);
        else if constexpr (std::is_same_v<T, uint64_t>)
            return Scalar(uint64_t{v});
        else if constexpr (std::is_integral_v<T>)
            return Scalar(int64_t{v});
        else
            return Scalar(static_cast<double>(v));
    });
}

}  // namespace kagari::ops
