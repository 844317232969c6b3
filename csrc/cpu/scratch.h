// Memory for the length of one call, from the caching allocator.
#pragma once
#include <utility>

#include "tensor/allocator.h"

namespace kagari::cpu {

class Scratch {
  public:
    explicit Scratch(size_t bytes) : data_(bytes ? cpu_allocate(bytes) : nullptr), bytes_(bytes) {}
    Scratch(Scratch&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        if (data_) cpu_release(data_, bytes_);
    }
    void* data() const { return data_; }
    template <class T>
    T* as() const {
        return static_cast<T*>(data_);
    }

  private:
    void* data_;
    size_t bytes_;
};

}  // namespace kagari::cpu
