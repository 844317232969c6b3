// Walking strided operands: dimensions are collapsed, the work is split over threads, and a kernel
// is called on each innermost run.
#pragma once
#include <array>

#include "runtime/kernels.h"
#include "tensor/tensor.h"

namespace kagari {

inline constexpr int kMaxLoopOperands = 10;

/// Up to ten operands over one iteration space. Results come first.
class Loop {
  public:
    explicit Loop(IntSpan sizes) : sizes_(sizes) {}
    /// `t` must broadcast to the space.
    void add(const Tensor& t);
    /// One value for every point; `stride` as the kernel's sentinel asks (0, or 1 for a float that
    /// stands for a half).
    void add_value(void* value, int64_t stride = 0);
    /// `bytes_per_point` decides how finely the work is split.
    void run(KernelFn kernel, int64_t bytes_per_point);

  private:
    struct Item {
        char* data;
        const Tensor* tensor;  // null: a value
        int64_t value_stride;
        int64_t itemsize;
    };
    void run_general(KernelFn kernel, int64_t grain);

    IntSpan sizes_;
    int count_ = 0;
    std::array<Item, kMaxLoopOperands> items_;
};

}  // namespace kagari
