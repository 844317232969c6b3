// Element copies: conversion, broadcasting, layout.
#include "ops/movement/copy.h"

#include "autograd/record.h"
#include "ops/movement/view_record.h"
#include "ops/movement/views.h"
#include "ops/output.h"
#include "ops/pointwise/loop.h"
#include "runtime/parallel.h"
#include "tensor/batch.h"

namespace kagari::ops {
namespace {

template <class To, class From>
void convert_run(int64_t n, void* const* data, const int64_t* strides) {
    char* to = static_cast<char*>(data[0]);
    const char* from = static_cast<const char*>(data[1]);
    const int64_t st = strides[0], sf = strides[1];
    if (st == sizeof(To) && sf == sizeof(From)) {
        if constexpr (std::is_same_v<To, From>) {
            std::memcpy(to, from, static_cast<size_t>(n) * sizeof(To));
        } else {
            auto* out = reinterpret_cast<To*>(to);
            auto* in = reinterpret_cast<const From*>(from);
            for (int64_t i = 0; i < n; ++i) out[i] = convert<To>(in[i]);
        }
        return;
    }
    for (int64_t i = 0; i < n; ++i)
        *reinterpret_cast<To*>(to + i * st) =
            convert<To>(*reinterpret_cast<const From*>(from + i * sf));
}

KernelFn convert_kernel(DType to, DType from) {
    return visit(to, [&](auto t) {
        return visit(from, [](auto f) -> KernelFn {
            return convert_run<typename decltype(t)::type, typename decltype(f)::type>;
        });
    });
}

// Note [Transposed copies]
// Reading along one dimension and writing along another touches a cache line per element. Tiles of
// 32 x 32 keep both sides in the first-level cache.
template <class T>
void transpose_tiles(char* to, const char* from, int64_t rows, int64_t cols, int64_t to_row,
                     int64_t from_col) {
    constexpr int64_t kTile = 32;
    parallel_for(
        0, (rows + kTile - 1) / kTile, std::max<int64_t>(1, 2048 / std::max<int64_t>(cols / 32, 1)),
        [&](int64_t first, int64_t last) {
            for (int64_t r0 = first * kTile; r0 < std::min(rows, last * kTile); r0 += kTile)
                for (int64_t c0 = 0; c0 < cols; c0 += kTile) {
                    int64_t r1 = std::min(rows, r0 + kTile), c1 = std::min(cols, c0 + kTile);
                    for (int64_t r = r0; r < r1; ++r) {
                        T* out = reinterpret_cast<T*>(to + r * to_row);
                        const char* in = from + r * static_cast<int64_t>(sizeof(T));
                        for (int64_t c = c0; c < c1; ++c)
                            out[c] = *reinterpret_cast<const T*>(in + c * from_col);
                    }
                }
        });
}

/// `to` row-major, `from` column-major in its last two dimensions (after collapsing): tiles.
bool copy_transposed(const Tensor& to, const Tensor& from) {
    if (to.dtype() != from.dtype() || to.numel() < 4096 || to.dim() < 2 ||
        !same_sizes(to.sizes(), from.sizes()) || !to.is_contiguous())
        return false;
    int64_t rank = to.dim(), size = static_cast<int64_t>(to.itemsize());
    if (size != 4 && size != 8 && size != 2) return false;
    // the dimension along which `from` is contiguous; what follows it must be one strided run
    int64_t d = rank - 1;
    while (d >= 0 && (from.strides()[d] != 1 || from.sizes()[d] == 1)) --d;
    if (d < 0 || d == rank - 1 || from.sizes()[d] < 8) return false;
    int64_t cols = 1, run = from.strides()[rank - 1];
    for (int64_t i = rank - 1; i > d; --i) {
        if (from.sizes()[i] != 1 && from.strides()[i] != run * cols) return false;
        cols *= from.sizes()[i];
    }
    if (cols < 8) return false;
    int64_t outer = 1;
    for (int64_t i = 0; i < d; ++i) outer *= from.sizes()[i];
    int64_t rows = from.sizes()[d];
    for (int64_t o = 0; o < outer; ++o) {
        int64_t at = 0, left = o;
        for (int64_t i = d - 1; i >= 0; --i) {
            at += left % from.sizes()[i] * from.strides()[i];
            left /= from.sizes()[i];
        }
        char* out = static_cast<char*>(to.data()) + o * rows * cols * size;
        const char* in = static_cast<const char*>(from.data()) + at * size;
        if (size == 4)
            transpose_tiles<uint32_t>(out, in, rows, cols, cols * size, run * size);
        else if (size == 8)
            transpose_tiles<uint64_t>(out, in, rows, cols, cols * size, run * size);
        else
            transpose_tiles<uint16_t>(out, in, rows, cols, cols * size, run * size);
    }
    return true;
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
    loop.run(convert_kernel(to.dtype(), from.dtype()),
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
