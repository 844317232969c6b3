// Running a reduction of src/kagari/kernels/definitions/reductions.py over any set of dimensions.
// Which ops there are, and their gradients, is left to reduce*.cpp.
#pragma once
#include <optional>

#include "ops/reduce/rowwise.h"

namespace kagari {

/// Which dimensions are reduced: one flag per dimension of the input.
using Reduced = std::vector<bool>;

/// None or an empty list: all. IndexError and RuntimeError as PyTorch's.
Reduced reduced_dims(const Tensor& x, const std::optional<Dims>& dims, const char* op);
/// Sizes of the result.
Dims reduced_sizes(const Tensor& x, const Reduced& gone, bool keepdim);
/// How many elements go into one result.
int64_t reduced_count(const Tensor& x, const Reduced& gone);

/// The dtype of a result or of a state between blocks, from the input's:
///   't' the same  's' int64 for integers and bool, else the same  'w' as 's' but at least 64 bits
///   'r' real counterpart  'd' float64  'i' int64  'b' bool, for uint8 uint8  '1' bool
DType dtype_of_kind(char kind, DType input);

class Reduction {
  public:
    /// What scalar its programs read: none; one for the finish (a count); the size of a block.
    enum Parameter { None, Finish, Block };
    constexpr Reduction(const char* name, const char* results, const char* states,
                        Parameter parameter = None)
        : results_(results),
          states_(states),
          parameter_(parameter),
          whole_(name),
          part_(name, ".part"),
          merge_(name, ".merge") {}

    /// The results, not recorded. Empty rows give the reduction of nothing. Programs with more
    /// inputs: `elements` have the strides of `x`; `rows` are expanded to its shape and the same
    /// along the reduced dimensions.
    Tensors operator()(const Tensor& x, const Reduced& gone, bool keepdim, double parameter = 0,
                       const Tensors& elements = {}, const Tensors& rows = {}) const;

  private:
    struct Plan;
    struct Inputs;
    void run(const Plan& plan, const Inputs& in, const Tensors& results, double parameter) const;
    void run_blocks(const Plan& plan, const Inputs& in, const Tensors& states) const;

    const char* results_;
    const char* states_;
    Parameter parameter_;
    RowKernels whole_, part_, merge_;
};

}  // namespace kagari
