// Allocation, release and resizing of storages.
#include "tensor/storage.h"

#include <algorithm>
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

Storage::~Storage() {
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

}  // namespace kagari
