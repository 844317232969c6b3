// sort, topk, kthvalue, searchsorted. The loops are in cpu/sort.
#include "ops/index/sort.h"

#include "autograd/record.h"
#include "cpu/sort.h"
#include "ops/index/gather.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "runtime/parallel.h"

namespace kagari::ops {

namespace {

using Pair = std::tuple<Tensor, Tensor>;

/// `t` as contiguous rows of the elements along `dim`, unrecorded.
Tensor rows_along(const Tensor& t, int64_t dim) {
    if (t.dim() == 0) return raw_view(t, Dims{1}, Dims{1}, t.offset());
    Dims sizes(t.sizes()), strides(t.strides());
    size_t d = static_cast<size_t>(dim);
    std::rotate(sizes.begin() + d, sizes.begin() + d + 1, sizes.end());
    std::rotate(strides.begin() + d, strides.begin() + d + 1, strides.end());
    return raw_contiguous(raw_view(t, sizes, strides, t.offset()));
}

/// The way back: results with `n` elements per row, put where `dim` is in a tensor like `like`.
Tensor back_from_rows(const Tensor& rows, const Tensor& like, int64_t dim, int64_t n) {
    Dims sizes(like.sizes());
    if (sizes.empty()) return raw_view(rows, sizes, Dims{}, rows.offset());
    size_t d = static_cast<size_t>(dim);
    sizes[d] = n;
    if (d + 1 == sizes.size()) return rows;
    Dims moved(sizes);
    std::rotate(moved.begin() + d, moved.begin() + d + 1, moved.end());
    Dims strides = contiguous_strides(moved);
    std::rotate(strides.begin() + d, strides.end() - 1, strides.end());
    return raw_contiguous(raw_view(rows, sizes, strides, rows.offset()));
}

Dims with_last(const Tensor& rows, int64_t n) {
    Dims sizes(rows.sizes());
    sizes.back() = n;
    return sizes;
}

/// The gradient of chosen elements goes back to their places.
void record_choice(const char* name, const Tensor& values, const Tensor& self, int64_t dim,
                   const Tensor& indices) {
    if (!should_record(self)) return;
    Dims sizes(self.sizes());
    record(name, {values}, {self}, {indices}, [dim, sizes](Backward& ctx) -> Tensors {
        Tensor zero = zeros(sizes, ctx.grad().dtype(), ctx.grad().device());
        return {scatter_add(zero, dim, ctx.saved(0), ctx.grad())};
    });
}

Pair meta_pair(const Tensor& self, int64_t dim, int64_t n) {
    Dims sizes(self.sizes());
    if (!sizes.empty()) sizes[static_cast<size_t>(dim)] = n;
    return {empty(sizes, self.dtype(), self.device()), empty(sizes, DType::I64, self.device())};
}

void check_ordered(const Tensor& self, const char* op) {
    check(!is_complex(self.dtype()), op, "(): complex numbers have no order, got dtype ",
          name(self.dtype()));
}

int64_t length(const Tensor& t, int64_t dim) { return t.dim() ? t.size(dim) : 1; }

Pair sort_body(const Tensor& self, int64_t dim, bool descending, bool) {
    check_ordered(self, "sort");
    dim = wrap_dim(dim, self.dim(), "sort");
    int64_t n = length(self, dim);
    if (self.is_meta()) return meta_pair(self, dim, n);
    Tensor in = rows_along(self, dim);
    Tensor values = empty(in.sizes(), self.dtype()), indices = empty(in.sizes(), DType::I64);
    cpu::sort_rows(self.dtype(), in.data(), n ? in.numel() / n : 0, n, descending, values.data(),
                   indices.data<int64_t>());
    values = back_from_rows(values, self, dim, n);
    indices = back_from_rows(indices, self, dim, n);
    record_choice("SortBackward0", values, self, dim, indices);
    return {values, indices};
}

Tensor argsort_body(const Tensor& self, int64_t dim, bool descending, bool stable) {
    NoGrad guard;
    return std::get<1>(sort(self, dim, descending, stable));
}

Pair topk_body(const Tensor& self, int64_t k, int64_t dim, bool largest, bool) {
    check_ordered(self, "topk");
    dim = wrap_dim(dim, self.dim(), "topk");
    int64_t n = length(self, dim);
    check(k >= 0 && k <= n, "topk(): selected index k out of range: k is ", k, " and dimension ",
          dim, " has size ", n);
    if (self.is_meta()) return meta_pair(self, dim, k);
    Tensor in = rows_along(self, dim);
    Dims sizes = with_last(in, k);
    Tensor values = empty(sizes, self.dtype()), indices = empty(sizes, DType::I64);
    cpu::top_rows(self.dtype(), in.data(), n ? in.numel() / n : 0, n, k, largest, values.data(),
                  indices.data<int64_t>());
    values = back_from_rows(values, self, dim, k);
    indices = back_from_rows(indices, self, dim, k);
    record_choice("TopkBackward0", values, self, dim, indices);
    return {values, indices};
}

Pair kthvalue_body(const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
    check_ordered(self, "kthvalue");
    dim = wrap_dim(dim, self.dim(), "kthvalue");
    int64_t n = length(self, dim);
    check<IndexError>(n > 0, "kthvalue(): Expected reduction dim ", dim, " to have non-zero size.");
    check(k >= 1 && k <= n, "kthvalue(): selected number k out of range for dimension ", dim,
          ": k is ", k, " and the size is ", n);
    Tensor values, indices;
    if (self.is_meta()) {
        std::tie(values, indices) = meta_pair(self, dim, 1);
    } else {
        Tensor in = rows_along(self, dim);
        Dims sizes = with_last(in, 1);
        values = empty(sizes, self.dtype());
        indices = empty(sizes, DType::I64);
        cpu::kth_rows(self.dtype(), in.data(), in.numel() / n, n, k - 1, values.data(),
                      indices.data<int64_t>());
        values = back_from_rows(values, self, dim, 1);
        indices = back_from_rows(indices, self, dim, 1);
    }
    record_choice("KthvalueBackward0", values, self, dim, indices);
    if (keepdim || self.dim() == 0) return {values, indices};
    return {squeeze(values, Dims{dim}), squeeze(indices, Dims{dim})};
}

// ---- searching ----

/// Places of `n` values in a sorted row: the first element not less than (or greater than) each.
template <class T>
void search(const T* row, const int64_t* order, int64_t length, const T* values, int64_t n,
            bool right, int64_t* out) {
    using C = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;
    for (int64_t i = 0; i < n; ++i) {
        C v = values[i];
        int64_t low = 0, high = length;
        while (low < high) {
            int64_t mid = low + (high - low) / 2;
            C at = row[order ? order[mid] : mid];
            // negated, so that NaN values end behind everything
            if (right ? !(at > v) : !(at >= v))
                low = mid + 1;
            else
                high = mid;
        }
        out[i] = low;
    }
}

void check_rows_match(const Tensor& sorted, const Tensor& values) {
    if (sorted.dim() == 1) return;
    bool fits = sorted.dim() == values.dim() && sorted.dim() > 0;
    for (int64_t d = 0; fits && d + 1 < sorted.dim(); ++d) fits = sorted.size(d) == values.size(d);
    check(
        fits,
        "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
        "dimensions of boundaries tensor and input value tensor must match, but we got boundaries "
        "tensor ",
        sorted.sizes(), " and input value tensor ", values.sizes());
}

Tensor searchsorted_body(const Tensor& sorted, const Value& wanted, bool out_int32, bool right,
                         const std::optional<std::string>& side,
                         const std::optional<Tensor>& sorter) {
    if (side) {
        check(*side == "left" || *side == "right",
              "torch.searchsorted(): side can only be 'left' or 'right' but got ", *side);
        check(*side == "right" || !right,
              "torch.searchsorted(): side and right can't be set to "
              "opposites, got side of left while right was True");
        right = *side == "right";
    }
    const Tensor* given = std::get_if<Tensor>(&wanted);
    Tensor values = given ? *given : scalar_tensor(unbox_scalar(wanted), sorted.dtype());
    check_rows_match(sorted, values);
    check(given || sorted.dim() == 1,
          "torch.searchsorted(): input value can be a scalar only when "
          "boundaries tensor dimension is 1, got ",
          sorted.dim());
    if (sorted.is_meta()) return empty(values.sizes(), out_int32 ? DType::I32 : DType::I64, kMeta);
    DType dtype = promote(sorted.dtype(), values.dtype());
    Tensor rows = raw_contiguous(sorted, dtype), in = raw_contiguous(values, dtype);
    Tensor order = sorter ? raw_contiguous(*sorter, DType::I64) : Tensor();
    if (sorter)
        check(same_sizes(sorter->sizes(), sorted.sizes()),
              "torch.searchsorted(): boundary and "
              "sorter must have the same size, but got boundary tensor ",
              sorted.sizes(), " and got sorter tensor ", sorter->sizes());
    Tensor out = empty(values.sizes(), DType::I64);
    int64_t n = sorted.size(-1),
            count = sorted.dim() == 1 ? 1 : sorted.numel() / std::max<int64_t>(n, 1);
    int64_t per = count ? values.numel() / count : 0;
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (kIsComplex<T>) {
            fail<RuntimeError>("torch.searchsorted(): complex numbers have no order");
        } else {
            parallel_for(0, count * per, 4096, [&](int64_t b, int64_t e) {
                while (b < e) {
                    int64_t r = b / per, end = std::min(e, (r + 1) * per);
                    search(rows.data<T>() + r * n, order ? order.data<int64_t>() + r * n : nullptr,
                           n, in.data<T>() + b, end - b, right, out.data<int64_t>() + b);
                    b = end;
                }
            });
        }
    });
    return out_int32 ? raw_contiguous(out, DType::I32) : out;
}

}  // namespace

