// The loops of the optimisers. Every operation is rounded where PyTorch's sequence of tensor
// operations rounds it, so that the numbers agree; nothing is contracted to fused multiply-adds.
#include "cpu/optim.h"

#include <algorithm>
#include <cmath>

// One version per instruction set, chosen at load time: the loops are compiled for 128-bit vectors
// otherwise.
#define KAGARI_VECTOR_VERSIONS [[gnu::target_clones("default", "avx2", "arch=x86-64-v4")]]
#define KAGARI_INLINE [[gnu::always_inline]] inline

namespace kagari::cpu {
namespace {

template <class T>
struct AdamNumbers {
    explicit AdamNumbers(const AdamStep& s)
        : keep(static_cast<T>(1.0 - s.lr * s.decoupled_decay)),
          decay(static_cast<T>(s.coupled_decay)),
          weight1(static_cast<T>(1.0 - s.beta1)),
          beta2(static_cast<T>(s.beta2)),
          weight2(static_cast<T>(1.0 - s.beta2)),
          root(static_cast<T>(s.correction2_sqrt)),
          eps(static_cast<T>(s.eps)),
          size(static_cast<T>(-(s.lr / s.correction1))),
          sign(s.maximize ? T(-1) : T(1)) {}
    T keep, decay, weight1, beta2, weight2, root, eps, size, sign;
};

/// Linear interpolation as PyTorch's lerp: exact at both ends.
template <class T>
KAGARI_INLINE T lerp(T from, T to, T weight) {
    T step = to - from;
    return weight < T(0.5) ? from + weight * step : to - step * (T(1) - weight);
}

template <class T, bool Decay, bool Ams>
KAGARI_INLINE void adam_loop(const AdamStep& s, int64_t first, int64_t last) {
    const AdamNumbers<T> k(s);
    T* __restrict p = static_cast<T*>(s.param);
    const T* __restrict g = static_cast<const T*>(s.grad);
    T* __restrict m = static_cast<T*>(s.mean);
    T* __restrict v = static_cast<T*>(s.square);
    T* __restrict top = static_cast<T*>(s.max_square);
    for (int64_t i = first; i < last; ++i) {
        T grad = g[i] * k.sign;
        if constexpr (Decay) grad = grad + k.decay * p[i];
        T param = p[i] * k.keep;
        m[i] = lerp(m[i], grad, k.weight1);
        v[i] = v[i] * k.beta2 + k.weight2 * grad * grad;
        T square = v[i];
        if constexpr (Ams) square = top[i] = square > top[i] || square != square ? square : top[i];
        T denominator = std::sqrt(square) / k.root + k.eps;
        p[i] = param + k.size * m[i] / denominator;
    }
}

template <class T>
KAGARI_INLINE void adam_cases(const AdamStep& s, int64_t first, int64_t last) {
    bool decay = s.coupled_decay != 0, ams = s.max_square != nullptr;
    if (decay && ams) return adam_loop<T, true, true>(s, first, last);
    if (decay) return adam_loop<T, true, false>(s, first, last);
    if (ams) return adam_loop<T, false, true>(s, first, last);
    adam_loop<T, false, false>(s, first, last);
}

template <class T, bool Momentum>
KAGARI_INLINE void sgd_loop(const SgdStep& s, int64_t first, int64_t last) {
    T* __restrict p = static_cast<T*>(s.param);
    const T* __restrict g = static_cast<const T*>(s.grad);
    T* __restrict buffer = static_cast<T*>(s.momentum_buffer);
    const T sign = s.maximize ? T(-1) : T(1), decay = static_cast<T>(s.weight_decay);
    const T momentum = static_cast<T>(s.momentum), lr = static_cast<T>(-s.lr);
    const T share = static_cast<T>(1.0 - s.dampening);
    const bool first_step = s.first, nesterov = s.nesterov, decays = s.weight_decay != 0;
    for (int64_t i = first; i < last; ++i) {
        T grad = g[i] * sign;
        if (decays) grad = grad + decay * p[i];
        if constexpr (Momentum) {
            T moved = first_step ? grad : buffer[i] * momentum + share * grad;
            buffer[i] = moved;
            grad = nesterov ? grad + momentum * moved : moved;
        }
        p[i] = p[i] + lr * grad;
    }
}

template <class T>
KAGARI_INLINE void sgd_cases(const SgdStep& s, int64_t first, int64_t last) {
    if (s.momentum_buffer) return sgd_loop<T, true>(s, first, last);
    sgd_loop<T, false>(s, first, last);
}

KAGARI_VECTOR_VERSIONS void adam_f32(const AdamStep& s, int64_t first, int64_t last) {
    adam_cases<float>(s, first, last);
}
KAGARI_VECTOR_VERSIONS void adam_f64(const AdamStep& s, int64_t first, int64_t last) {
    adam_cases<double>(s, first, last);
}
KAGARI_VECTOR_VERSIONS void sgd_f32(const SgdStep& s, int64_t first, int64_t last) {
    sgd_cases<float>(s, first, last);
}
KAGARI_VECTOR_VERSIONS void sgd_f64(const SgdStep& s, int64_t first, int64_t last) {
    sgd_cases<double>(s, first, last);
}

/// A stretch of half-precision memory as floats; written back at the end.
template <class H>
class Widened {
  public:
    static constexpr int64_t kSize = 256;
    Widened(void* memory, int64_t first, int64_t count)
        : memory_(memory ? static_cast<H*>(memory) + first : nullptr), count_(count) {
        if (memory_) std::copy_n(memory_, count_, values_);
    }
    float* values() { return memory_ ? values_ : nullptr; }
    void write_back() {
        if (memory_) std::copy_n(values_, count_, memory_);
    }

