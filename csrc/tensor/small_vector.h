// A vector whose first few elements live inside it: most graph nodes have one output and two
// inputs.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace kagari {

template <class T, size_t N>
class SmallVector {
  public:
    SmallVector() = default;
    SmallVector(std::initializer_list<T> items) {
        for (const T& item : items) push_back(item);
    }
    SmallVector(const SmallVector& o) { *this = o; }
    SmallVector(SmallVector&&) noexcept = default;
    SmallVector& operator=(const SmallVector& o) {
        if (this == &o) return *this;
        clear();
        reserve(o.size());
        for (const T& item : o) push_back(item);
        return *this;
    }
    SmallVector& operator=(SmallVector&&) noexcept = default;

    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() { return more_.empty() ? few_ : more_.data(); }
    T* end() { return begin() + size_; }
    const T* begin() const { return more_.empty() ? few_ : more_.data(); }
    const T* end() const { return begin() + size_; }
    T& operator[](size_t i) { return begin()[i]; }
    const T& operator[](size_t i) const { return begin()[i]; }

    void reserve(size_t count) {
        if (count <= N || !more_.empty()) return;
        more_.reserve(count);
    }
    void push_back(T item) {
        if (size_ < N && more_.empty()) {
            few_[size_++] = std::move(item);
            return;
        }
        spill();
        more_.push_back(std::move(item));
        ++size_;
    }
    void resize(size_t count) {
        while (size_ < count) push_back(T());
        while (size_ > count) pop_back();
    }
    void clear() {
        while (size_) pop_back();
    }

  private:
    void pop_back() {
        --size_;
        if (more_.empty())
            few_[size_] = T();
        else
            more_.pop_back();
    }
    void spill() {
        if (!more_.empty()) return;
        for (size_t i = 0; i < size_; ++i) more_.push_back(std::move(few_[i]));
    }
    T few_[N];
    std::vector<T> more_;  // all of them, once there are more than N
    size_t size_ = 0;
};

}  // namespace kagari
