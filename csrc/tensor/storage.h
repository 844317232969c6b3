// A run of bytes on a device, shared by every view of it, with the version that in-place writes
// count.
#pragma once
#include <atomic>
#include <functional>

#include "tensor/device.h"
#include "tensor/pool.h"
#include "tensor/ref.h"

namespace kagari {

class Storage final : public Counted, public Pooled {
  public:
    /// Memory from the device's own allocator.
    Storage(size_t bytes, Device device);
    /// Memory owned by somebody else (NumPy, DLPack, a mapped file, another storage).
    Storage(void* data, size_t bytes, Device device, std::function<void()> release);
    ~Storage() override;

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }
    Device device() const { return device_; }
    bool resizable() const { return !release_ && !pinned_; }
    /// From here on the memory stays where it is: somebody outside holds its address.
    void forbid_resize() { pinned_ = true; }
    /// Reallocates, keeping the common prefix. RuntimeError for memory that is not our own.
    void resize(size_t bytes);
    /// Moves the bytes to where processes that are forked from here on see the same ones.
    void share();
    /// The memory is of that kind already.
    void mark_shared() { shared_ = true; }
    bool shared() const { return shared_; }

    int64_t version() const { return version_.load(std::memory_order_relaxed); }
    void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }
    void set_version(int64_t version) { version_.store(version); }

  private:
    void give_back();

    void* data_;
    size_t bytes_;
    Device device_;
    bool pinned_ = false, shared_ = false;
    std::atomic<int64_t> version_{0};
    std::function<void()> release_;
};

}  // namespace kagari
