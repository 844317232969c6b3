// The thread pool (OpenMP's, the one oneDNN uses too) and the interpreter's lock around long work.
// Splits are by fixed grain, never by thread count, wherever the split can be seen in a result.
#pragma once
#include <cstdint>
#include <exception>
#include <mutex>

namespace kagari {

/// Threads that parallel work uses: the smaller of CPU affinity and cgroup quota unless set.
int num_threads();
void set_num_threads(int count);
/// Why num_threads() is what it is, one line per bound.
const char* explain_threads();
bool in_parallel_region();

/// Set by python/: gives the interpreter's lock back (null when not held), and takes it again.
struct LockHooks {
    void* (*unlock)() noexcept = nullptr;
    void (*lock)(void* state) noexcept = nullptr;
};
extern LockHooks lock_hooks;

/// While alive other Python threads run. Only around kernels: no tensor may be made or dropped.
class Unlocked {
  public:
    explicit Unlocked(bool wanted)
        : state_(wanted && lock_hooks.unlock ? lock_hooks.unlock() : nullptr) {}
    ~Unlocked() {
        if (state_) lock_hooks.lock(state_);
    }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

  private:
    void* state_;
};

namespace detail {
void run_parallel(int64_t chunks, void (*chunk)(void* context, int64_t index), void* context);
}

/// Calls f(first, last) on consecutive pieces of at most `grain` elements, on all threads if there
/// is more than one piece. The pieces depend on `grain` alone. An exception of a piece is rethrown.
template <class F>
void parallel_for(int64_t begin, int64_t end, int64_t grain, F&& f) {
    if (end <= begin) return;
    grain = grain < 1 ? 1 : grain;
    int64_t chunks = (end - begin - 1) / grain + 1;
    if (chunks == 1) return f(begin, end);
    struct Context {
        F& f;
        int64_t begin, end, grain;
        std::exception_ptr error;
        std::mutex mutex;
    } context{f, begin, end, grain, nullptr, {}};
    detail::run_parallel(
        chunks,
        [](void* p, int64_t i) {
            auto& c = *static_cast<Context*>(p);
            int64_t first = c.begin + i * c.grain;
            try {
                c.f(first, c.end - first < c.grain ? c.end : first + c.grain);
            } catch (...) {
                std::lock_guard lock(c.mutex);
                if (!c.error) c.error = std::current_exception();
            }
        },
        &context);
    if (context.error) std::rethrow_exception(context.error);
}

/// Bytes that one piece of memory-bound work should touch.
inline constexpr int64_t kGrainBytes = 128 * 1024;
/// Work above this many bytes is worth giving the interpreter's lock back (about 20 microseconds).
inline constexpr int64_t kUnlockBytes = 512 * 1024;

}  // namespace kagari
