// Making tensors and reasoning about their layout.
#include "tensor/tensor.h"

#include <numeric>

#include "tensor/batch.h"

namespace kagari {

static std::atomic<int64_t> live{0};

thread_local bool making_inference_tensors = false;

TensorBody::TensorBody() : inference(making_inference_tensors) {
    live.fetch_add(1, std::memory_order_relaxed);
}
TensorBody::~TensorBody() { live.fetch_sub(1, std::memory_order_relaxed); }
int64_t live_tensors() { return live.load(); }

std::atomic<int> guarded_memory{0};
void (*memory_guard)(const Tensor&) = nullptr;

void* Tensor::without_memory() const {
    check<RuntimeError>(!is_meta() || numel() == 0,
                        "Expected all tensors to be on the same device, but found at least one on "
                        "meta, which has shapes and no values, where values are needed");
    check<RuntimeError>(!body_->batch && numel() == 0,
                        "vmap: the values of a batched tensor cannot be read here: inside vmap it "
                        "stands for one sample of many. Use ops on tensors instead (where for a "
                        "choice that depends on values)");
    return nullptr;
}

void TensorBody::update_layout() {
    numel = 1;
    contiguous = true;
    int64_t step = 1;
    bool overflow = false;
    for (size_t i = sizes.size(); i-- > 0;) {
        overflow |= __builtin_mul_overflow(numel, sizes[i], &numel);
        if (sizes[i] != 1) {
            contiguous &= strides[i] == step;
            overflow |= __builtin_mul_overflow(step, sizes[i], &step);
        }
    }
    if (overflow) [[unlikely]]
        numel = checked_numel(sizes, "view");
    contiguous |= numel == 0;
}

Tensor make_batched(const Tensor& value, int64_t level) {
    check<RuntimeError>(value.dim() > 0, "vmap: expected a tensor with a batch dimension, got 0-d");
    auto body = make_ref<TensorBody>();
    body->storage = make_ref<Storage>(nullptr, 0, value.device(), [] {});
    body->sizes = Dims(value.sizes().begin() + 1, value.sizes().end());
    body->strides = Dims(value.strides().begin() + 1, value.strides().end());
    body->dtype = value.dtype();
    body->update_layout();
    body->batch = std::make_unique<BatchSlot>(BatchSlot{value, level});
    return Tensor(std::move(body));
}

static size_t checked_bytes(int64_t count, DType dtype, const char* op) {
    size_t bytes;
    check<RuntimeError>(
        !__builtin_mul_overflow(static_cast<size_t>(count), itemsize(dtype), &bytes) &&
            bytes <= size_t{1} << 62,
        op, ": Storage size calculation overflowed: ", count, " elements of ", dtype);
    return bytes;
}

Tensor empty(IntSpan sizes, DType dtype, Device device) {
    int64_t count = checked_numel(sizes, "empty");
    auto body = make_ref<TensorBody>();
    body->storage = make_ref<Storage>(checked_bytes(count, dtype, "empty"), device);
    body->sizes = Dims(sizes);
    body->strides = contiguous_strides(sizes);
    body->numel = count;
    body->dtype = dtype;
    return Tensor(std::move(body));
}

static int64_t storage_elements(IntSpan sizes, IntSpan strides, const char* op) {
    int64_t last = 0;
    for (size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == 0) return 0;
        int64_t reach;
        check<RuntimeError>(!__builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) &&
                                !__builtin_add_overflow(last, reach, &last) && last < INT64_MAX,
                            op, ": Storage size calculation overflowed with sizes ", sizes,
                            " and strides ", strides);
    }
    return last + 1;
}

Tensor empty_strided(IntSpan sizes, IntSpan strides, DType dtype, Device device) {
    check<RuntimeError>(sizes.size() == strides.size(),
                        "empty_strided: expected as many strides as sizes, got sizes ", sizes,
                        " and strides ", strides);
    checked_numel(sizes, "empty_strided");
    for (int64_t s : strides)
        check<RuntimeError>(s >= 0, "empty_strided: expected strides >= 0, got ", strides);
    int64_t count = storage_elements(sizes, strides, "empty_strided");
    auto body = make_ref<TensorBody>();
    body->storage = make_ref<Storage>(checked_bytes(count, dtype, "empty_strided"), device);
    body->sizes = Dims(sizes);
    body->strides = Dims(strides);
    body->dtype = dtype;
    body->update_layout();
    return Tensor(std::move(body));
}

