// Memory of small objects that come and go with every op: tensor bodies, storages, graph nodes.
// Freed blocks wait in a list of their thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <new>

namespace kagari {

#if defined(__SANITIZE_ADDRESS__)
inline void* pool_allocate(size_t bytes) { return ::operator new(bytes); }
inline void pool_release(void* block, size_t) noexcept { ::operator delete(block); }
#else
namespace detail {

inline constexpr size_t kPoolClasses = 8;  // blocks of 64 to 512 bytes
inline constexpr uint32_t kPoolDepth = 512;

struct PoolList {
    void* first;
    uint32_t count;
};
// no destructor: a thread that ends leaves at most kPoolDepth blocks of a class behind
inline thread_local constinit PoolList pool_lists[kPoolClasses] = {};

}  // namespace detail

inline void* pool_allocate(size_t bytes) {
    size_t index = (bytes - 1) / 64;
    if (index >= detail::kPoolClasses) return ::operator new(bytes);
    auto& list = detail::pool_lists[index];
    if (!list.first) return ::operator new((index + 1) * 64);
    void* block = list.first;
    list.first = *static_cast<void**>(block);
    --list.count;
    return block;
}

inline void pool_release(void* block, size_t bytes) noexcept {
    size_t index = (bytes - 1) / 64;
    if (index >= detail::kPoolClasses || detail::pool_lists[index].count >= detail::kPoolDepth)
        return ::operator delete(block);
    auto& list = detail::pool_lists[index];
    *static_cast<void**>(block) = list.first;
    list.first = block;
    ++list.count;
}
#endif

/// Base of classes whose objects live in the pool.
struct Pooled {
    static void* operator new(size_t bytes) { return pool_allocate(bytes); }
    static void operator delete(void* block, size_t bytes) noexcept { pool_release(block, bytes); }
};

}  // namespace kagari
