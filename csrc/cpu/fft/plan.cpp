// Making plans: factors, tables, and the cache.
#include "cpu/fft/plan.h"

#include <cmath>
#include <complex>
#include <list>
#include <mutex>
#include <numbers>

#include "cpu/fft/lanes.h"
#include "cpu/fft/transform.h"

namespace kagari::cpu::fft {
namespace {

/// exp(-2 pi i k / n), 0 <= k < n, within an ulp: the angle is brought to an eighth of the circle.
std::complex<double> unit_root(int64_t k, int64_t n) {
    bool below = 2 * k > n;  // conjugate
    if (below) k = n - k;
    bool left = 4 * k > n;
    // k and n of the angle in quarters of what is left, so that all stays a whole number
    int64_t twice = left ? n - 2 * k : 2 * k;
    bool steep = 4 * twice > n;
    double angle = std::numbers::pi * static_cast<double>(steep ? n - 2 * twice : twice) /
                   static_cast<double>(steep ? 2 * n : n);
    double cosine = std::cos(angle), sine = std::sin(angle);
    if (steep) std::swap(cosine, sine);
    return {left ? -cosine : cosine, below ? sine : -sine};
}

template <class T>
void append(std::vector<T>& table, std::complex<double> value) {
    table.push_back(static_cast<T>(value.real()));
    table.push_back(static_cast<T>(value.imag()));
}

/// Radices of n, the large ones first; empty if a prime factor is above 13.
std::vector<int> radices_of(int64_t n) {
    std::vector<int> radices;
    for (int radix : {8, 13, 11, 7, 5, 4, 3, 2})
        for (; n % radix == 0; n /= radix) radices.push_back(radix);
    if (n != 1) radices.clear();
    return radices;
}

template <class T>
void add_stages(Plan<T>& plan, const std::vector<int>& radices) {
    int64_t n = plan.length, stride = 1;
    for (int radix : radices) {
        Stage stage{radix, n / radix, stride, plan.roots.size()};
        for (int j = 0; j < radix; ++j) append(plan.roots, unit_root(j, radix));
        if (stage.count > 1)
            for (int64_t p = 0; p < stage.count; ++p)
                for (int j = 1; j < radix; ++j) append(plan.roots, unit_root(p * j, n));
        plan.stages.push_back(stage);
        n /= radix;
        stride *= radix;
    }
}

/// Below this length the passes alone are as quick.
constexpr int64_t kShortestSplit = 128;

template <class T>
void add_split(Plan<T>& plan) {
    int64_t n = plan.length, columns = 1;
    for (int64_t d = 1; d * d <= n; ++d)
        if (n % d == 0) columns = d;
    if (columns < 8) return;
    plan.columns = plan_of<T>(columns);
    plan.rows = plan_of<T>(n / columns);
    constexpr int lanes = kLanes<T>;
    for (int64_t k = 0; k < columns; ++k) {  // as Cells: real parts of all lanes, then imaginary
        for (int l = 0; l < lanes; ++l)
            plan.lane_roots.push_back(static_cast<T>(unit_root(l * k % n, n).real()));
        for (int l = 0; l < lanes; ++l)
            plan.lane_roots.push_back(static_cast<T>(unit_root(l * k % n, n).imag()));
    }
    for (int64_t m = 0; m * lanes < n; ++m) append(plan.block_roots, unit_root(m * lanes, n));
}

/// The smallest length >= least that has quick passes.
int64_t quick_length(int64_t least) {
    int64_t best = 1;
    while (best < least) best *= 2;
    for (int64_t odd : {3, 5, 9, 15}) {
        int64_t n = odd;
        while (n < least) n *= 2;
        best = std::min(best, n);
    }
    return best;
}

template <class T>
void add_chirp(Plan<T>& plan) {
    int64_t n = plan.length, m = quick_length(2 * n - 1);
    plan.product = plan_of<T>(m);
    plan.cells = plan.product->cells;
    auto square = [n](int64_t k) {
        return static_cast<int64_t>(static_cast<__int128>(k) * k % (2 * n));
    };
    // in double precision; the spectrum holds the 1/m of the inverse
    std::vector<double> wave(static_cast<size_t>(2 * m));
    for (int64_t k = 0; k < n; ++k) {
        std::complex<double> root = unit_root(square(k), 2 * n);
        append(plan.chirp, root);
        append(plan.chirp_back, std::conj(root));
        for (int64_t place : {k, (m - k) % m}) {
            wave[static_cast<size_t>(2 * place)] = root.real() / static_cast<double>(m);
            wave[static_cast<size_t>(2 * place + 1)] = -root.imag() / static_cast<double>(m);
        }
    }
    transform_row(*plan_of<double>(m), wave.data());
    plan.spectrum.assign(wave.begin(), wave.end());
}

/// The values last asked for, the latest first.
template <class Value>
class Cache {
  public:
    std::shared_ptr<const Value> find(int64_t n) {
        if (auto known = look_up(n)) return known;
        auto made = std::make_shared<const Value>(n);  // without the lock: plans need other plans
        std::lock_guard lock(mutex_);
        entries_.emplace_front(n, made);
        bytes_ += made->bytes();
        while (bytes_ > kMostBytes && entries_.size() > 1) {
            bytes_ -= entries_.back().second->bytes();
            entries_.pop_back();
        }
        return made;
    }

  private:
    std::shared_ptr<const Value> look_up(int64_t n) {
        std::lock_guard lock(mutex_);
        for (auto i = entries_.begin(); i != entries_.end(); ++i) {
            if (i->first != n) continue;
            entries_.splice(entries_.begin(), entries_, i);
            return entries_.front().second;
        }
        return nullptr;
    }

    static constexpr size_t kMostBytes = size_t{64} << 20;
    std::mutex mutex_;
    std::list<std::pair<int64_t, std::shared_ptr<const Value>>> entries_;
    size_t bytes_ = 0;
};

/// Never destroyed: threads may still compute when the process ends.
template <class Value>
Cache<Value>& cache() {
    static auto* the_cache = new Cache<Value>;
    return *the_cache;
}

}  // namespace

template <class T>
Plan<T>::Plan(int64_t n) : length(n), cells(n) {
    std::vector<int> radices = radices_of(n);
    if (n > 1 && radices.empty()) {
        add_chirp(*this);
    } else {
        add_stages(*this, radices);
        if (n >= kShortestSplit) add_split(*this);
    }
}

template <class T>
size_t Plan<T>::bytes() const {
    return sizeof(Plan) + sizeof(T) * (roots.size() + lane_roots.size() + block_roots.size() +
                                       2 * chirp.size() + spectrum.size());
}

template <class T>
HalfRoots<T>::HalfRoots(int64_t n) {
    for (int64_t k = 0; 4 * k <= n; ++k) append(roots, unit_root(k, n));
}

template <class T>
std::shared_ptr<const Plan<T>> plan_of(int64_t n) {
    return cache<Plan<T>>().find(n);
}
template <class T>
std::shared_ptr<const HalfRoots<T>> half_roots_of(int64_t n) {
    return cache<HalfRoots<T>>().find(n);
}

template struct Plan<float>;
template struct Plan<double>;
template std::shared_ptr<const Plan<float>> plan_of(int64_t);
template std::shared_ptr<const Plan<double>> plan_of(int64_t);
template std::shared_ptr<const HalfRoots<float>> half_roots_of(int64_t);
template std::shared_ptr<const HalfRoots<double>> half_roots_of(int64_t);

}  // namespace kagari::cpu::fft