  private:
    H* memory_;
    int64_t count_;
    float values_[kSize];
};

template <class H>
void adam_half(const AdamStep& s, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i += Widened<H>::kSize) {
        int64_t count = std::min(Widened<H>::kSize, last - i);
        Widened<H> param(s.param, i, count), grad(const_cast<void*>(s.grad), i, count),
            mean(s.mean, i, count), square(s.square, i, count), top(s.max_square, i, count);
        AdamStep wide = s;
        wide.param = param.values();
        wide.grad = grad.values();
        wide.mean = mean.values();
        wide.square = square.values();
        wide.max_square = top.values();
        adam_f32(wide, 0, count);
        for (auto* part : {&param, &mean, &square, &top}) part->write_back();
    }
}

template <class H>
void sgd_half(const SgdStep& s, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i += Widened<H>::kSize) {
        int64_t count = std::min(Widened<H>::kSize, last - i);
        Widened<H> param(s.param, i, count), grad(const_cast<void*>(s.grad), i, count),
            buffer(s.momentum_buffer, i, count);
        SgdStep wide = s;
        wide.param = param.values();
        wide.grad = grad.values();
        wide.momentum_buffer = buffer.values();
        sgd_f32(wide, 0, count);
        param.write_back();
        buffer.write_back();
    }
}

}  // namespace

void adam(DType dtype, const AdamStep& s, int64_t first, int64_t last) {
    if (dtype == DType::F32) return adam_f32(s, first, last);
    if (dtype == DType::F64) return adam_f64(s, first, last);
    if (dtype == DType::F16) return adam_half<Half>(s, first, last);
    adam_half<BFloat16>(s, first, last);
}

void sgd(DType dtype, const SgdStep& s, int64_t first, int64_t last) {
    if (dtype == DType::F32) return sgd_f32(s, first, last);
    if (dtype == DType::F64) return sgd_f64(s, first, last);
    if (dtype == DType::F16) return sgd_half<Half>(s, first, last);
    sgd_half<BFloat16>(s, first, last);
}

}  // namespace kagari::cpu
