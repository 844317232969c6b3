// The tensor: a strided window on a storage. `Tensor` is a handle (one pointer); `TensorBody` is
// what it points to. What differentiation hangs on a body is left to autograd/.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "tensor/dims.h"
#include "tensor/dtype.h"
#include "tensor/pool.h"
#include "tensor/scalar.h"
#include "tensor/storage.h"

namespace kagari {

/// Under inference_mode: what is made now never takes part in differentiation.
extern thread_local bool making_inference_tensors;

class Tensor;

/// While not 0, `memory_guard` sees every tensor whose memory is asked for (autograd/tangent.h).
extern std::atomic<int> guarded_memory;
extern void (*memory_guard)(const Tensor&);

/// What autograd/ attaches to a tensor.
struct AutogradSlot {
    virtual ~AutogradSlot() = default;
};

/// What a tensor inside vmap stands for (tensor/batch.h).
struct BatchSlot;

struct TensorBody final : Counted, Pooled {
    Ref<Storage> storage;
    Dims sizes, strides;  // strides in elements
    int64_t offset = 0;   // in elements
    int64_t numel = 0;
    DType dtype = DType::F32;
    bool contiguous = true;
    bool requires_grad = false;  // set on the tensor itself; a view also asks its base
    bool inference = false;      // made under inference_mode
    Ref<TensorBody> base;        // the tensor this one is a view of (never itself a view)
    int64_t view_version = 0;    // of a view: the version for which its own history is right
    std::unique_ptr<AutogradSlot> autograd;
    std::unique_ptr<BatchSlot> batch;  // set: values are elsewhere, the shape is that of one sample

    TensorBody();
    ~TensorBody() override;
    void update_layout();  // numel and contiguity from sizes and strides
};

class Tensor {
  public:
    Tensor() = default;
    explicit Tensor(Ref<TensorBody> body) : body_(std::move(body)) {}

    bool defined() const { return static_cast<bool>(body_); }
    explicit operator bool() const { return defined(); }
    TensorBody* body() const { return body_.get(); }
    const Ref<TensorBody>& ref() const { return body_; }
    /// Same object (not: equal values).
    bool is(const Tensor& o) const { return body_ == o.body_; }

    int64_t dim() const { return static_cast<int64_t>(body_->sizes.size()); }
    IntSpan sizes() const { return body_->sizes; }
    IntSpan strides() const { return body_->strides; }
    int64_t size(int64_t d) const { return body_->sizes[wrap_dim(d, dim(), "size")]; }
    int64_t stride(int64_t d) const { return body_->strides[wrap_dim(d, dim(), "stride")]; }
    int64_t numel() const { return body_->numel; }
    int64_t offset() const { return body_->offset; }
    DType dtype() const { return body_->dtype; }
    size_t itemsize() const { return kagari::itemsize(body_->dtype); }
    size_t nbytes() const { return itemsize() * static_cast<size_t>(numel()); }
    Device device() const { return body_->storage->device(); }
    bool is_meta() const { return device().kind == DeviceKind::Meta; }
    bool is_contiguous() const { return body_->contiguous; }
    bool requires_grad() const {
        return body_->requires_grad || (body_->base && body_->base->requires_grad);
    }
    const Ref<Storage>& storage() const { return body_->storage; }
    int64_t version() const { return body_->storage->version(); }
    void bump_version() const { body_->storage->bump_version(); }

    void* data() const {
        auto* bytes = static_cast<char*>(body_->storage->data());
        if (!bytes) [[unlikely]]
            return without_memory();
        if (guarded_memory.load(std::memory_order_relaxed)) [[unlikely]]
            memory_guard(*this);
        return bytes + static_cast<size_t>(body_->offset) * itemsize();
    }
    template <class T>
    T* data() const {
        return static_cast<T*>(data());
    }

  private:
    /// Null for a tensor without elements; an error for one on a device without memory, so that an
    /// op that mixes such a device with another never reaches a kernel, and for a batched one.
    void* without_memory() const;
    Ref<TensorBody> body_;
};

using Tensors = std::vector<Tensor>;

/// New memory, values undefined. Sizes are checked: negative or overflowing ones are errors.
Tensor empty(IntSpan sizes, DType dtype, Device device = kCPU);
Tensor empty_strided(IntSpan sizes, IntSpan strides, DType dtype, Device device = kCPU);
/// Same sizes, dtype and device; strides kept where `t` is dense, whatever the order of dimensions.
Tensor empty_like(const Tensor& t);
Tensor empty_like(const Tensor& t, DType dtype);
/// A window on the storage of `t` that no differentiation knows of. Bounds are not checked.
Tensor raw_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset);
Tensor raw_view(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset, DType dtype);
/// Error unless every element that sizes, strides and offset reach lies in the storage.
void check_in_storage(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset,
                      const char* op);
/// No two elements share memory and there are no holes (any order of dimensions).
bool is_dense(const Tensor& t);
/// Some elements share memory (an expanded tensor, say), so writing to it has no one meaning.
bool overlaps_itself(const Tensor& t);
/// Strides of an output that keeps the layout of `t` (PyTorch's preserve_format).
Dims preserved_strides(const Tensor& t);
/// The number of live tensor bodies, for leak checks.
int64_t live_tensors();

}  // namespace kagari
