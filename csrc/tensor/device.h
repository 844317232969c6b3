// Devices and the interface that each kind of device implements. CPU and meta are built in; CUDA
// and out-of-tree devices register a Backend of their own.
#pragma once
#include <cstddef>
#include <string>

#include "tensor/error.h"

namespace kagari {

/// Kinds of device; numbers from `First` on are given to out-of-tree devices as they register.
enum class DeviceKind : uint8_t { CPU = 0, Meta = 1, CUDA = 2, First = 3 };

struct Device {
    DeviceKind kind = DeviceKind::CPU;
    int8_t index = -1;  // -1: the current one
    bool operator==(const Device&) const = default;
};
inline constexpr Device kCPU{};
inline constexpr Device kMeta{DeviceKind::Meta};

/// What a device must be able to do so that tensors can live on it.
class Backend {
  public:
    virtual ~Backend() = default;
    virtual const char* name() const = 0;
    virtual int device_count() const = 0;
    /// At least `bytes` bytes aligned to 64; throws OutOfMemory.
    virtual void* allocate(size_t bytes, int index) = 0;
    virtual void release(void* data, size_t bytes, int index) noexcept = 0;
    virtual void copy_from_cpu(void* to, const void* from, size_t bytes, int index) = 0;
    virtual void copy_to_cpu(void* to, const void* from, size_t bytes, int index) = 0;
    virtual void synchronize(int index) = 0;
};

/// The backend of a kind, or an error that names what is available.
Backend& backend(DeviceKind kind);
/// Adds a device kind under `backend->name()`; the object must live as long as the process.
DeviceKind register_backend(Backend* backend);
/// "cpu", "cuda:1", "meta" -> Device; RuntimeError for anything else.
Device parse_device(const std::string& text);
std::string to_string(Device device);
/// Where tensors of this thread are made unless told otherwise.
Device default_device();
void set_default_device(Device device);
std::ostream& operator<<(std::ostream& os, Device device);

}  // namespace kagari
