// Distributions that take a number of uniform or normal numbers that is not known before: Poisson,
// binomial and gamma, one element after the other.
#include <cmath>
#include <limits>

#include "cpu/random.h"
#include "cpu/random_words.h"

namespace kagari::cpu {

/// Below a rate of 10 the number of factors until a product of uniforms falls under exp(-rate);
/// from there on Hörmann's transformed rejection (PTRS, 1993).
static double next_poisson(Generator& gen, double rate) {
    check(rate >= 0, "poisson: invalid rate, expected non-negative values, got ", rate);
    if (rate == 0) return 0;
    if (rate < 10) {
        double limit = std::exp(-rate), product = next_unit(gen), count = 0;
        for (; product > limit; product *= next_unit(gen)) ++count;
        return count;
    }
    double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), accept = 0.9277 - 3.6224 / (b - 2);
    while (true) {
        double u = next_unit(gen) - 0.5, v = next_unit(gen), us = 0.5 - std::fabs(u);
        double k = std::floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= accept) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
            -rate + k * std::log(rate) - std::lgamma(k + 1))
            return k;
    }
}

void poisson(Generator& gen, DType dtype, void* out, int64_t n, const void* rate) {
    visit_floating(dtype, "poisson", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* rates = static_cast<const T*>(rate);
        T* to = static_cast<T*>(out);
        for (int64_t i = 0; i < n; ++i)
            to[i] = convert<T>(next_poisson(gen, static_cast<double>(rates[i])));
    });
}

// ---- binomial ----

/// log(k!) less Stirling's formula for it at k + 1.
static double stirling_rest(double k) {
    constexpr double kSmall[] = {0.0810614667953272,  0.0413406959554092, 0.0276779256849983,
                                 0.02079067210376509, 0.0166446911898211, 0.0138761288230707,
                                 0.0118967099458917,  0.0104112652619720, 0.00925546218271273,
                                 0.00833056343336287};
    if (k <= 9) return kSmall[static_cast<size_t>(k)];
    double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/// For a mean below 10: how many geometric waiting times fit into `count` trials.
template <class T>
static double binomial_by_waiting(Generator& gen, T count, T p) {
    double waited = 0, successes = 0, log_failure = std::log1p(-p);
    while (true) {
        double u = next_unit(gen);
        waited += std::ceil(std::log(u) / log_failure);
        if (!(waited <= count)) return successes;
        successes += 1;
    }
}

/// Hörmann's transformed rejection with squeeze (BTRS, 1993), for p <= 0.5 and a mean from 10 on.
/// To give PyTorch's numbers, what is made of count and p alone is rounded to their type.
template <class T>
static double binomial_by_rejection(Generator& gen, T count, T p) {
    double deviation = std::sqrt(count * p * (1 - p));
    double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double centre = count * p + 0.5, accept = 0.92 - 4.2 / b, odds = p / (1 - p);
    double alpha = (2.83 + 5.1 / b) * deviation, mode = std::floor((count + 1) * p);
    while (true) {
        double u = next_unit(gen) - 0.5, v = next_unit(gen), us = 0.5 - std::fabs(u);
        double k = std::floor((2 * a / us + b) * u + centre);
        if (us >= 0.07 && v <= accept) return k;
        if (k < 0 || k > count) continue;
        v = std::log(v * alpha / (a / (us * us) + b));
        double bound = (mode + 0.5) * std::log((mode + 1) / (odds * (count - mode + 1))) +
                       (count + 1) * std::log((count - mode + 1) / (count - k + 1)) +
                       (k + 0.5) * std::log(odds * (count - k + 1) / (k + 1)) +
                       stirling_rest(mode) + stirling_rest(count - mode) - stirling_rest(k) -
                       stirling_rest(count - k);
        if (v <= bound) return k;
    }
}

template <class T>
static double next_binomial(Generator& gen, T count, T p) {
    if (std::isnan(count) || std::isnan(p)) return std::numeric_limits<double>::quiet_NaN();
    if (count <= 0 || p <= 0) return 0;
    if (p >= 1) return count;
    T rarer = p <= 0.5 ? p : 1 - p;
    double found = count * rarer >= 10 ? binomial_by_rejection(gen, count, rarer)
                                       : binomial_by_waiting(gen, count, rarer);
    return p <= 0.5 ? found : count - found;
}

/// The two dtypes for which PyTorch has these.
template <class F>
static void visit_wide(DType dtype, const char* op, F&& f) {
    if (dtype == DType::F64) return f(TypeTag<double>{});
    if (dtype == DType::F32) return f(TypeTag<float>{});
    fail<NotImplementedError>(op, ": expected float32 or float64, got ", name(dtype));
}

void binomial(Generator& gen, DType dtype, void* out, int64_t n, const void* count, const void* p) {
    visit_wide(dtype, "binomial", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T *counts = static_cast<const T*>(count), *chances = static_cast<const T*>(p);
        for (int64_t i = 0; i < n; ++i)
            static_cast<T*>(out)[i] = static_cast<T>(next_binomial(gen, counts[i], chances[i]));
    });
}

// ---- gamma ----

/// Marsaglia and Tsang's method (2000); a shape below 1 is raised by 1 and the result scaled.
template <class T>
static double next_gamma(Generator& gen, T shape) {
    double scale = 1;
    if (std::isnan(shape)) return shape;
    if (shape < 1) {
        if (shape <= 0) return 0;
        scale = std::pow(1 - next_unit(gen), static_cast<double>(1 / shape));
        shape += 1;
    }
    double d = shape - 1.0f / 3.0f, c = 1 / std::sqrt(9 * d);
    while (true) {
        double x, y;
        do {
            x = next_normal(gen, 0, 1);
            y = 1 + c * x;
        } while (y <= 0);
        double v = y * y * y, u = 1 - next_unit(gen), square = x * x;
        if (u < 1 - 0.0331f * square * square) return scale * d * v;
        if (std::log(u) < 0.5 * square + d * (1 - v + std::log(v))) return scale * d * v;
    }
}

void standard_gamma(Generator& gen, DType dtype, void* out, int64_t n, const void* shape) {
    visit_wide(dtype, "_standard_gamma", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* shapes = static_cast<const T*>(shape);
        constexpr T kLeast = std::numeric_limits<T>::min();
        for (int64_t i = 0; i < n; ++i) {
            T drawn = static_cast<T>(next_gamma(gen, shapes[i]));
            static_cast<T*>(out)[i] = drawn < kLeast ? kLeast : drawn;  // NaN stays
        }
    });
}

}  // namespace kagari::cpu
