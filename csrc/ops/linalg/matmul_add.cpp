// Products with an addend, beta * input + alpha * product: addmm, addbmm, baddbmm, addmv, addr.
#include "autograd/record.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"

namespace kagari::ops {

static Scalar conjugate(const Scalar& s) {
    return s.kind() == Scalar::Complex ? Scalar(std::conj(s.to<c128>())) : s;
}

static Tensor scaled(const Tensor& t, const Scalar& factor) {
    return factor == Scalar(1) || factor == Scalar(1.) ? t : mul(t, factor);
}

static void check_addend(const char* op, const Tensor& input, IntSpan sizes, DType dtype) {
    check<RuntimeError>(input.dtype() == dtype, op, ": input and the product must have the same ",
                        "dtype, but got ", name(input.dtype()), " and ", name(dtype));
    IntSpan from = input.sizes();
    bool fits = from.size() <= sizes.size();
    for (size_t i = 1; fits && i <= from.size(); i++)
        fits = from[from.size() - i] == 1 || from[from.size() - i] == sizes[sizes.size() - i];
    check<RuntimeError>(fits, op, ": input of size ", from, " cannot be expanded to the size ",
                        sizes, " of the product");
}

static bool is_zero(const Scalar& s) { return s.to<c128>() == 0.; }

static Tensor input_gradient(Backward& ctx, const Scalar& beta, IntSpan sizes) {
    if (!ctx.needs(0)) return {};
    return scaled(sum_to_size(ctx.grad(), sizes), conjugate(beta));
}

// addmm and baddbmm, whose `multiply` is mm or bmm, once the sizes are known to fit: beta * input,
// laid out as the result, with the product added to it. NaN in input does not count where beta is
// 0.
static Tensor add_product(const char* op, const char* grad_name, const Tensor& input,
                          const Tensor& a, const Tensor& b, IntSpan sizes, const Scalar& beta,
                          const Scalar& alpha,
                          const Op<Tensor(const Tensor&, const Tensor&)>& multiply) {
    check_product_dtypes(op, a, b);
    check_addend(op, input, sizes, a.dtype());
    Tensor out = empty(sizes, a.dtype(), a.device());
    if (!out.is_meta()) {
        if (!is_zero(beta)) copy_elements(out, input);
        write_product(out, a, b, {alpha, beta, {}});
    }
    if (!should_record(input, a, b)) return out;
    record(grad_name, {out}, {input, a, b}, {a, b},
           [=, &multiply, shape = Dims(input.sizes())](Backward& ctx) -> Tensors {
               Tensor ga, gb, g = ctx.grad();
               Scalar factor = conjugate(alpha);
               if (ctx.needs(1)) ga = scaled(multiply(g, adjoint(ctx.saved(1))), factor);
               if (ctx.needs(2)) gb = scaled(multiply(adjoint(ctx.saved(0)), g), factor);
               return {input_gradient(ctx, beta, shape), ga, gb};
           });
    return out;
}

static Tensor addmm_body(const Tensor& input, const Tensor& a, const Tensor& b, const Scalar& beta,
                         const Scalar& alpha) {
    check<RuntimeError>(a.dim() == 2 && b.dim() == 2, "addmm: mat1 and mat2 must be matrices, got ",
                        a.dim(), "D and ", b.dim(), "D");
    IntSpan sa = a.sizes(), sb = b.sizes();
    check<RuntimeError>(sa[1] == sb[0], "addmm: mat1 and mat2 shapes cannot be multiplied (", sa[0],
                        "x", sa[1], " and ", sb[0], "x", sb[1], ")");
    return add_product("addmm", "AddmmBackward0", input, a, b, Dims{sa[0], sb[1]}, beta, alpha, mm);
}
const AddProduct addmm{
    "addmm(Tensor input, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    "fmiO", addmm_body, "beta * input + alpha * (mat1 @ mat2)."};

static Tensor baddbmm_body(const Tensor& input, const Tensor& a, const Tensor& b,
                           const Scalar& beta, const Scalar& alpha) {
    check<RuntimeError>(a.dim() == 3, "baddbmm: batch1 must be a 3D tensor, got ", a.dim(), "D");
    check<RuntimeError>(b.dim() == 3, "baddbmm: batch2 must be a 3D tensor, got ", b.dim(), "D");
    IntSpan sa = a.sizes(), sb = b.sizes();
    check<RuntimeError>(sa[0] == sb[0] && sa[2] == sb[1],
                        "baddbmm: Expected size for first two dimensions of batch2 tensor to be: [",
                        sa[0], ", ", sa[2], "] but got: [", sb[0], ", ", sb[1], "].");
    return add_product("baddbmm", "BaddbmmBackward0", input, a, b, Dims{sa[0], sa[1], sb[2]}, beta,
                       alpha, bmm);
}
const AddProduct baddbmm{
    "baddbmm(Tensor input, Tensor batch1, Tensor batch2, *, Scalar beta=1, "
    "Scalar alpha=1) -> Tensor",
    "fmiO", baddbmm_body, "beta * input + alpha * (batch1 @ batch2), matrix by matrix."};

// The sum over a stack of products is one product: matrices side by side times matrices on top
// of each other.
static Tensor addbmm_body(const Tensor& input, const Tensor& a, const Tensor& b, const Scalar& beta,
                          const Scalar& alpha) {
    check<RuntimeError>(a.dim() == 3, "addbmm: batch1 must be a 3D tensor, got ", a.dim(), "D");
    check<RuntimeError>(b.dim() == 3, "addbmm: batch2 must be a 3D tensor, got ", b.dim(), "D");
    check<RuntimeError>(a.sizes()[0] == b.sizes()[0], "addbmm: batch1 and batch2 must have same ",
                        "number of batches, got ", a.sizes()[0], " and ", b.sizes()[0]);
    check<RuntimeError>(a.sizes()[2] == b.sizes()[1], "addbmm: Incompatible matrix sizes for bmm (",
                        a.sizes()[1], "x", a.sizes()[2], " and ", b.sizes()[1], "x", b.sizes()[2],
                        ")");
    Dims rows{a.size(1), a.size(0) * a.size(2)}, cols{b.size(0) * b.size(1), b.size(2)};
    return addmm(input, reshape(permute(a, Dims{1, 0, 2}), rows), reshape(b, cols), beta, alpha);
}
const AddProduct addbmm{
    "addbmm(Tensor input, Tensor batch1, Tensor batch2, *, Scalar beta=1, "
    "Scalar alpha=1) -> Tensor",
    "fmOb", addbmm_body, "beta * input + alpha * the sum of the products of two stacks."};

static Tensor addmv_body(const Tensor& input, const Tensor& a, const Tensor& x, const Scalar& beta,
                         const Scalar& alpha) {
    check<RuntimeError>(a.dim() == 2 && x.dim() == 1 && input.dim() <= 1,
                        "addmv: vector + matrix @ vector expected, got ", input.dim(), ", ",
                        a.dim(), ", ", x.dim());
    int64_t rows = a.sizes()[0], cols = a.sizes()[1];
    check<RuntimeError>(cols == x.sizes()[0] && (input.numel() == 1 || input.numel() == rows),
                        "addmv: size mismatch, got input (", input.numel(), "), mat (", rows, "x",
                        cols, "), vec (", x.sizes()[0], ")");
    Tensor column = input.dim() && input.numel() == rows ? unsqueeze(input, 1) : input;
    return squeeze(addmm(column, a, unsqueeze(x, 1), beta, alpha), Dims{1});
}
const AddProduct addmv{
    "addmv(Tensor input, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    "fmiOb", addmv_body, "beta * input + alpha * (mat @ vec)."};

static Tensor addr_body(const Tensor& input, const Tensor& a, const Tensor& b, const Scalar& beta,
                        const Scalar& alpha) {
    check<RuntimeError>(a.dim() == 1 && b.dim() == 1,
                        "addr: Expected 1-D arguments vec1 and vec2, ", "but got ", a.dim(),
                        "-D and ", b.dim(), "-D");
    Dims sizes{a.sizes()[0], b.sizes()[0]};
    check_addend("addr", input, sizes, input.dtype());
    auto sum = [&] {
        bool logical = input.dtype() == DType::Bool && a.dtype() == DType::Bool &&
                       b.dtype() == DType::Bool;  // stays bool whatever the factors are
        auto factor = [&](const Scalar& s) { return logical ? Scalar(!is_zero(s)) : s; };
        Tensor product = scaled(outer(a, b), factor(alpha));
        return is_zero(beta) ? product : add(scaled(input, factor(beta)), product);
    };
    if (!should_record(input, a, b) || a.dtype() != input.dtype() || b.dtype() != input.dtype())
        return sum();
    Tensor out;
    {
        NoGrad guard;
        out = sum();
    }
    record("AddrBackward0", {out}, {input, a, b}, {a, b},
           [=, shape = Dims(input.sizes())](Backward& ctx) -> Tensors {
               Tensor ga, gb, g = ctx.grad();
               Scalar factor = conjugate(alpha);
               if (ctx.needs(1)) ga = scaled(mv(g, conjugate(ctx.saved(1))), factor);
               if (ctx.needs(2))
                   gb = scaled(mv(transpose(g, 0, 1), conjugate(ctx.saved(0))), factor);
               return {input_gradient(ctx, beta, shape), ga, gb};
           });
    return out;
}
const AddProduct addr{
    "addr(Tensor input, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor",
    "fmiob", addr_body, "beta * input + alpha * the outer product of two vectors."};

}  // namespace kagari::ops
