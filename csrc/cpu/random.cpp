// Integers, permutations and the distributions that are made from one uniform number. Uniform and
// normal numbers are left to random_normal.cpp, what is drawn and rejected to random_rejection.cpp.
#include "cpu/random.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "cpu/random_words.h"

namespace kagari::cpu {

namespace {

/// PyTorch draws 64-bit words from this range on, so that the remainder is skewed little.
constexpr uint64_t kWideRange = uint64_t{1} << 28;

/// How many binary digits a floating type counts exactly.
template <class T>
constexpr int digits() {
    if constexpr (std::is_same_v<T, Half>) return 11;
    if constexpr (std::is_same_v<T, BFloat16>) return 8;
    return std::numeric_limits<T>::digits;
}

/// Fills with map(word) for 32-bit words, or for 64-bit ones where `wide`.
template <class T, class F>
void from_words(Generator& gen, T* out, int64_t n, bool wide, F map) {
    if (!wide) {
        for_words(gen, n, 1, [&](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k) out[first + k] = convert<T>(map(uint64_t{w[k]}));
        });
    } else {
        for_words(gen, n, 2, [&](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k)
                out[first + k] = convert<T>(map(uint64_t{w[2 * k]} << 32 | w[2 * k + 1]));
        });
    }
}

/// Fills with map(u) for u uniform in [0, 1) with 53 bits.
template <class F>
void from_unit(Generator& gen, DType dtype, const char* op, void* out, int64_t n, F map) {
    visit_real(dtype, op, [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        for_words(gen, n, 2, [&](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k)
                to[first + k] = convert<T>(map(unit_double(w[2 * k], w[2 * k + 1])));
        });
    });
}

}  // namespace

void integers(Generator& gen, DType dtype, void* out, int64_t n, uint64_t range, int64_t base) {
    visit_real(dtype, "random_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        if (range == 0) {
            from_words(gen, to, n, true, [](uint64_t w) { return static_cast<int64_t>(w); });
        } else if (range >= kWideRange) {
            from_words(gen, to, n, true, [=](uint64_t w) {
                return static_cast<int64_t>(w % range + uint64_t(base));
            });
        } else {
            uint32_t narrow = static_cast<uint32_t>(range);
            from_words(gen, to, n, false, [=](uint64_t w) {
                return static_cast<int64_t>(static_cast<uint32_t>(w) % narrow) + base;
            });
        }
    });
}

void integers(Generator& gen, DType dtype, void* out, int64_t n) {
    visit_real(dtype, "random_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        constexpr bool kWide = std::is_same_v<T, double> || std::is_same_v<T, int64_t>;
        uint64_t range;
        if constexpr (std::is_same_v<T, bool>)
            range = 2;
        else if constexpr (std::is_integral_v<T>)
            range = uint64_t{std::numeric_limits<T>::max()} + 1;
        else
            range = (uint64_t{1} << digits<T>()) + 1;
        from_words(gen, to, n, kWide,
                   [=](uint64_t w) { return static_cast<int64_t>(range ? w % range : w); });
    });
}

void permutation(Generator& gen, DType dtype, void* out, int64_t n) {
    // PyTorch's bound: above it 32-bit words would be too skewed
    bool wide = static_cast<uint64_t>(n) >= std::numeric_limits<uint32_t>::max() / 20;
    visit_real(dtype, "randperm", [&](auto tag) {
        using T = typename decltype(tag)::type;
        T* to = static_cast<T*>(out);
        for (int64_t i = 0; i < n; ++i) to[i] = convert<T>(i);
        auto exchange = [&](int64_t i, uint64_t word) {
            std::swap(to[i], to[i + static_cast<int64_t>(word % static_cast<uint64_t>(n - i))]);
        };
        for_words(gen, n - 1, wide ? 2 : 1, [&](int64_t first, const uint32_t* w, int64_t count) {
            for (int64_t k = 0; k < count; ++k)
                exchange(first + k, wide ? uint64_t{w[2 * k]} << 32 | w[2 * k + 1] : w[k]);
        });
    });
}

void bernoulli(Generator& gen, DType dtype, void* out, int64_t n, double p) {
    from_unit(gen, dtype, "bernoulli_", out, n, [=](double u) { return u < p; });
}

void bernoulli(Generator& gen, DType dtype, void* out, int64_t n, DType p_dtype, const void* p) {
    if (p_dtype == DType::F64) {
        const double* prob = static_cast<const double*>(p);
        return from_unit(gen, dtype, "bernoulli_", out, n, [&](double u) { return u < *prob++; });
    }
    visit_real(dtype, "bernoulli_", [&](auto tag) {
        using T = typename decltype(tag)::type;
        visit_floating(p_dtype, "bernoulli_", [&](auto p_tag) {
            using P = typename decltype(p_tag)::type;
            const P* prob = static_cast<const P*>(p);
            T* to = static_cast<T*>(out);
            for_words(gen, n, 1, [&](int64_t first, const uint32_t* w, int64_t count) {
                for (int64_t k = 0; k < count; ++k)
                    to[first + k] = T(unit_float(w[k]) < static_cast<float>(prob[first + k]));
            });
        });
    });
}

void exponential(Generator& gen, DType dtype, void* out, int64_t n, double lambda) {
    from_unit(gen, dtype, "exponential_", out, n,
              [=](double u) { return -1.0 / lambda * std::log1p(-u); });
}

void cauchy(Generator& gen, DType dtype, void* out, int64_t n, double median, double sigma) {
    from_unit(gen, dtype, "cauchy_", out, n, [=](double u) {
        return std::fma(sigma, std::tan(std::numbers::pi * (u - 0.5)), median);
    });
}

void geometric(Generator& gen, DType dtype, void* out, int64_t n, double p) {
    from_unit(gen, dtype, "geometric_", out, n,
              [=](double u) { return std::ceil(std::log(u) / std::log1p(-p)); });
}

void multinomial(Generator& gen, DType dtype, const void* weights, int64_t n, int64_t* out,
                 int64_t draws) {
    visit_floating(dtype, "multinomial", [&](auto tag) {
        using T = typename decltype(tag)::type;
        using C = Compute<T>;
        const T* weight = static_cast<const T*>(weights);
        std::vector<C> cumulative(static_cast<size_t>(n));
        C sum = 0;
        for (int64_t j = 0; j < n; ++j) {
            C w = static_cast<C>(weight[j]);
            check(w >= 0 && std::isfinite(w),
                  "multinomial: invalid distribution, expected finite "
                  "non-negative weights, got ",
                  w);
            cumulative[j] = sum += w;
        }
        check(sum > 0, "multinomial: invalid distribution, sum of probabilities <= 0");
        for (C& c : cumulative) c /= sum;
        cumulative.back() = 1;
        for (int64_t j = 0; j < draws; ++j) {
            double u = next_unit(gen);
            auto slot = std::lower_bound(cumulative.begin(), cumulative.end(), u,
                                         [](C c, double v) { return c < v; });
            out[j] = slot - cumulative.begin();
        }
    });
}

}  // namespace kagari::cpu
