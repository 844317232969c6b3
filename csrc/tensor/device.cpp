// The registry of device backends, with the two that are always there.
#include "tensor/device.h"

#include <charconv>
#include <cstring>
#include <vector>

#include "tensor/allocator.h"

namespace kagari {
namespace {

class CpuBackend final : public Backend {
  public:
    const char* name() const override { return "cpu"; }
    int device_count() const override { return 1; }
    void* allocate(size_t bytes, int) override { return cpu_allocate(bytes); }
    void release(void* data, size_t bytes, int) noexcept override { cpu_release(data, bytes); }
    void copy_from_cpu(void* to, const void* from, size_t bytes, int) override {
        if (bytes) std::memcpy(to, from, bytes);
    }
    void copy_to_cpu(void* to, const void* from, size_t bytes, int) override {
        if (bytes) std::memcpy(to, from, bytes);
    }
    void synchronize(int) override {}
};

/// Shapes and dtypes without memory: every pointer is null.
class MetaBackend final : public Backend {
  public:
    const char* name() const override { return "meta"; }
    int device_count() const override { return 1; }
    void* allocate(size_t, int) override { return nullptr; }
    void release(void*, size_t, int) noexcept override {}
    void copy_from_cpu(void*, const void*, size_t, int) override {}
    void copy_to_cpu(void*, const void*, size_t, int) override {
        fail<NotImplementedError>("copy: Cannot copy out of meta tensor; no data!");
    }
    void synchronize(int) override {}
};

std::vector<Backend*>& backends() {
    static CpuBackend cpu;
    static MetaBackend meta;
    static std::vector<Backend*> list{&cpu, &meta, nullptr};
    return list;
}

}  // namespace

Backend& backend(DeviceKind kind) {
    auto& list = backends();
    size_t i = static_cast<size_t>(kind);
    check<RuntimeError>(i < list.size() && list[i],
                        "device: kagari was started without support for this device (",
                        kind == DeviceKind::CUDA ? "cuda" : "unknown",
                        "): expected one that is present (cpu, meta, or a registered backend)");
    return *list[i];
}

DeviceKind register_backend(Backend* made) {
    auto& list = backends();
    if (std::string(made->name()) == "cuda") {
        list[2] = made;
        return DeviceKind::CUDA;
    }
    list.push_back(made);
    return static_cast<DeviceKind>(list.size() - 1);
}

Device parse_device(const std::string& text) {
    std::string kind = text.substr(0, text.find(':'));
    int index = -1;
    if (kind.size() != text.size()) {
        const char *first = text.data() + kind.size() + 1, *last = text.data() + text.size();
        auto [end, error] = std::from_chars(first, last, index);
        check<RuntimeError>(error == std::errc() && end == last && index >= 0 && index < 128,
                            "device: Invalid device string: '", text,
                            "', expected '<kind>' or '<kind>:<index>'");
    }
    auto& list = backends();
    for (size_t i = 0; i < list.size(); ++i)
        if (list[i] && kind == list[i]->name())
            return {static_cast<DeviceKind>(i), static_cast<int8_t>(index)};
    if (kind == "cuda") return {DeviceKind::CUDA, static_cast<int8_t>(index)};
    fail<RuntimeError>("device: expected a kind of device that is present (cpu, meta), got '", text,
                       "'");
}

std::string to_string(Device device) {
    auto& list = backends();
    size_t i = static_cast<size_t>(device.kind);
    std::string text = i < list.size() && list[i] ? list[i]->name() : "cuda";
    return device.index < 0 ? text : text + ":" + std::to_string(device.index);
}

static thread_local Device the_default = kCPU;
Device default_device() { return the_default; }
void set_default_device(Device device) { the_default = device; }

std::ostream& operator<<(std::ostream& os, Device device) { return os << to_string(device); }

}  // namespace kagari
