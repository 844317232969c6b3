// The ways to do a transform: lanes of many lines at once, six steps for a long line, Bluestein's
// product for lengths with large prime factors.
//
// Cooley, Tukey: An algorithm for the machine calculation of complex Fourier series (1965).
// Stockham's order of passes: Cochran et al., What is the fast Fourier transform? (1967).
// Bluestein: A linear filtering approach to the computation of discrete Fourier transform (1970).
// Bailey: FFTs in external or hierarchical memory (1990), the six steps.
#include "cpu/fft/transform.h"

#include <algorithm>

#include "cpu/fft/passes.h"
#include "cpu/scratch.h"
#include "runtime/parallel.h"

namespace kagari::cpu::fft {
namespace {

/// One line: points `stride` apart, imaginary parts `gap` behind the real ones (0: there are none),
/// in elements of T. Exchanging both parts before and after a transform makes the inverse one.
template <class T>
struct Line {
    T* data;
    int64_t stride, gap;
    bool swapped = false;
};

/// The lines that start `step` apart from `first` on, at most N of the `count`.
template <class T>
Lines<T> lines_from(const Line<T>& line, int64_t first, int64_t count, int64_t step) {
    Lines<T> lines{line.data, {}, 0, line.stride, line.gap, line.swapped};
    lines.live = static_cast<int>(std::min<int64_t>(kLanes<T>, count - first));
    for (int l = 0; l < kLanes<T>; ++l) lines.starts[l] = (first + (l < lines.live ? l : 0)) * step;
    return lines;
}

/// Working memory for the lanes of a plan: two times its cells, and one for unfold.
template <class T>
struct Cells {
    Scratch memory;
    Cell<T>*a, *b;
    explicit Cells(const Plan<T>& plan)
        : memory(2 * sizeof(Cell<T>) * static_cast<size_t>(plan.cells + 1)),
          a(memory.as<Cell<T>>()),
          b(a + plan.cells + 1) {}
};

/// The transform of what is in cells.a; returns where the result is.
template <class T>
Cell<T>* run_lanes(const Plan<T>& plan, Cells<T>& cells) {
    if (!plan.product) return run_passes(plan, cells.a, cells.b);
    int64_t n = plan.length, m = plan.product->length;
    multiply(plan.chirp.data(), n, cells.a);
    std::fill(cells.a + n, cells.a + m, Cell<T>{});
    Cell<T>* product = run_passes(*plan.product, cells.a, cells.b);
    multiply_swapped(plan.spectrum.data(), m, product);
    product = run_passes(*plan.product, product, product == cells.a ? cells.b : cells.a);
    multiply_swapped(plan.chirp_back.data(), n, product);
    return product;
}

// --- one long line -----------------------------------------------------------------------------

/// Points that one piece of work on lanes should have.
constexpr int64_t kGrainPoints = 16 * 1024;

template <class T>
int64_t blocks_of(int64_t lines) {
    return (lines + kLanes<T> - 1) / kLanes<T>;
}

/// Calls f(first line, cells) for each block of N lines.
template <class T, class F>
void for_blocks(const Plan<T>& plan, int64_t count, F f) {
    int64_t grain = std::max<int64_t>(1, kGrainPoints / (plan.cells * kLanes<T>));
    parallel_for(0, blocks_of<T>(count), grain, [&](int64_t b, int64_t e) {
        Cells<T> cells(plan);
        for (int64_t block = b; block < e; ++block) f(block * kLanes<T>, cells);
    });
}

/// Bailey's steps: with point j = j1 * rows + j2 and frequency k = k1 + columns * k2, transforms
/// over j1, factors w^(j2 k1), transforms over j2; two of the three transpositions are in how lanes
/// are read and written, the third is the order of the result.
template <class T>
void six_steps(const Plan<T>& plan, Line<const T> from, Line<T> to, T scale) {
    const Plan<T>&columns = *plan.columns, &rows = *plan.rows;
    int64_t n1 = columns.length, n2 = rows.length;
    int64_t pitch = 2 * n1 + kLanes<T>;  // rows a power of two apart would share cache sets
    Scratch middle(sizeof(T) * static_cast<size_t>(n2 * pitch));
    Line<const T> column = from;
    column.stride *= n2;
    for_blocks(columns, n2, [&](int64_t j2, Cells<T>& cells) {
        load(lines_from(column, j2, n2, from.stride), n1, cells.a);
        Cell<T>* done = run_lanes(columns, cells);
        multiply_roots(plan, j2 / kLanes<T>, done);
        store(lines_from(Line<T>{middle.as<T>(), 2, 1}, j2, n2, pitch), n1, T(1), done);
    });
    Line<T> result = to;
    result.stride *= n1;
    for_blocks(rows, n1, [&](int64_t k1, Cells<T>& cells) {
        load(lines_from(Line<const T>{middle.as<T>(), pitch, 1}, k1, n1, 2), n2, cells.a);
        store(lines_from(result, k1, n1, to.stride), n2, scale, run_lanes(rows, cells));
    });
}

template <class T>
Complex<T>* as_complex(T* row) {
    return reinterpret_cast<Complex<T>*>(row);
}

template <class T>
void copy_line(Line<const T> from, Line<T> to, int64_t n, T scale) {
    for (int64_t k = 0; k < n; ++k) {
        T re = from.data[k * from.stride],
          im = from.gap ? from.data[k * from.stride + from.gap] : 0;
        if (from.swapped != to.swapped) std::swap(re, im);
        to.data[k * to.stride] = re * scale;
        if (to.gap) to.data[k * to.stride + to.gap] = im * scale;
    }
}

/// A row of complex numbers.
template <class T>
struct Row {
    Scratch memory;
    Line<T> line;
    explicit Row(int64_t n)
        : memory(2 * sizeof(T) * static_cast<size_t>(n)), line{memory.as<T>(), 2, 1} {}
    Complex<T>* numbers() const { return as_complex(line.data); }
    Line<const T> read() const { return {line.data, 2, 1}; }
};

/// Are lanes the only way?
template <class T>
bool is_short(const Plan<T>& plan) {
    return !plan.columns && !(plan.product && plan.product->columns);
}

template <class T>
void transform_line(const Plan<T>& plan, Line<const T> from, Line<T> to, T scale) {
    if (is_short(plan)) {
        Cells<T> cells(plan);
        load(lines_from(from, 0, 1, 0), plan.length, cells.a);
        return store(lines_from(to, 0, 1, 0), plan.length, scale, run_lanes(plan, cells));
    }
    if (plan.columns) return six_steps(plan, from, to, scale);
    int64_t n = plan.length, m = plan.product->length;
    Row<T> row(m);
    copy_line(from, row.line, n, T(1));
    multiply(plan.chirp.data(), n, row.numbers());
    std::fill(row.line.data + 2 * n, row.line.data + 2 * m, T(0));
    six_steps(*plan.product, row.read(), row.line, T(1));
    multiply_swapped(plan.spectrum.data(), m, row.numbers());
    six_steps(*plan.product, row.read(), row.line, T(1));
    multiply_swapped(plan.chirp_back.data(), n, row.numbers());
    copy_line(row.read(), to, n, scale);
}

// --- many lines --------------------------------------------------------------------------------

/// The lines of a tensor: `line` is the one that would start at its first element.
template <class T>
struct Many {
    Line<T> line;
    const std::vector<int64_t>& starts;
    int64_t unit;  // elements of T in one of the tensor

