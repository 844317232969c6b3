// The built kernel tables of three x86 levels, and the cache of kernels compiled since.
#include "runtime/kernels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <span>
#include <unordered_map>

#include "tensor/error.h"

extern "C" {
// Written by the kernel compiler, one object file per level; weak so that a build without
// ahead-of-time kernels links and compiles everything at first use.
[[gnu::weak]] extern const kagari::KernelEntry kagari_kernels_v2[];
[[gnu::weak]] extern const int64_t kagari_kernels_v2_count;
[[gnu::weak]] extern const kagari::KernelEntry kagari_kernels_v3[];
[[gnu::weak]] extern const int64_t kagari_kernels_v3_count;
[[gnu::weak]] extern const kagari::KernelEntry kagari_kernels_v4[];
[[gnu::weak]] extern const int64_t kagari_kernels_v4_count;
}

namespace kagari {

KernelFn (*kernel_provider)(const std::string&) = nullptr;

namespace {

int detect_level() {
    int level = 2;
    if (__builtin_cpu_supports("x86-64-v3")) level = 3;
    if (__builtin_cpu_supports("x86-64-v4")) level = 4;
    if (const char* text = std::getenv("KAGARI_CPU_LEVEL"))
        if (text[0] == 'v' && text[1] >= '2' && text[1] <= '4')
            level = std::min(level, text[1] - '0');
    return level;
}

int level() {
    static int value = detect_level();
    return value;
}

std::span<const KernelEntry> table() {
    auto span = [](const KernelEntry* entries, const int64_t* count) {
        return count ? std::span(entries, static_cast<size_t>(*count))
                     : std::span<const KernelEntry>();
    };
    switch (level()) {
        case 4:
            return span(kagari_kernels_v4, &kagari_kernels_v4_count);
        case 3:
            return span(kagari_kernels_v3, &kagari_kernels_v3_count);
        default:
            return span(kagari_kernels_v2, &kagari_kernels_v2_count);
    }
}

std::mutex mutex;
std::unordered_map<std::string, KernelFn>& compiled() {
    static auto* map = new std::unordered_map<std::string, KernelFn>;
    return *map;
}

}  // namespace

const char* cpu_level() {
    static const char* const names[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};
    return names[level() - 2];
}

KernelFn find_built_kernel(std::string_view name) {
    auto entries = table();
    auto it = std::lower_bound(entries.begin(), entries.end(), name,
                               [](const KernelEntry& e, std::string_view n) { return e.name < n; });
    return it != entries.end() && it->name == name ? it->fn : nullptr;
}

KernelFn find_kernel(std::string_view name) {
    if (KernelFn fn = find_built_kernel(name)) return fn;
    std::string key(name);
    {
        std::lock_guard lock(mutex);
        if (auto it = compiled().find(key); it != compiled().end()) return it->second;
    }
    check<NotImplementedError>(kernel_provider, "kernel '", key,
                               "' is not built in and no run-time compiler is there to make it");
    KernelFn fn = kernel_provider(key);  // outside the lock: it runs Python
    std::lock_guard lock(mutex);
    return compiled()[key] = fn;
}

}  // namespace kagari
