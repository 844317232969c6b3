// Products of integer matrices, wrapping on overflow as PyTorch's do.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "cpu/gemm.h"
#include "runtime/parallel.h"

namespace kagari::cpu {
namespace {

// Unsigned arithmetic wraps; signed overflow would be undefined.
template <class T>
using Wrapping = std::make_unsigned_t<T>;
template <class U>
U times(U a, U b) {
    return U(1u * a * b);  // as unsigned: short operands alone would be multiplied as ints
}

template <class T>
void row(const Gemm& call, const T* a, const T* b, T* c, std::vector<Wrapping<T>>& sums) {
    using U = Wrapping<T>;
    std::fill(sums.begin(), sums.end(), U(0));
    for (int64_t p = 0; p < call.k; p++) {
        U left = U(a[p * call.a_layout.col]);
        const T* line = b + p * call.b_layout.row;
        if (call.b_layout.col == 1)
            for (int64_t j = 0; j < call.n; j++) sums[j] = U(sums[j] + times(left, U(line[j])));
        else
            for (int64_t j = 0; j < call.n; j++)
                sums[j] = U(sums[j] + times(left, U(line[j * call.b_layout.col])));
    }
    U alpha = U(int64_t(call.alpha.real())), beta = U(int64_t(call.beta.real()));
    const T* bias = static_cast<const T*>(call.bias);
    for (int64_t j = 0; j < call.n; j++) {
        T& out = c[j * call.c_layout.col];
        U start = bias ? U(bias[j]) : beta == 0 ? U(0) : times(beta, U(out));
        out = T(U(start + times(alpha, sums[j])));
    }
}

template <class T>
void run(const Gemm& call) {
    int64_t per_row = std::max<int64_t>(1, call.n * call.k);
    parallel_for(
        0, call.batch * call.m, std::max<int64_t>(1, (1 << 16) / per_row),
        [&](int64_t begin, int64_t end) {
            std::vector<Wrapping<T>> sums(call.n);
            for (int64_t i = begin; i < end; i++) {
                int64_t batch = i / call.m, r = i % call.m;
                row(call,
                    static_cast<const T*>(call.a) + batch * call.a_layout.batch +
                        r * call.a_layout.row,
                    static_cast<const T*>(call.b) + batch * call.b_layout.batch,
                    static_cast<T*>(call.c) + batch * call.c_layout.batch + r * call.c_layout.row,
                    sums);
            }
        });
}

}  // namespace

void gemm_integer(const Gemm& call) {
    visit(call.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) run<T>(call);
    });
}

}  // namespace kagari::cpu
