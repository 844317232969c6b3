// Size classes, free lists and statistics of the CPU allocator.
#include "tensor/allocator.h"

#include <sys/mman.h>
#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "tensor/error.h"

namespace kagari {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLargest = size_t{1} << 62;

// Classes are 64-byte steps up to 1 KiB, then eight per power of two: at most 12.5 % is wasted.
struct SizeClass {
    size_t index;
    size_t bytes;
};

SizeClass size_class(size_t bytes) {
    if (bytes <= 1024) {
        size_t steps = bytes ? (bytes + 63) / 64 : 1;
        return {steps - 1, steps * 64};
    }
    size_t power = std::bit_width(bytes - 1) - 1;  // 2^power < bytes <= 2^(power+1)
    size_t step = size_t{1} << (power - 3);
    size_t eighth = (bytes - (size_t{1} << power) + step - 1) / step;  // 1..8
    return {16 + (power - 10) * 8 + eighth - 1, (size_t{1} << power) + eighth * step};
}

// Tells the address sanitizer that of a block only the first bytes may be touched: those asked for
// while it is in use, none while it waits in a list.
void allow([[maybe_unused]] void* data, [[maybe_unused]] size_t used,
           [[maybe_unused]] size_t asked) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(data, size_class(asked).bytes);
    ASAN_UNPOISON_MEMORY_REGION(data, used);
#endif
}

constexpr size_t kClasses = 16 + 53 * 8;
constexpr size_t kLocalClasses = 16;  // up to 1 KiB: kept per thread, without a lock
constexpr size_t kLocalBlocks = 128;

class CachingAllocator {
  public:
    void* allocate(size_t bytes) {
        check<OutOfMemory>(bytes < kLargest, "allocate: expected a size below 2^62 bytes, got ",
                           bytes);
        SizeClass c = size_class(bytes);
        std::lock_guard lock(mutex_);
        ++stats_.allocations;
        stats_.allocated += static_cast<int64_t>(c.bytes);
        stats_.peak_allocated = std::max(stats_.peak_allocated, stats_.allocated);
        auto& list = free_[c.index];
        if (!list.empty()) {
            ++stats_.cache_hits;
            stats_.cached -= static_cast<int64_t>(c.bytes);
            void* data = list.back();
            list.pop_back();
            return data;
        }
        return fresh(bytes, c.bytes);
    }

    void release(void* data, size_t bytes) noexcept {
        SizeClass c = size_class(bytes);
        std::lock_guard lock(mutex_);
        stats_.allocated -= static_cast<int64_t>(c.bytes);
        try {
            free_[c.index].push_back(data);
            stats_.cached += static_cast<int64_t>(c.bytes);
        } catch (...) {
            std::free(data);
        }
    }

    MemoryStats stats() {
        std::lock_guard lock(mutex_);
        return stats_;
    }
    void reset_peak() {
        std::lock_guard lock(mutex_);
        stats_.peak_allocated = stats_.allocated;
    }
    void set_limit(int64_t bytes) {
        std::lock_guard lock(mutex_);
        stats_.limit = bytes;
    }
    void trim() {
        std::lock_guard lock(mutex_);
        trim_locked();
    }

  private:
    void* fresh(size_t asked, size_t bytes) {
        auto over_limit = [&] {
            return stats_.limit && stats_.allocated + stats_.cached > stats_.limit;
        };
        if (over_limit()) trim_locked();
        void* data = over_limit() ? nullptr : from_system(bytes);
        if (!data) {
            trim_locked();
            if (!over_limit()) data = from_system(bytes);
        }
        if (data) return data;
        stats_.allocated -= static_cast<int64_t>(bytes);
        fail<OutOfMemory>(
            "allocate: out of memory: asked for ", asked, " bytes, tensors hold ", stats_.allocated,
            " bytes, the limit is ", stats_.limit ? stats_.limit : physical_memory(),
            " bytes. Free tensors that are no longer needed, or use smaller batches.");
    }

    static int64_t physical_memory() {
        return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
    }

    static void* from_system(size_t bytes) {
        // What exceeds the machine is refused here: the kernel would promise it and kill us later.
        if (bytes > static_cast<size_t>(physical_memory())) return nullptr;
        size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
        void* data = nullptr;
        if (posix_memalign(&data, alignment, bytes) != 0) return nullptr;
        if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);
        return data;
    }

    void trim_locked() {
        for (auto& list : free_) {
            for (void* data : list) std::free(data);
            list.clear();
        }
        stats_.cached = 0;
    }

    std::mutex mutex_;
    std::array<std::vector<void*>, kClasses> free_;
    MemoryStats stats_;
};

CachingAllocator& allocator() {
    // never destroyed: tensors may outlive static destruction
    static auto* instance = new CachingAllocator;
    return *instance;
}

// Small blocks of the current thread; they count as allocated until the thread ends or trims.
struct LocalCache {
    std::array<std::vector<void*>, kLocalClasses> blocks;
    void drain() {
        for (size_t i = 0; i < kLocalClasses; ++i) {
            for (void* data : blocks[i]) allocator().release(data, (i + 1) * 64);
            blocks[i].clear();
        }
    }
    ~LocalCache();
};
thread_local bool local_gone = false;
LocalCache::~LocalCache() {
    drain();
    local_gone = true;
}
thread_local LocalCache local;

}  // namespace

void* cpu_allocate(size_t bytes) {
    if (bytes <= 1024 && !local_gone) {
        auto& blocks = local.blocks[size_class(bytes).index];
        if (!blocks.empty()) {
            void* data = blocks.back();
            blocks.pop_back();
            allow(data, bytes, bytes);
            return data;
        }
    }
    void* data = allocator().allocate(bytes);
    allow(data, bytes, bytes);
    return data;
}

void cpu_release(void* data, size_t bytes) noexcept {
    allow(data, 0, bytes);
    if (bytes <= 1024 && !local_gone) {
        auto& blocks = local.blocks[size_class(bytes).index];
        if (blocks.size() < kLocalBlocks) {
            if (blocks.capacity() == 0) blocks.reserve(kLocalBlocks);
            blocks.push_back(data);
            return;
        }
    }
    allocator().release(data, bytes);
}

MemoryStats memory_stats() { return allocator().stats(); }
void reset_peak_memory() { allocator().reset_peak(); }
void empty_cache() {
    local.drain();
    allocator().trim();
}
void set_memory_limit(int64_t bytes) { allocator().set_limit(bytes); }

}  // namespace kagari
