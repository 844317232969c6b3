// Sampling into contiguous memory. For the same generator state each function gives the bits that
// PyTorch 2.13 gives on CPU. (PyTorch draws bernoulli_ and exponential_ from MKL's generator
// instead on Intel CPUs, so there its own numbers depend on the vendor; these never do.) Callers
// hold the generator's mutex and have checked the parameters.
#pragma once
#include "runtime/generator.h"
#include "tensor/dtype.h"

namespace kagari::cpu {

/// Uniform in [from, to): 24 random bits for float and halves, 53 for double.
void uniform(Generator& gen, DType dtype, void* out, int64_t n, double from, double to);
/// Box-Muller. From 16 elements on in blocks of 16 where the tensor was `contiguous`.
void normal(Generator& gen, DType dtype, void* out, int64_t n, double mean, double std,
            bool contiguous = true);
void log_normal(Generator& gen, DType dtype, void* out, int64_t n, double mean, double std);

/// Integers in [base, base + range); range 0 stands for 2^64.
void integers(Generator& gen, DType dtype, void* out, int64_t n, uint64_t range, int64_t base);
/// All non-negative values of an integer dtype, all integers that a floating dtype counts exactly.
void integers(Generator& gen, DType dtype, void* out, int64_t n);
/// A permutation of 0 .. n-1.
void permutation(Generator& gen, DType dtype, void* out, int64_t n);

void bernoulli(Generator& gen, DType dtype, void* out, int64_t n, double p);
/// One probability per element, of a floating dtype.
void bernoulli(Generator& gen, DType dtype, void* out, int64_t n, DType p_dtype, const void* p);

void exponential(Generator& gen, DType dtype, void* out, int64_t n, double lambda);
void cauchy(Generator& gen, DType dtype, void* out, int64_t n, double median, double sigma);
void geometric(Generator& gen, DType dtype, void* out, int64_t n, double p);
/// Rates and results share a floating dtype; RuntimeError for a negative rate.
void poisson(Generator& gen, DType dtype, void* out, int64_t n, const void* rate);
/// Numbers of successes; float or double, and one count and probability per element.
void binomial(Generator& gen, DType dtype, void* out, int64_t n, const void* count, const void* p);
/// Gamma-distributed numbers of scale 1; one shape per element, of the floating dtype of the
/// result.
void standard_gamma(Generator& gen, DType dtype, void* out, int64_t n, const void* shape);

/// `draws` indices from one row of weights, with replacement.
/// RuntimeError for weights that are negative, not finite or all zero.
void multinomial(Generator& gen, DType dtype, const void* weights, int64_t n, int64_t* out,
                 int64_t draws);

}  // namespace kagari::cpu
