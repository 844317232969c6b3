// The loops over lanes. Templates that are always inlined hold the code; the functions at the end
// are what each instruction set gets a copy of.
#include "cpu/fft/passes.h"

#include <utility>

#include "cpu/clones.h"
#include "cpu/fft/butterflies.h"

namespace kagari::cpu::fft {
namespace {

// --- between memory and lanes ------------------------------------------------------------------

template <class T>
KAGARI_INLINE bool side_by_side(const int64_t* starts, int live, int64_t distance) {
    if (live < kLanes<T>) return false;
    for (int l = 1; l < live; ++l)
        if (starts[l] != starts[0] + l * distance) return false;
    return true;
}

template <class T>
KAGARI_INLINE void load_lines(const Lines<const T>& lines, int64_t n, Cell<T>* cells) {
    using V = Vector<T>;
    constexpr int lanes = kLanes<T>, half = lanes / 2;
    V* to = &cells[0].re;
    const int re = lines.swapped ? 1 : 0, im = lines.swapped ? 0 : 1;
    const T* data = lines.data;
    const int64_t *starts = lines.starts, stride = lines.stride, gap = lines.gap;
    int64_t k = 0;
    if (gap == 1 && side_by_side<T>(starts, lines.live, 2)) {  // complex columns
        for (const T* at = data + starts[0]; k < n; ++k, at += stride) {
            V low = read<V>(at), high = read<V>(at + lanes);
            to[2 * k + re] = chosen<T, every_other<0>>(low, high);
            to[2 * k + im] = chosen<T, every_other<1>>(low, high);
        }
        return;
    }
    if (gap != 1 && side_by_side<T>(starts, lines.live, 1)) {  // real columns
        for (const T* at = data + starts[0]; k < n; ++k, at += stride) {
            to[2 * k + re] = read<V>(at);
            to[2 * k + im] = gap ? read<V>(at + gap) : V{};
        }
        return;
    }
    if (gap == 1 && stride == 2) {  // complex rows
        for (; k + half <= n; k += half) {
            V rows[2][half];
            for (int g = 0; g < 2; ++g) {
                for (int l = 0; l < half; ++l)
                    rows[g][l] = read<V>(data + starts[g * half + l] + 2 * k);
                transpose<T>(rows[g]);
            }
            for (int j = 0; j < half; ++j) {
                to[2 * (k + j) + re] = chosen<T, every_other<0>>(rows[0][j], rows[1][j]);
                to[2 * (k + j) + im] = chosen<T, every_other<1>>(rows[0][j], rows[1][j]);
            }
        }
    }
    for (; k < n; ++k)
        for (int l = 0; l < lanes; ++l) {
            const T* at = data + starts[l] + k * stride;
            to[2 * k + re][l] = *at;
            to[2 * k + im][l] = gap ? at[gap] : T(0);
        }
}

template <class T>
KAGARI_INLINE void store_lines(const Lines<T>& lines, int64_t n, T scale, const Cell<T>* cells) {
    using V = Vector<T>;
    constexpr int lanes = kLanes<T>, half = lanes / 2;
    const V* from = &cells[0].re;
    const int re = lines.swapped ? 1 : 0, im = lines.swapped ? 0 : 1;
    T* data = lines.data;
    const int64_t *starts = lines.starts, stride = lines.stride, gap = lines.gap;
    int64_t k = 0;
    if (gap == 1 && side_by_side<T>(starts, lines.live, 2)) {
        for (T* at = data + starts[0]; k < n; ++k, at += stride) {
            V a = from[2 * k + re] * scale, b = from[2 * k + im] * scale;
            write(at, chosen<T, in_turns<1, false>>(a, b));
            write(at + lanes, chosen<T, in_turns<1, true>>(a, b));
        }
        return;
    }
    if (gap != 1 && side_by_side<T>(starts, lines.live, 1)) {
        for (T* at = data + starts[0]; k < n; ++k, at += stride) {
            write(at, from[2 * k + re] * scale);
            if (gap) write(at + gap, from[2 * k + im] * scale);
        }
        return;
    }
    if (gap == 1 && stride == 2) {
        for (; k + half <= n; k += half) {
            V rows[2][half];
            for (int j = 0; j < half; ++j) {
                V a = from[2 * (k + j) + re] * scale, b = from[2 * (k + j) + im] * scale;
                rows[0][j] = chosen<T, in_turns<1, false>>(a, b);
                rows[1][j] = chosen<T, in_turns<1, true>>(a, b);
            }
            for (int g = 0; g < 2; ++g) {
                transpose<T>(rows[g]);
                for (int l = 0; l < half && g * half + l < lines.live; ++l)
                    write(data + starts[g * half + l] + 2 * k, rows[g][l]);
            }
        }
    }
    for (; k < n; ++k)
        for (int l = 0; l < lines.live; ++l) {
            T* at = data + starts[l] + k * stride;
            *at = from[2 * k + re][l] * scale;
            if (gap) at[gap] = from[2 * k + im][l] * scale;
        }
}

// --- passes ------------------------------------------------------------------------------------

/// Stockham's order: what a butterfly reads lies `count` apart, what it writes `stride` apart, and
/// no reordering remains to be done.
template <int R, bool last, class T>
KAGARI_INLINE void pass_of(const Stage& stage, const T* roots, const Cell<T>* from, Cell<T>* to) {
    const int64_t m = stage.count, s = stage.stride;
    const T* factors = roots + 2 * R;
    for (int64_t p = 0; p < m; ++p, factors += 2 * (R - 1)) {
        for (int64_t q = 0; q < s; ++q) {
            Cell<T> a[R];
            unrolled<R>([&](auto k) KAGARI_INLINE_LAMBDA { a[k] = from[q + s * (p + m * k)]; });
            butterfly<R, T>(a, roots);
            Cell<T>* out = to + q + s * R * p;
            out[0] = a[0];
            unrolled<R - 1>([&](auto j) KAGARI_INLINE_LAMBDA {
                constexpr int k = j + 1;
                out[s * k] = last ? a[k] : times(a[k], factors[2 * j], factors[2 * j + 1]);
            });
        }
    }
}

template <int R, class T>
KAGARI_INLINE void pass(const Stage& stage, const T* roots, const Cell<T>* from, Cell<T>* to) {
    if (stage.count > 1)
        pass_of<R, false>(stage, roots, from, to);
    else
        pass_of<R, true>(stage, roots, from, to);
}

template <class T>
KAGARI_INLINE Cell<T>* passes(const Plan<T>& plan, Cell<T>* a, Cell<T>* b) {
    for (const Stage& stage : plan.stages) {
        const T* roots = plan.roots.data() + stage.roots;
        switch (stage.radix) {
            case 2:
                pass<2>(stage, roots, a, b);
                break;
            case 3:
                pass<3>(stage, roots, a, b);
                break;
            case 4:
                pass<4>(stage, roots, a, b);
                break;
            case 5:
                pass<5>(stage, roots, a, b);
                break;
            case 7:
                pass<7>(stage, roots, a, b);
                break;
            case 8:
                pass<8>(stage, roots, a, b);
                break;
            case 11:
                pass<11>(stage, roots, a, b);
                break;
            default:
                pass<13>(stage, roots, a, b);
        }
        std::swap(a, b);
    }
    return a;
}

// --- between passes ----------------------------------------------------------------------------

template <class T>
KAGARI_INLINE void block_roots(const Plan<T>& plan, int64_t block, Cell<T>* cells) {
    using V = Vector<T>;
    for (int64_t k = 0; k < plan.columns->length; ++k) {
        const T* lane = plan.lane_roots.data() + 2 * kLanes<T> * k;
        const T* start = plan.block_roots.data() + 2 * block * k;
        Cell<T> root = times(Cell<T>{read<V>(lane), read<V>(lane + kLanes<T>)}, start[0], start[1]);
        cells[k] = times(cells[k], root.re, root.im);
    }
}

template <bool swapped, class V, class T>
KAGARI_INLINE void multiply_all(const T* factors, int64_t n, Complex<V>* row) {
    for (int64_t k = 0; k < n; ++k) {
        Complex<V> product = times(row[k], factors[2 * k], factors[2 * k + 1]);
        row[k] = swapped ? Complex<V>{product.im, product.re} : product;
    }
}

/// z = (x[2k], x[2k+1]) has the transform Z = E + i O, with E and O those of the even and the odd
/// points: Hermitian, so that E[k] = (Z[k] + conj Z[n-k]) / 2 and so on; X = E + w^k O.
template <class V, class T>
KAGARI_INLINE void unfold_all(const T* roots, int64_t n, Complex<V>* z) {
    z[n] = z[0];
    for (int64_t k = 0; 2 * k <= n; ++k) {
        Complex<V> a = z[k], b = {z[n - k].re, -z[n - k].im};
        Complex<V> even = a + b, odd = times(times_minus_i(a - b), roots[2 * k], roots[2 * k + 1]);
        const T half = T(0.5);
        z[k] = {(even.re + odd.re) * half, (even.im + odd.im) * half};
        z[n - k] = {(even.re - odd.re) * half, (odd.im - even.im) * half};
    }
}

/// The imaginary parts of the first and the last number, which a real signal does not have, are
/// not looked at.
template <class V, class T>
KAGARI_INLINE void fold_all(const T* roots, int64_t n, Complex<V>* z) {
    z[0].im = z[n].im = V{};
    for (int64_t k = 0; 2 * k <= n; ++k) {
        Complex<V> a = z[k], b = {z[n - k].re, -z[n - k].im};
        Complex<V> even = a + b, odd = times(a - b, roots[2 * k], -roots[2 * k + 1]);
        z[k] = {even.im + odd.re, even.re - odd.im};
        z[n - k] = {odd.re - even.im, even.re + odd.im};
    }
}

template <class V>
KAGARI_INLINE void mirror_all(int64_t n, Complex<V>* z) {
    z[0].im = V{};
    for (int64_t k = 1; 2 * k < n; ++k) {
        z[n - k] = z[k];
        z[k].im = -z[k].im;
    }
}

}  // namespace

#define KAGARI_FFT_LOOPS(T)                                                                     \
    KAGARI_CLONES void load(const Lines<const T>& lines, int64_t n, Cell<T>* cells) {           \
        load_lines<T>(lines, n, cells);                                                         \
    }                                                                                           \
    KAGARI_CLONES void store(const Lines<T>& lines, int64_t n, T scale, const Cell<T>* cells) { \
        store_lines<T>(lines, n, scale, cells);                                                 \
    }                                                                                           \
    KAGARI_CLONES Cell<T>* run_passes(const Plan<T>& plan, Cell<T>* a, Cell<T>* b) {            \
        return passes<T>(plan, a, b);                                                           \
    }                                                                                           \
    KAGARI_CLONES void multiply_roots(const Plan<T>& plan, int64_t block, Cell<T>* cells) {     \
        block_roots<T>(plan, block, cells);                                                     \
    }                                                                                           \
    KAGARI_CLONES void multiply(const T* factors, int64_t n, Cell<T>* cells) {                  \
        multiply_all<false>(factors, n, cells);                                                 \
    }                                                                                           \
    KAGARI_CLONES void multiply_swapped(const T* factors, int64_t n, Cell<T>* cells) {          \
        multiply_all<true>(factors, n, cells);                                                  \
    }                                                                                           \
    KAGARI_CLONES void unfold(const T* roots, int64_t n, Cell<T>* cells) {                      \
        unfold_all(roots, n, cells);                                                            \
    }                                                                                           \
    KAGARI_CLONES void fold(const T* roots, int64_t n, Cell<T>* cells) {                        \
        fold_all(roots, n, cells);                                                              \
    }                                                                                           \
    KAGARI_CLONES void mirror(int64_t n, Cell<T>* cells) { mirror_all(n, cells); }              \
    KAGARI_CLONES void unfold(const T* roots, int64_t n, Complex<T>* row) {                     \
        unfold_all(roots, n, row);                                                              \
    }                                                                                           \
    KAGARI_CLONES void fold(const T* roots, int64_t n, Complex<T>* row) {                       \
        fold_all(roots, n, row);                                                                \
    }                                                                                           \
    KAGARI_CLONES void mirror(int64_t n, Complex<T>* row) { mirror_all(n, row); }               \
    KAGARI_CLONES void multiply(const T* factors, int64_t n, Complex<T>* row) {                 \
        multiply_all<false>(factors, n, row);                                                   \
    }                                                                                           \
    KAGARI_CLONES void multiply_swapped(const T* factors, int64_t n, Complex<T>* row) {         \
        multiply_all<true>(factors, n, row);                                                    \
    }
KAGARI_FFT_LOOPS(float)
KAGARI_FFT_LOOPS(double)
#undef KAGARI_FFT_LOOPS

}  // namespace kagari::cpu::fft
