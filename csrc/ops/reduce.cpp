// Reductions over dimensions.
#include "ops/reduce.h"

#include "autograd/record.h"
#include "ops/copy.h"
#include "ops/creation.h"
#include "ops/views.h"

namespace kagari::ops {

static Tensor sum_body(const Tensor& x, std::optional<Dims> dims, bool keepdim,
                       std::optional<DType> dtype) {
    DType result = dtype.value_or(x.dtype() < DType::F16 ? DType::I64 : x.dtype());
    std::vector<bool> gone(std::max<int64_t>(x.dim(), 1), !dims || dims->empty());
    if (dims)
        for (int64_t d : *dims) gone[wrap_dim(d, x.dim(), "sum")] = true;
    Dims kept(x.sizes()), strides(x.sizes().size()), sizes;
    for (int64_t i = 0; i < x.dim(); ++i)
        if (gone[i]) kept[i] = 1;
    Tensor out = zeros(kept, result, x.device());
    for (int64_t i = 0; i < x.dim(); ++i) {
        strides[i] = gone[i] ? 0 : out.strides()[i];
        if (!gone[i] || keepdim) sizes.push_back(kept[i]);
    }
    if (!x.is_meta()) {
        NoGrad guard;
        Tensor in = raw_contiguous(to(x, result));
        visit(result, [&](auto tag) {
            using T = typename decltype(tag)::type;
            T *from = in.template data<T>(), *to = out.template data<T>();
            Dims at(x.sizes().size());
            for (int64_t n = 0; n < in.numel(); ++n) {
                int64_t o = 0;
                for (size_t d = 0; d < at.size(); ++d) o += at[d] * strides[d];
                if constexpr (!std::is_same_v<T, bool>) to[o] = T(to[o] + from[n]);
                for (size_t d = at.size(); d-- > 0;) {
                    if (++at[d] < x.sizes()[d]) break;
                    at[d] = 0;
                }
            }
        });
    }
    out = raw_view(out, sizes, contiguous_strides(sizes), 0);
    if (is_differentiable(result) && should_record(x))
        record("SumBackward0", {out}, {x}, {},
               [kept, old = x.body()->sizes](Backward& ctx) -> Tensors {
                   return {expand(reshape(ctx.grad(), kept), old)};
               });
    return out;
}
const Op<Tensor(const Tensor&, std::optional<Dims>, bool, std::optional<DType>)> sum{
    "sum(Tensor input, int[]? dim=None, bool keepdim=False, *, dtype? dtype=None) -> Tensor", "fmo",
    sum_body, "Sum over the given dimensions, or all."};

Tensor sum_to_size(const Tensor& t, IntSpan sizes) {
    if (same_sizes(t.sizes(), sizes)) return t;
    Dims dims;
    int64_t lead = t.dim() - static_cast<int64_t>(sizes.size());
    for (int64_t i = 0; i < t.dim(); ++i)
        if (i < lead || (sizes[i - lead] == 1 && t.sizes()[i] != 1)) dims.push_back(i);
    return reshape(dims.empty() ? t : sum(t, dims, true, std::nullopt), sizes);
}

}  // namespace kagari::ops