    int64_t count() const { return static_cast<int64_t>(starts.size()); }
    Line<T> at(int64_t i) const {
        Line<T> one = line;
        one.data += starts[static_cast<size_t>(i)] * unit;
        return one;
    }
    Lines<T> from(int64_t i) const {
        Lines<T> lines = lines_from(line, i, count(), 0);
        for (int l = 0; l < kLanes<T>; ++l)
            lines.starts[l] = starts[static_cast<size_t>(i + (l < lines.live ? l : 0))] * unit;
        return lines;
    }
};

template <class T>
Many<T> complex_of(const Places& p, bool swapped = false) {
    return {{static_cast<T*>(p.data), 2 * p.stride, 1, swapped}, p.starts, 2};
}
template <class T>
Many<T> reals_of(const Places& p) {
    return {{static_cast<T*>(p.data), p.stride, 0}, p.starts, 1};
}
/// Two real points as one complex one.
template <class T>
Many<T> pairs_of(const Places& p, bool swapped = false) {
    return {{static_cast<T*>(p.data), 2 * p.stride, p.stride, swapped}, p.starts, 1};
}

/// With more cells than that the six steps are quicker, unless lines lie side by side.
constexpr int64_t kMostCells = 1024, kMostCellsSideBySide = 64 * 1024;

template <class T, class U>
bool by_lanes(const Plan<T>& plan, const Many<U>& from) {
    if (is_short(plan)) return true;
    if (from.count() < kLanes<T> / 2) return false;
    bool side_by_side = from.starts[1] == from.starts[0] + 1;
    return plan.cells <= (side_by_side ? kMostCellsSideBySide : kMostCells);
}

/// Calls f(i) for each line. Threads share the lines or, if these are few, the work within each.
template <class F>
void for_lines(int64_t count, int64_t points, F f) {
    if (count < num_threads()) {
        for (int64_t i = 0; i < count; ++i) f(i);
        return;
    }
    parallel_for(0, count, std::max<int64_t>(1, kGrainPoints / points), [&](int64_t b, int64_t e) {
        for (int64_t i = b; i < e; ++i) f(i);
    });
}

template <class T>
void complex_typed(int64_t n, const Places& from, const Places& to, bool forward, T scale) {
    auto plan = plan_of<T>(n);
    Many<const T> in = complex_of<const T>(from, !forward);
    Many<T> out = complex_of<T>(to, !forward);
    if (by_lanes(*plan, in))
        return for_blocks(*plan, in.count(), [&](int64_t i, Cells<T>& cells) {
            load(in.from(i), n, cells.a);
            store(out.from(i), n, scale, run_lanes(*plan, cells));
        });
    for_lines(in.count(), n, [&](int64_t i) { transform_line(*plan, in.at(i), out.at(i), scale); });
}

/// An even number of points: as half as many complex ones.
template <class T>
void real_even(int64_t n, const Places& from, const Places& to, T scale) {
    int64_t half = n / 2;
    auto plan = plan_of<T>(half);
    auto table = half_roots_of<T>(n);
    const T* roots = table->roots.data();
    Many<const T> in = pairs_of<const T>(from);
    Many<T> out = complex_of<T>(to);
    if (by_lanes(*plan, in))
        return for_blocks(*plan, in.count(), [&](int64_t i, Cells<T>& cells) {
            load(in.from(i), half, cells.a);
            Cell<T>* done = run_lanes(*plan, cells);
            unfold(roots, half, done);
            store(out.from(i), half + 1, scale, done);
        });
    for_lines(in.count(), n, [&](int64_t i) {
        if (out.line.stride == 2) {
            transform_line(*plan, in.at(i), out.at(i), scale);
            return unfold(roots, half, as_complex(out.at(i).data));
        }
        Row<T> row(half + 1);
        transform_line(*plan, in.at(i), row.line, scale);
        unfold(roots, half, row.numbers());
        copy_line(row.read(), out.at(i), half + 1, T(1));
    });
}

template <class T>
void real_odd(int64_t n, const Places& from, const Places& to, T scale) {
    auto plan = plan_of<T>(n);
    Many<const T> in = reals_of<const T>(from);
    Many<T> out = complex_of<T>(to);
    if (by_lanes(*plan, in))
        return for_blocks(*plan, in.count(), [&](int64_t i, Cells<T>& cells) {
            load(in.from(i), n, cells.a);
            store(out.from(i), n / 2 + 1, scale, run_lanes(*plan, cells));
        });
    for_lines(in.count(), n, [&](int64_t i) {
        Row<T> row(n);
        transform_line(*plan, in.at(i), row.line, scale);
        copy_line(row.read(), out.at(i), n / 2 + 1, T(1));
    });
}

template <class T>
void half_even(int64_t n, const Places& from, const Places& to, T scale) {
    int64_t half = n / 2;
    auto plan = plan_of<T>(half);
    auto table = half_roots_of<T>(n);
    const T* roots = table->roots.data();
    Many<const T> in = complex_of<const T>(from);
    Many<T> out = pairs_of<T>(to, true);
    if (by_lanes(*plan, in))
        return for_blocks(*plan, in.count(), [&](int64_t i, Cells<T>& cells) {
            load(in.from(i), half + 1, cells.a);
            fold(roots, half, cells.a);
            store(out.from(i), half, scale, run_lanes(*plan, cells));
        });
    for_lines(in.count(), n, [&](int64_t i) {
        Row<T> row(half + 1);
        copy_line(in.at(i), row.line, half + 1, T(1));
        fold(roots, half, row.numbers());
        transform_line(*plan, row.read(), out.at(i), scale);
    });
}

template <class T>
void half_odd(int64_t n, const Places& from, const Places& to, T scale) {
    auto plan = plan_of<T>(n);
    Many<const T> in = complex_of<const T>(from);
    Many<T> out = reals_of<T>(to);
    if (by_lanes(*plan, in))
        return for_blocks(*plan, in.count(), [&](int64_t i, Cells<T>& cells) {
            load(in.from(i), n / 2 + 1, cells.a);
            mirror(n, cells.a);
            store(out.from(i), n, scale, run_lanes(*plan, cells));
        });
    for_lines(in.count(), n, [&](int64_t i) {
        Row<T> row(n);
        copy_line(in.at(i), row.line, n / 2 + 1, T(1));
        mirror(n, row.numbers());
        transform_line(*plan, row.read(), out.at(i), scale);
    });
}

}  // namespace

void complex_lines(DType dtype, int64_t n, const Places& from, const Places& to, bool forward,
                   double scale) {
    if (dtype == DType::F64) return complex_typed<double>(n, from, to, forward, scale);
    complex_typed<float>(n, from, to, forward, static_cast<float>(scale));
}

void real_lines(DType dtype, int64_t n, const Places& from, const Places& to, double scale) {
    if (dtype == DType::F64)
        return n % 2 ? real_odd<double>(n, from, to, scale) : real_even<double>(n, from, to, scale);
    auto factor = static_cast<float>(scale);
    n % 2 ? real_odd<float>(n, from, to, factor) : real_even<float>(n, from, to, factor);
}

void half_lines(DType dtype, int64_t n, const Places& from, const Places& to, double scale) {
    if (dtype == DType::F64)
        return n % 2 ? half_odd<double>(n, from, to, scale) : half_even<double>(n, from, to, scale);
    auto factor = static_cast<float>(scale);
    n % 2 ? half_odd<float>(n, from, to, factor) : half_even<float>(n, from, to, factor);
}

void transform_row(const Plan<double>& plan, double* row) {
    transform_line(plan, Line<const double>{row, 2, 1}, Line<double>{row, 2, 1}, 1.0);
}

}  // namespace kagari::cpu::fft
