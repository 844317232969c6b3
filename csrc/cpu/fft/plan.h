// What a transform of one length needs to know: factors, roots of unity, and the way it is done.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace kagari::cpu::fft {

/// One pass over the data: `count` butterflies of `radix` points for each of `stride` columns.
struct Stage {
    int radix;
    int64_t count, stride;
    size_t roots;  // where in Plan::roots: its butterfly's `radix` roots, then radix - 1 per count
};

/// Complex tables hold real and imaginary part in turns.
template <class T>
struct Plan {
    explicit Plan(int64_t n);

    int64_t length;
    int64_t cells;  // of working memory, in Cells: more than length where the chirp is used

    // Passes over lanes (Stockham's order): for lengths without a prime factor above 13.
    std::vector<Stage> stages;
    std::vector<T> roots;

    // Six steps (Bailey): length = columns * rows, each of them done on lanes.
    std::shared_ptr<const Plan> columns, rows;
    std::vector<T> lane_roots;   // w^(l k) for lane l of point k of a column
    std::vector<T> block_roots;  // w^(N b k): from there to the lanes of block b

    // A product of polynomials (Bluestein): for the other lengths.
    std::shared_ptr<const Plan> product;
    std::vector<T> chirp, chirp_back;  // exp(-i pi k^2 / n) and its conjugate
    std::vector<T> spectrum;           // transform of the conjugate, over the length of the product

    size_t bytes() const;
};

/// exp(-2 pi i k / n) for k = 0 .. n / 4: what turns a transform of n / 2 complex numbers into one
/// of n real ones.
template <class T>
struct HalfRoots {
    explicit HalfRoots(int64_t n);
    std::vector<T> roots;
    size_t bytes() const { return roots.size() * sizeof(T); }
};

/// The plan of a length. The last ones used are kept, up to 64 MiB.
template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n);
template <class T>
std::shared_ptr<const HalfRoots<T>> half_roots_of(int64_t n);

}  // namespace kagari::cpu::fft
