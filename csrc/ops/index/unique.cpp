// Distinct elements and counting: unique, unique_consecutive, bincount, histc.
#include "autograd/mode.h"
#include "cpu/sort.h"
#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/op.h"

namespace kagari::ops {

namespace {

using Triple = std::tuple<Tensor, Tensor, Tensor>;

/// Groups in a sequence of n things: which starts one, given whether i equals i - 1.
struct Groups {
    std::vector<int64_t> starts;   // position of the first of each group
    std::vector<int64_t> numbers;  // group of each position
    template <class Same>
    Groups(int64_t n, Same same) : numbers(static_cast<size_t>(n)) {
        for (int64_t i = 0; i < n; ++i) {
            if (i == 0 || !same(i)) starts.push_back(i);
            numbers[static_cast<size_t>(i)] = static_cast<int64_t>(starts.size()) - 1;
        }
    }
    int64_t count() const { return static_cast<int64_t>(starts.size()); }
};

Tensor tensor_of(const std::vector<int64_t>& values) {
    Tensor t = empty(Dims{static_cast<int64_t>(values.size())}, DType::I64);
    std::copy(values.begin(), values.end(), t.data<int64_t>());
    return t;
}

Tensor counts_of(const Groups& groups) {
    std::vector<int64_t> counts(groups.starts.size());
    int64_t n = static_cast<int64_t>(groups.numbers.size());
    for (size_t g = 0; g < counts.size(); ++g)
        counts[g] = (g + 1 < counts.size() ? groups.starts[g + 1] : n) - groups.starts[g];
    return tensor_of(counts);
}

/// The element of each group, the group of each element in the order given by `order`, the counts.
Triple results(const Tensor& rows, const Groups& groups, const std::vector<int64_t>& order,
               IntSpan inverse_sizes, int64_t dim) {
    std::vector<int64_t> firsts(groups.starts.size()), inverse(groups.numbers.size());
    for (size_t g = 0; g < firsts.size(); ++g)
        firsts[g] = order[static_cast<size_t>(groups.starts[g])];
    for (size_t i = 0; i < inverse.size(); ++i)
        inverse[static_cast<size_t>(order[i])] = groups.numbers[i];
    Tensor where = tensor_of(inverse);
    return {index_select(rows, dim, tensor_of(firsts)), reshape(where, inverse_sizes),
            counts_of(groups)};
}

std::vector<int64_t> in_order(int64_t n) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) order[static_cast<size_t>(i)] = i;
    return order;
}

/// Elements of the flattened tensor; sorted first, or only neighbours compared.
Triple unique_flat(const Tensor& self, bool consecutive) {
    NoGrad guard;
    Tensor flat = reshape(raw_contiguous(self), Dims{-1});
    int64_t n = flat.numel();
    std::vector<int64_t> order = in_order(n);
    Tensor sorted = flat;
    if (!consecutive && n > 0) {
        check(!is_complex(self.dtype()), "unique: complex numbers have no order");
        sorted = empty(flat.sizes(), flat.dtype());
        cpu::sort_rows(flat.dtype(), flat.data(), 1, n, false, sorted.data(), order.data());
    }
    return visit(self.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* at = sorted.data<T>();
        Groups groups(n, [&](int64_t i) { return at[i] == at[i - 1]; });
        return results(flat, groups, order, self.sizes(), 0);
    });
}

/// Distinct integers of a range that is not much wider than there are of them: marked in a table.
template <class T>
bool mark_distinct(const T* at, int64_t n, std::vector<T>& distinct) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        auto [low, high] = std::minmax_element(at, at + n);
        uint64_t width = static_cast<uint64_t>(*high) - static_cast<uint64_t>(*low);
        if (width > 4 * static_cast<uint64_t>(n)) return false;
        std::vector<uint8_t> seen(static_cast<size_t>(width) + 1);
        const auto first = static_cast<uint64_t>(*low);
        for (int64_t i = 0; i < n; ++i) seen[static_cast<uint64_t>(at[i]) - first] = 1;
        for (uint64_t v = 0; v <= width; ++v)
            if (seen[v]) distinct.push_back(static_cast<T>(first + v));
        return true;
    }
    return false;
}

/// The distinct elements in ascending order, and nothing about where they were.
Tensor unique_values_body(const Tensor& self) {
    check<NotImplementedError>(!self.is_meta(),
                               "unique: the size of the result depends on values, "
                               "which a meta tensor does not have");
    check(!is_complex(self.dtype()), "unique: complex numbers have no order");
    NoGrad guard;
    Tensor flat = raw_contiguous(self);
    int64_t n = flat.numel();
    return visit(self.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        std::vector<T> distinct;
        if constexpr (!kIsComplex<T>) {
            if (n > 0 && !mark_distinct(flat.data<T>(), n, distinct)) {
                Tensor sorted = empty(Dims{n}, self.dtype()), places = empty(Dims{n}, DType::I64);
                cpu::sort_rows(self.dtype(), flat.data(), 1, n, false, sorted.data(),
                               places.data<int64_t>());
                const T* at = sorted.data<T>();
                for (int64_t i = 0; i < n; ++i)
                    if (i == 0 || !(at[i] == at[i - 1])) distinct.push_back(at[i]);
            }
        }
        Tensor out = empty(Dims{static_cast<int64_t>(distinct.size())}, self.dtype());
        std::copy(distinct.begin(), distinct.end(), out.data<T>());
        return out;
    });
}

