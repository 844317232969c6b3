// A short vector of sizes or strides that stays inside the tensor up to six dimensions.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

#include "tensor/error.h"

namespace kagari {

using IntSpan = std::span<const int64_t>;

class Dims {
  public:
    static constexpr size_t kInline = 6;

    Dims() = default;
    explicit Dims(size_t count, int64_t value = 0) {
        resize(count);
        std::fill(begin(), end(), value);
    }
    Dims(IntSpan values) { assign(values); }
    Dims(std::initializer_list<int64_t> values) { assign({values.begin(), values.size()}); }
    template <class It>
    Dims(It first, It last) {
        for (; first != last; ++first) push_back(*first);
    }
    Dims(const Dims& o) { assign(o); }
    Dims(Dims&& o) noexcept { take(o); }
    Dims& operator=(const Dims& o) {
        if (this != &o) assign(o);
        return *this;
    }
    Dims& operator=(Dims&& o) noexcept {
        if (this != &o) take(o);
        return *this;
    }

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    int64_t* data() { return heap_ ? heap_.get() : inline_; }
    const int64_t* data() const { return heap_ ? heap_.get() : inline_; }
    int64_t* begin() { return data(); }
    int64_t* end() { return data() + size_; }
    const int64_t* begin() const { return data(); }
    const int64_t* end() const { return data() + size_; }
    int64_t& operator[](size_t i) { return data()[i]; }
    int64_t operator[](size_t i) const { return data()[i]; }
    int64_t& back() { return data()[size_ - 1]; }
    int64_t back() const { return data()[size_ - 1]; }
    operator IntSpan() const { return {data(), size_}; }

    void resize(size_t count) {
        reserve(count);
        if (count > size_) std::fill(data() + size_, data() + count, 0);
        size_ = static_cast<uint32_t>(count);
    }
    void push_back(int64_t value) {
        if (size_ == capacity_) reserve(2 * size_t{capacity_});
        data()[size_++] = value;
    }
    void pop_back() { --size_; }
    void insert(size_t at, int64_t value) {
        push_back(value);
        std::rotate(begin() + at, end() - 1, end());
    }
    void erase(size_t at) {
        std::copy(begin() + at + 1, end(), begin() + at);
        --size_;
    }
    bool operator==(const Dims& o) const { return std::equal(begin(), end(), o.begin(), o.end()); }

  private:
    void take(Dims& o) noexcept {
        if (!o.heap_) std::copy_n(o.inline_, std::min<size_t>(o.size_, kInline), inline_);
        heap_ = std::move(o.heap_);
        size_ = std::exchange(o.size_, 0);
        capacity_ = std::exchange(o.capacity_, uint32_t{kInline});
    }
    void assign(IntSpan values) {
        reserve(values.size());
        std::copy(values.begin(), values.end(), data());
        size_ = static_cast<uint32_t>(values.size());
    }
    void reserve(size_t count) {
        if (count <= capacity_) return;
        auto heap = std::make_unique<int64_t[]>(count);
        std::copy(data(), data() + size_, heap.get());
        heap_ = std::move(heap);
        capacity_ = static_cast<uint32_t>(count);
    }

    int64_t inline_[kInline];
    uint32_t size_ = 0;
    uint32_t capacity_ = kInline;
    std::unique_ptr<int64_t[]> heap_;
};

inline bool same_sizes(IntSpan a, IntSpan b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

/// Number of elements; an error if a size is negative or the product overflows.
int64_t checked_numel(IntSpan sizes, const char* op);
/// Row-major strides, in elements.
Dims contiguous_strides(IntSpan sizes);
/// Wraps a dimension that may be negative into [0, rank); IndexError as PyTorch's. A 0-d tensor
/// is taken as one of rank 1.
int64_t wrap_dim(int64_t dim, int64_t rank, const char* op);
/// The shape to which both broadcast; RuntimeError naming the op and the first bad dimension.
Dims broadcast_sizes(IntSpan a, IntSpan b, const char* op);

}  // namespace kagari
