// Running row programs: their kernels see rows of one dimension; here the other dimensions are
// walked and the work is split. What a program computes is defined in
// src/kagari/kernels/definitions/.
#pragma once
#include <array>
#include <span>
#include <string>
#include <vector>

#include "runtime/kernels.h"
#include "tensor/tensor.h"

namespace kagari {

inline constexpr int kMaxRowOperands = 16;

/// A dimension of a walk: its size and, per operand, the distance in bytes between neighbours.
struct Axis {
    int64_t size = 1;
    std::array<int64_t, kMaxRowOperands> strides{};
};

/// One kernel over many rows. Operands in the kernel's order: outputs, inputs, scalars.
class RowWalk {
  public:
    /// A tensor whose dimensions, without `dim` (-1: none), are those of the walk.
    void add(const Tensor& t, int64_t dim);
    /// Memory with strides in elements, one per dimension of the walk and one along the row.
    void add(void* data, size_t itemsize, IntSpan strides, int64_t inner);
    /// One number; it must live until run() returns.
    void add_scalar(const double& value) { add(const_cast<double*>(&value), 8, {}, 0); }
    void add_scalar(const int64_t& value) { add(const_cast<int64_t*>(&value), 8, {}, 0); }

    /// Sizes of the walk's dimensions and of a row. To be set before operands are added.
    void set_sizes(IntSpan sizes, int64_t row);
    /// Without dimension `dim`, which is the row's.
    void set_sizes_of(const Tensor& t, int64_t dim);

    /// Calls the kernel for all rows, on all threads where it is worth it. `lead` is the operand
    /// that decides in which order memory is walked.
    void run(KernelFn kernel, int lead);

  private:
    void collapse(int lead);
    size_t choose_rows(int lead) const;
    int64_t piece_of(const Axis& rows, int lead) const;
    std::vector<Axis> axes_;
    Axis row_;
    std::array<void*, kMaxRowOperands> data_{};
    std::array<size_t, kMaxRowOperands> itemsize_{};
    int count_ = 0;
};

/// The kernels of a row program, one per dtype, found when first used.
class RowKernels {
  public:
    explicit constexpr RowKernels(const char* name, const char* suffix = "")
        : name_(name), suffix_(suffix) {}
    KernelFn operator()(DType dtype) const {
        KernelFn& kernel = kernels_[int(dtype)];
        if (!kernel) kernel = find_kernel(std::string(name_) + suffix_ + "." + code(dtype));
        return kernel;
    }

  private:
    const char* name_;
    const char* suffix_;
    mutable KernelFn kernels_[kDTypes] = {};
};

}  // namespace kagari