Tensor empty_like(const Tensor& t) { return empty_like(t, t.dtype()); }

Tensor empty_like(const Tensor& t, DType dtype) {
    if (t.is_contiguous()) {
        Tensor out = empty(t.sizes(), dtype, t.device());
        out.body()->strides = t.body()->strides;  // those of sizes 0 and 1 are kept, too
        return out;
    }
    return empty_strided(t.sizes(), preserved_strides(t), dtype, t.device());
}

Tensor raw_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset, DType dtype) {
    if (guarded_memory.load(std::memory_order_relaxed)) [[unlikely]]
        memory_guard(t);
    auto body = make_ref<TensorBody>();
    body->storage = t.storage();
    body->sizes = Dims(sizes);
    body->strides = Dims(strides);
    body->offset = offset;
    body->dtype = dtype;
    body->inference = t.body()->inference;
    body->update_layout();
    return Tensor(std::move(body));
}

Tensor raw_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset) {
    return raw_view(t, sizes, strides, offset, t.dtype());
}

void check_in_storage(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset,
                      const char* op) {
    check<RuntimeError>(sizes.size() == strides.size(), op,
                        ": mismatch in length of strides and shape, got sizes ", sizes,
                        " and strides ", strides);
    for (int64_t s : strides)
        check<RuntimeError>(s >= 0, op, ": Negative strides are not supported, got ", strides);
    check<RuntimeError>(offset >= 0, op, ": expected storage_offset >= 0, got ", offset);
    checked_numel(sizes, op);
    int64_t count = storage_elements(sizes, strides, op), end;
    if (count == 0) return;
    bool overflow = __builtin_add_overflow(count, offset, &end) ||
                    __builtin_mul_overflow(end, static_cast<int64_t>(t.itemsize()), &end);
    check<RuntimeError>(!overflow && end <= static_cast<int64_t>(t.storage()->bytes()), op,
                        ": setStorage: sizes ", sizes, ", strides ", strides, ", storage offset ",
                        offset, " are out of bounds for storage of size ", t.storage()->bytes());
}

/// Dimensions from the slowest to the fastest, ties in their given order.
static Dims stride_order(const Tensor& t) {
    Dims order(t.sizes().size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return t.strides()[a] > t.strides()[b]; });
    return order;
}

bool is_dense(const Tensor& t) {
    if (t.is_contiguous()) return true;
    Dims order = stride_order(t);
    int64_t step = 1;
    for (size_t i = order.size(); i-- > 0;) {
        int64_t size = t.sizes()[order[i]];
        if (size == 1) continue;
        if (t.strides()[order[i]] != step) return false;
        step *= size;
    }
    return true;
}

bool overlaps_itself(const Tensor& t) {
    if (t.is_contiguous() || t.numel() < 2) return false;
    Dims order = stride_order(t);
    int64_t reach = 0;  // of the faster dimensions together
    for (size_t i = order.size(); i-- > 0;) {
        int64_t size = t.sizes()[order[i]], stride = t.strides()[order[i]];
        if (size == 1) continue;
        if (stride <= reach) return true;
        reach += (size - 1) * stride;
    }
    return false;
}

Dims preserved_strides(const Tensor& t) {
    if (t.is_contiguous()) return contiguous_strides(t.sizes());
    if (is_dense(t)) return Dims(t.strides());
    for (int64_t s : t.strides())
        if (s == 0) return contiguous_strides(t.sizes());
    Dims order = stride_order(t), strides(order.size());
    int64_t step = 1;
    for (size_t i = order.size(); i-- > 0;) {
        strides[order[i]] = step;
        step *= std::max<int64_t>(t.sizes()[order[i]], 1);
    }
    return strides;
}

}  // namespace kagari
