// Stacks of column-major matrices, checks, and LAPACK's verdicts as errors.
#include "ops/linalg/linalg_matrix.h"

#include "ops/movement/copy.h"
#include "ops/movement/creation.h"

namespace kagari::ops {

int64_t matrix_count(const Tensor& t) {
    int64_t count = 1;
    for (int64_t size : lead(t)) count *= size;
    return count;
}

Dims with_lead(const Tensor& t, std::initializer_list<int64_t> last) {
    Dims sizes(lead(t));
    for (int64_t size : last) sizes.push_back(size);
    return sizes;
}

void check_matrix(const char* op, const Tensor& a) {
    check<RuntimeError>(a.dim() >= 2, op, ": The input tensor A must have at least 2 dimensions, ",
                        "got size ", a.sizes());
    check<RuntimeError>(is_differentiable(a.dtype()), op, ": Expected a floating point or complex ",
                        "tensor as input. Got ", name(a.dtype()));
    check<RuntimeError>(!is_half(a.dtype()), op, ": Low precision dtypes not supported. Got ",
                        name(a.dtype()), "; convert with .to(float32)");
    check<RuntimeError>(rows(a) <= INT32_MAX && cols(a) <= INT32_MAX, op, ": a matrix of ", rows(a),
                        " by ", cols(a), " is larger than LAPACK can count");
}

void check_square(const char* op, const Tensor& a) {
    check_matrix(op, a);
    check<RuntimeError>(rows(a) == cols(a), op, ": A must be batches of square matrices, but they ",
                        "are ", rows(a), " by ", cols(a), " matrices");
}

Tensor swapped(const Tensor& t) {
    Dims sizes(t.sizes()), strides(t.strides());
    size_t n = sizes.size();
    std::swap(sizes[n - 1], sizes[n - 2]);
    std::swap(strides[n - 1], strides[n - 2]);
    return raw_view(t, sizes, strides, t.offset());
}

Tensor empty_columns(const Tensor& like, int64_t m, int64_t n, DType dtype) {
    return swapped(empty(with_lead(like, {n, m}), dtype, like.device()));
}

Tensor copy_columns(const Tensor& a) {
    Tensor copy = empty_columns(a, rows(a), cols(a), a.dtype());
    if (!a.is_meta()) copy_elements(copy, a);
    return copy;
}

void write_identity(const Tensor& t) {
    if (t.is_meta()) return;
    fill(t, 0);
    Dims sizes(lead(t)), strides(t.strides());
    int64_t across = strides.back();
    strides.pop_back();
    strides.back() += across;
    sizes.push_back(std::min(rows(t), cols(t)));
    fill(raw_view(t, sizes, strides, t.offset()), 1);
}

void Verdicts::check(const char* op, const std::string& what) const {
    for (size_t i = 0; i < info.size(); i++) {
        if (info[i] == 0) continue;
        std::string text = what;
        if (size_t at = text.find('%'); at != std::string::npos)
            text.replace(at, 1, std::to_string(info[i]));
        std::string which = alone ? "" : "(Batch element " + std::to_string(i) + "): ";
        fail<LinAlgError>(op, ": ", which, text);
    }
}

Tensor Verdicts::tensor(const Tensor& a) const {
    Tensor out = empty(lead(a), DType::I32, a.device());
    if (!a.is_meta()) std::copy(info.begin(), info.end(), out.data<int32_t>());
    return out;
}

}  // namespace kagari::ops
