// embedding and one_hot. Bags of embeddings are left to Python.
#include "ops/index/embedding.h"

#include "autograd/record.h"
#include "ops/index/gather.h"
#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/row_plan.h"
#include "ops/rows.h"

namespace kagari::ops {

/// Rows of `grad` added up by index, those of `padding_idx` left out.
static Tensor table_gradient(const Tensor& grad, const Tensor& indices, int64_t rows,
                             int64_t padding_idx, bool by_frequency) {
    int64_t width = grad.size(-1);
    Tensor places = reshape(indices, Dims{-1}), parts = reshape(grad, Dims{-1, width});
    if (padding_idx >= 0)
        parts = masked_fill(parts, unsqueeze(eq(places, Scalar(padding_idx)), 1), Value(Scalar(0)));
    Tensor zero = zeros(Dims{rows, width}, grad.dtype(), grad.device());
    if (by_frequency) {
        Tensor none = zeros(Dims{rows}, grad.dtype(), grad.device());
        Tensor one = ones(Dims{places.numel()}, grad.dtype(), grad.device());
        Tensor count = index_select(index_add(none, 0, places, one, Scalar(1)), 0, places);
        parts = div(parts, unsqueeze(count, 1));
    }
    return index_add(zero, 0, places, parts, Scalar(1));
}

static Tensor embedding_body(const Tensor& weight, const Tensor& indices, int64_t padding_idx,
                             bool by_frequency, bool) {
    check(weight.dim() == 2, "'weight' must be 2-D, got ", weight.sizes());
    check(indices.dtype() == DType::I64 || indices.dtype() == DType::I32,
          "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
          "Long, "
          "Int; but got ",
          name(indices.dtype()), " instead (while checking arguments for embedding)");
    Dims sizes(indices.sizes());
    sizes.push_back(weight.size(1));
    Tensor out;
    if (weight.is_meta()) {
        out = empty(sizes, weight.dtype(), weight.device());
    } else {
        Tensor places = raw_contiguous(indices);
        places = raw_view(places, Dims{places.numel()}, Dims{1}, places.offset());
        RowPlan plan = plan_rows(weight, 0, places, "embedding");
        plan.result = sizes;
        out = gather_rows(weight, plan);
    }
    if (should_record(weight))
        record(
            "EmbeddingBackward0", {out}, {weight}, {indices},
            [rows = weight.size(0), padding_idx, by_frequency](Backward& ctx) -> Tensors {
                return {table_gradient(ctx.grad(), ctx.saved(0), rows, padding_idx, by_frequency)};
            });
    return out;
}

static Tensor one_hot_body(const Tensor& self, int64_t classes) {
    check(self.dtype() == DType::I64,
          "one_hot is only applicable to index tensor of type LongTensor, "
          "got ",
          name(self.dtype()));
    check(!self.is_meta() || classes > 0, "one_hot: a meta tensor needs num_classes");
    Dims sizes(self.sizes());
    if (self.numel() == 0 || self.is_meta()) {
        check(classes > 0, "Can not infer total number of classes from empty tensor.");
        sizes.push_back(classes);
        return zeros(sizes, DType::I64, self.device());
    }
    Tensor places = raw_contiguous(self);
    const int64_t* at = places.data<int64_t>();
    auto [low, high] = std::minmax_element(at, at + places.numel());
    check(*low >= 0, "Class values must be non-negative, got ", *low);
    check(classes == -1 || classes > 0, "num_classes should be positive, got ", classes);
    check(classes == -1 || *high < classes, "Class values must be smaller than num_classes, got ",
          *high, " for ", classes);
    int64_t width = classes == -1 ? *high + 1 : classes;
    sizes.push_back(width);
    Tensor out = zeros(sizes, DType::I64);
    for (int64_t i = 0; i < places.numel(); ++i) out.data<int64_t>()[i * width + at[i]] = 1;
    return out;
}

const Op<Tensor(const Tensor&, const Tensor&, int64_t, bool, bool)> embedding{
    "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, "
    "bool sparse=False) -> Tensor",
    "f", embedding_body, "The rows of `weight` that `indices` choose."};
const Op<Tensor(const Tensor&, int64_t)> one_hot{
    "one_hot(Tensor input, int num_classes=-1) -> Tensor", "N", one_hot_body,
    "A row of zeros with a one at each class."};

}  // namespace kagari::ops