const Op<Pair(const Tensor&, int64_t, bool, bool)> sort{
    "sort(Tensor input, int dim=-1, bool descending=False, *, bool stable=False) -> (Tensor "
    "values, "
    "Tensor indices)",
    "fmO", sort_body, "Sorts along `dim`, always stably; NaN counts as the greatest."};
const Op<Tensor(const Tensor&, int64_t, bool, bool)> argsort{
    "argsort(Tensor input, int dim=-1, bool descending=False, *, bool stable=False) -> Tensor",
    "fm", argsort_body, "The indices that sort `input` along `dim`."};
const Op<Pair(const Tensor&, int64_t, int64_t, bool, bool)> topk{
    "topk(Tensor input, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, "
    "Tensor indices)",
    "fmO", topk_body, "The `k` largest (or smallest) elements along `dim`, in order."};
const Op<Pair(const Tensor&, int64_t, int64_t, bool)> kthvalue{
    "kthvalue(Tensor input, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor "
    "indices)",
    "fmOd", kthvalue_body, "The `k`-th smallest element along `dim`, counted from 1."};
const Op<Tensor(const Tensor&, const Value&, bool, bool, const std::optional<std::string>&,
                const std::optional<Tensor>&)>
    searchsorted{
        "searchsorted(Tensor sorted_sequence, Operand input, *, bool out_int32=False, bool "
        "right=False, str? side=None, Tensor? sorter=None) -> Tensor",
        "fo", searchsorted_body,
        "Where in the sorted rows each value would have to be inserted to keep the order."};

}  // namespace kagari::ops
