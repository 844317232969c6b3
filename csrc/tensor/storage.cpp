// Allocation, release and resizing of storages.
#include "tensor/storage.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tensor/allocator.h"

namespace kagari {

TwinHooks twin_hooks;

Storage::Storage(size_t bytes, Device device) : bytes_(bytes), device_(device) {
    data_ = device.kind == DeviceKind::CPU ? cpu_allocate(bytes)
                                           : backend(device.kind).allocate(bytes, device.index);
}

Storage::Storage(void* data, size_t bytes, Device device, std::function<void()> release)
    : data_(data), bytes_(bytes), device_(device), release_(std::move(release)) {}

Storage::~Storage() { give_back(); }

void Storage::give_back() {
    if (release_)
        release_();
    else if (device_.kind == DeviceKind::CPU)
        cpu_release(data_, bytes_);
    else
        backend(device_.kind).release(data_, bytes_, device_.index);
}

void Storage::resize(size_t bytes) {
    check<RuntimeError>(
        resizable(),
        "resize: Trying to resize storage that is not resizable (its memory belongs "
        "to somebody else); clone the tensor first");
    auto& device = backend(device_.kind);
    void* fresh = device.allocate(bytes, device_.index);
    if (device_.kind == DeviceKind::CPU && fresh && data_)
        std::memcpy(fresh, data_, std::min(bytes, bytes_));
    device.release(data_, bytes_, device_.index);
    data_ = fresh;
    bytes_ = bytes;
}

void Storage::share() {
    if (shared_) return;
    check<RuntimeError>(device_ == kCPU, "share_memory_: expected a tensor on the CPU, got one on ",
                        device_);
    check<RuntimeError>(!pinned_,
                        "share_memory_: the memory cannot move, NumPy or a DLPack consumer holds "
                        "its address; clone the tensor first");
    if (bytes_) {
        void* fresh =
            mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        check<RuntimeError>(fresh != MAP_FAILED, "share_memory_: unable to map ", bytes_,
                            " bytes: ", std::strerror(errno));
        std::memcpy(fresh, data_, bytes_);
        give_back();
        data_ = fresh;
        release_ = [fresh, size = bytes_] { munmap(fresh, size); };
    }
    shared_ = true;
}

}  // namespace kagari
