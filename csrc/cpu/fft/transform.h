// Discrete Fourier transforms along one dimension of strided memory, in a number of lines.
#pragma once
#include <cstdint>
#include <vector>

#include "cpu/fft/plan.h"
#include "tensor/dtype.h"

namespace kagari::cpu::fft {

/// Where the lines of a tensor start, and the distance of their points: in elements of it, which
/// are real numbers or pairs of them.
struct Places {
    void* data;
    const std::vector<int64_t>& starts;
    int64_t stride;
};

// `dtype` is F32 or F64, and n the number of points, of real ones where there are fewer complex
// ones. Results are multiplied by `scale`, and the same on any number of threads. `to` may be the
// memory of `from` for complex_lines, place for place.
void complex_lines(DType dtype, int64_t n, const Places& from, const Places& to, bool forward,
                   double scale);
/// n real points to n / 2 + 1 complex ones.
void real_lines(DType dtype, int64_t n, const Places& from, const Places& to, double scale);
/// n / 2 + 1 complex points to n real ones, by the inverse transform.
void half_lines(DType dtype, int64_t n, const Places& from, const Places& to, double scale);

/// One row of complex numbers side by side, in place.
void transform_row(const Plan<double>& plan, double* row);

}  // namespace kagari::cpu::fft