/// Slices along `dim`, compared element by element.
Triple unique_slices(const Tensor& self, int64_t dim, bool consecutive) {
    NoGrad guard;
    dim = wrap_dim(dim, self.dim(), "unique");
    check(!is_complex(self.dtype()), "unique: complex numbers have no order");
    int64_t n = self.size(dim);
    check(self.numel() > 0 || n == 0,
          "There are 0 sized dimensions, and they aren't selected, so "
          "unique cannot be applied to sizes ",
          self.sizes());
    Tensor rows = raw_contiguous(transpose(self, 0, dim));
    int64_t width = n ? rows.numel() / n : 0;
    std::vector<int64_t> order = in_order(n);
    return visit(self.dtype(), [&](auto tag) -> Triple {
        using T = typename decltype(tag)::type;
        if constexpr (kIsComplex<T>) {
            return {};
        } else {
            const T* data = rows.data<T>();
            auto row = [&](int64_t i) { return data + i * width; };
            if (!consecutive)
                std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
                    return std::lexicographical_compare(row(a), row(a) + width, row(b),
                                                        row(b) + width);
                });
            Groups groups(n, [&](int64_t i) {
                const T* a = row(order[static_cast<size_t>(i)]);
                return std::equal(a, a + width, row(order[static_cast<size_t>(i) - 1]));
            });
            return results(self, groups, order, Dims{n}, dim);
        }
    });
}

Triple unique_body(const Tensor& self, std::optional<int64_t> dim, bool consecutive) {
    check<NotImplementedError>(!self.is_meta(),
                               "unique: the size of the result depends on values, "
                               "which a meta tensor does not have");
    return dim && self.dim() ? unique_slices(self, *dim, consecutive)
                             : unique_flat(self, consecutive);
}

Tensor bincount_body(const Tensor& self, const std::optional<Tensor>& weights, int64_t minlength) {
    check<NotImplementedError>(is_integral(self.dtype()), "\"bincount_cpu\" not implemented for ",
                               name(self.dtype()));
    check(self.dim() == 1, "bincount only supports 1-d non-negative integral inputs, got ",
          self.sizes());
    check(minlength >= 0, "minlength should be >= 0, got ", minlength);
    check(!weights || (weights->dim() == 1 && weights->numel() == self.numel()),
          "weights should be 1-d and have the same length as input, got ",
          weights ? weights->sizes() : IntSpan());
    NoGrad guard;
    Tensor places = raw_contiguous(self, DType::I64);
    const int64_t* at = places.data<int64_t>();
    int64_t length = minlength;
    for (int64_t i = 0; i < places.numel(); ++i) {
        check(at[i] >= 0, "bincount only supports 1-d non-negative integral inputs, got ", at[i]);
        check(at[i] < INT64_MAX, "bincount: expected numbers below 2^63 - 1, got ", at[i]);
        length = std::max(length, at[i] + 1);
    }
    DType dtype = weights && weights->dtype() == DType::F32 ? DType::F32 : DType::F64;
    if (weights)
        return index_add(zeros(Dims{length}, dtype), 0, places, raw_contiguous(*weights, dtype),
                         Scalar(1));
    Tensor counts = zeros(Dims{length}, DType::I64);
    int64_t* count = counts.data<int64_t>();
    for (int64_t i = 0; i < places.numel(); ++i) ++count[at[i]];
    return counts;
}

Tensor histc_body(const Tensor& self, int64_t bins, double low, double high) {
    check(bins > 0, "torch.histc(): bins must be > 0, got ", bins);
    check<NotImplementedError>(is_floating(self.dtype()), "\"histogram_cpu\" not implemented for ",
                               name(self.dtype()));
    if (self.is_meta()) return empty(Dims{bins}, self.dtype(), self.device());
    Tensor values = raw_contiguous(self, DType::F64);
    const double* v = values.data<double>();
    int64_t n = values.numel();
    if (low == high && n > 0) {
        auto [a, b] = std::minmax_element(v, v + n);
        low = *a;
        high = *b;
    }
    check(std::isfinite(low) && std::isfinite(high), "torch.histc: range of [", low, ", ", high,
          "] is not finite");
    check(low <= high, "torch.histc: max must be larger than min, got ", low, " and ", high);
    if (low == high) {
        low -= 1;
        high += 1;
    }
    Tensor counts = zeros(Dims{bins}, DType::F64);
    double unit = std::isinf(high - low) ? 0.5 : 1;  // halves of the range do not overflow
    low *= unit, high *= unit;
    for (int64_t i = 0; i < n; ++i) {
        double x = v[i] * unit;
        if (!(x >= low && x <= high)) continue;
        int64_t bin = static_cast<int64_t>((x - low) / (high - low) * static_cast<double>(bins));
        counts.data<double>()[std::min(bin, bins - 1)] += 1;
    }
    return raw_contiguous(counts, self.dtype());
}

const Op<Triple(const Tensor&, std::optional<int64_t>, bool)> unique{
    "_unique(Tensor input, int? dim, bool consecutive) -> (Tensor, Tensor, Tensor)", "p",
    unique_body, "Distinct elements or slices, where each came from, how often each comes."};
const Op<Tensor(const Tensor&)> unique_values{"_unique_values(Tensor input) -> Tensor", "p",
                                              unique_values_body, "Distinct elements."};
const Op<Tensor(const Tensor&, const std::optional<Tensor>&, int64_t)> bincount{
    "bincount(Tensor input, Tensor? weights=None, int minlength=0) -> Tensor", "fm", bincount_body,
    "How often each number from 0 on occurs, or the sum of its weights."};
const Op<Tensor(const Tensor&, int64_t, double, double)> histc{
    "histc(Tensor input, int bins=100, float min=0, float max=0) -> Tensor", "fmO", histc_body,
    "Numbers of elements in equal bins between `min` and `max`."};

}  // namespace

}  // namespace kagari::ops
