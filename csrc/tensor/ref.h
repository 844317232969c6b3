// Intrusive reference counting. An object that has a Python twin is counted by the twin, so both
// live and die together (see Note [Twins]); what the twin is, is left to python/.
#pragma once
#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace kagari {

/// How the Python room counts its objects; unset in a program without Python.
struct TwinHooks {
    void (*retain)(void* twin) noexcept = nullptr;
    void (*release)(void* twin) noexcept = nullptr;
};
extern TwinHooks twin_hooks;

// Note [Twins]
// `state_` is odd while no Python object exists: the count, shifted by one. When Python first sees
// the object, it makes a twin and stores the twin's address (even) here; the counts held so far
// move to the twin. From then on every C++ reference is a Python reference, so identity, attributes
// and weak references of a tensor survive while only C++ (a graph node, say) holds it. The twin's
// deallocator deletes the object. References are therefore only touched while the interpreter's
// lock is held; kernels that run without it work on raw pointers.
class Counted {
  public:
    Counted() = default;
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    virtual ~Counted() = default;

    void retain() const noexcept {
        uintptr_t state = state_.load(std::memory_order_relaxed);
        if (state & 1)
            state_.fetch_add(2, std::memory_order_relaxed);
        else
            twin_hooks.retain(reinterpret_cast<void*>(state));
    }

    void release() const noexcept {
        uintptr_t state = state_.load(std::memory_order_relaxed);
        if (!(state & 1)) return twin_hooks.release(reinterpret_cast<void*>(state));
        if (state_.fetch_sub(2, std::memory_order_acq_rel) == 3) destroy();
    }

    /// The Python object, or null while there is none.
    void* twin() const noexcept {
        uintptr_t state = state_.load(std::memory_order_acquire);
        return (state & 1) ? nullptr : reinterpret_cast<void*>(state);
    }

    /// Hands the count to `twin`, which must already hold one reference for each one here.
    void set_twin(void* twin) noexcept { state_.store(reinterpret_cast<uintptr_t>(twin)); }
    /// Number of references; only meaningful while there is no twin.
    int64_t count() const noexcept { return static_cast<int64_t>(state_.load() >> 1); }

    /// Called when the last reference goes; nodes override it so that deep graphs do not recurse.
    virtual void destroy() const noexcept { delete this; }

  private:
    mutable std::atomic<uintptr_t> state_{1};
};

/// Owning pointer to a Counted object.
template <class T>
class Ref {
  public:
    Ref() noexcept = default;
    Ref(std::nullptr_t) noexcept {}
    explicit Ref(T* p) noexcept : p_(p) {
        if (p_) p_->retain();
    }
    Ref(const Ref& o) noexcept : p_(o.p_) {
        if (p_) p_->retain();
    }
    Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
    template <class U>
        requires std::is_convertible_v<U*, T*>
    Ref(const Ref<U>& o) noexcept : Ref(static_cast<T*>(o.get())) {}
    template <class U>
        requires std::is_convertible_v<U*, T*>
    Ref(Ref<U>&& o) noexcept : p_(o.detach()) {}
    ~Ref() {
        if (p_) p_->release();
    }
    Ref& operator=(Ref o) noexcept {
        std::swap(p_, o.p_);
        return *this;
    }

    T* get() const noexcept { return p_; }
    T* operator->() const noexcept { return p_; }
    T& operator*() const noexcept { return *p_; }
    explicit operator bool() const noexcept { return p_ != nullptr; }
    bool operator==(const Ref& o) const noexcept { return p_ == o.p_; }
    /// Gives the reference away without releasing it.
    T* detach() noexcept { return std::exchange(p_, nullptr); }

  private:
    T* p_ = nullptr;
};

template <class T, class... A>
Ref<T> make_ref(A&&... args) {
    return Ref<T>(new T(std::forward<A>(args)...));
}

}  // namespace kagari
