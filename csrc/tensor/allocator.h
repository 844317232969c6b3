// The caching CPU allocator: freed blocks are kept by size class, because page faults cost ten
// times what the arithmetic on a large tensor does.
#pragma once
#include <cstddef>
#include <cstdint>

namespace kagari {

/// 64-byte aligned memory of at least `bytes`; huge pages from 2 MiB. Throws OutOfMemory, saying
/// how much was asked, held and free.
void* cpu_allocate(size_t bytes);
/// `bytes` must be what was asked for.
void cpu_release(void* data, size_t bytes) noexcept;

struct MemoryStats {
    int64_t allocated = 0;       // bytes in use by tensors
    int64_t peak_allocated = 0;  // its maximum since the last reset
    int64_t cached = 0;          // bytes freed by tensors and kept for reuse
    int64_t allocations = 0;     // number of requests so far
    int64_t cache_hits = 0;      // requests served without asking the system
    int64_t limit = 0;           // bytes that may be held; 0: no limit
};
MemoryStats memory_stats();
void reset_peak_memory();
/// Gives all cached blocks back to the system.
void empty_cache();
/// Bounds allocated + cached bytes; 0 lifts the limit.
void set_memory_limit(int64_t bytes);

}  // namespace kagari
