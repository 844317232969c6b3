// View ops that change the shape: which dimensions there are, in which order, how they split.
#include "ops/movement/views.h"

#include "ops/movement/view_record.h"
#include "ops/reduce/reduce.h"

namespace kagari::ops {

Dims infer_sizes(IntSpan sizes, int64_t numel, const char* op) {
    Dims out(sizes);
    int64_t known = 1, unknown = -1;
    bool overflow = false;
    for (size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == -1) {
            check<RuntimeError>(unknown < 0, op, ": only one dimension can be inferred, got ",
                                sizes);
            unknown = static_cast<int64_t>(i);
        } else {
            check<RuntimeError>(sizes[i] >= 0, op, ": invalid shape dimension ", sizes[i], " in ",
                                sizes);
            overflow |= __builtin_mul_overflow(known, sizes[i], &known);
        }
    }
    bool fits = !overflow && (unknown < 0 ? known == numel : known > 0 && numel % known == 0);
    check<RuntimeError>(
        unknown < 0 || known != 0 || overflow, op, ": cannot reshape tensor of ", numel,
        " elements into shape ", sizes,
        " because the unspecified dimension size -1 can be any value and is ambiguous");
    check<RuntimeError>(fits, op, ": shape '", sizes, "' is invalid for input of size ", numel);
    if (unknown >= 0) out[unknown] = numel / known;
    return out;
}

bool view_strides(const Tensor& t, IntSpan sizes, Dims& strides) {
    strides = contiguous_strides(sizes);
    if (t.numel() == 0 && same_sizes(t.sizes(), sizes)) strides = Dims(t.strides());
    if (t.numel() == 0 || t.dim() == 0) return true;
    // walk both shapes from the back; runs of old dimensions that are contiguous among themselves
    // may be split in any way
    int64_t d = static_cast<int64_t>(sizes.size()) - 1;
    int64_t base = t.dim() ? t.strides()[t.dim() - 1] : 1, run = 1, covered = 1;
    for (int64_t i = t.dim() - 1; i >= 0; --i) {
        run *= t.sizes()[i];
        bool ends = i == 0 || (t.sizes()[i - 1] != 1 && t.strides()[i - 1] != run * base);
        if (!ends) continue;
        while (d >= 0 && (covered < run || sizes[d] == 1)) {
            strides[d] = covered * base;
            covered *= sizes[d];
            --d;
        }
        if (covered != run) return false;
        if (i > 0) {
            base = t.strides()[i - 1];
            run = covered = 1;
        }
    }
    return d == -1;
}

static Tensor view_body(const Tensor& t, IntSpan sizes) {
    Dims full = infer_sizes(sizes, t.numel(), "view"), strides;
    check<RuntimeError>(
        view_strides(t, full, strides),
        "view: view size is not compatible with input tensor's size and stride (at "
        "least one dimension spans across two contiguous subspaces): input of sizes ",
        t.sizes(), " and strides ", t.strides(), ", asked for ", sizes,
        ". Use .reshape(...) instead.");
    return make_view(t, full, strides, t.offset(), "ViewBackward0",
                     [old = t.body()->sizes](const Tensor& g) { return reshape(g, old); });
}
const Op<Tensor(const Tensor&, IntSpan)> view{"view(Tensor input, int[] size) -> Tensor", "m",
                                              view_body, ""};

static Tensor reshape_body(const Tensor& t, IntSpan sizes) {
    Dims full = infer_sizes(sizes, t.numel(), "reshape"), strides;
    if (view_strides(t, full, strides)) return view(t, full);
    return view(contiguous(t), full);
}
const Op<Tensor(const Tensor&, IntSpan)> reshape{
    "reshape(Tensor input, int[] shape) -> Tensor", "fm", reshape_body,
    "The same elements in another shape; a view where strides allow it, else a copy.\n\n"
    "One size may be -1 and is then inferred.\n\n"
    "    >>> kagari.arange(6).reshape(2, -1).shape\n    torch.Size([2, 3])"};

static Tensor expand_body(const Tensor& t, IntSpan sizes) {
    int64_t rank = static_cast<int64_t>(sizes.size()), lead = rank - t.dim();
    check<RuntimeError>(lead >= 0, "expand: the number of sizes provided (", rank,
                        ") must be greater or equal to the number of dimensions in the tensor (",
                        t.dim(), ")");
    Dims full(sizes), strides(sizes.size());
    for (int64_t i = 0; i < rank; ++i) {
        int64_t own = i < lead ? 1 : t.sizes()[i - lead];
        if (full[i] == -1) {
            check<RuntimeError>(i >= lead,
                                "expand: the expanded size of the tensor (-1) isn't allowed "
                                "in a leading, non-existing dimension ",
                                i);
            full[i] = own;
        }
        check<RuntimeError>(own == full[i] || own == 1, "expand: The expanded size of the tensor (",
                            full[i], ") must match the existing size (", own,
                            ") at non-singleton dimension ", i, ". Target sizes: ", sizes,
                            ". Tensor sizes: ", t.sizes());
        check<RuntimeError>(full[i] >= 0, "expand: expected sizes >= -1, got ", sizes);
        strides[i] = i < lead || (own == 1 && full[i] != 1) ? 0 : t.strides()[i - lead];
    }
    return make_view(t, full, strides, t.offset(), "ExpandBackward0",
                     [old = t.body()->sizes](const Tensor& g) { return sum_to_size(g, old); });
}
const Op<Tensor(const Tensor&, IntSpan)> expand{
    "expand(Tensor input, int[] size) -> Tensor", "m", expand_body,
    "A view in which dimensions of size 1 are repeated without copying; -1 keeps a size."};

static Tensor permute_body(const Tensor& t, IntSpan dims) {
    int64_t rank = t.dim();
    check<RuntimeError>(
        static_cast<int64_t>(dims.size()) == rank,
        "permute: permute(sparse_coo): number of dimensions in the tensor input does "
        "not match the length of the desired ordering of dimensions i.e. input.dim() "
        "= ",
        rank, " is not equal to len(dims) = ", dims.size());
    Dims order(rank), sizes(rank), strides(rank), inverse(rank, -1);
    for (int64_t i = 0; i < rank; ++i) {
        int64_t d = order[i] = wrap_dim(dims[i], rank, "permute");
        check<RuntimeError>(inverse[d] < 0, "permute: duplicate dims are not allowed, got ", dims);
        inverse[d] = i;
        sizes[i] = t.sizes()[d];
        strides[i] = t.strides()[d];
    }
    return make_view(t, sizes, strides, t.offset(), "PermuteBackward0",
                     [inverse](const Tensor& g) { return permute(g, inverse); });
}
const Op<Tensor(const Tensor&, IntSpan)> permute{"permute(Tensor input, int[] dims) -> Tensor",
                                                 "fm", permute_body,
                                                 "A view with reordered dimensions."};

static Tensor transpose_body(const Tensor& t, int64_t dim0, int64_t dim1) {
    dim0 = wrap_dim(dim0, t.dim(), "transpose");
    dim1 = wrap_dim(dim1, t.dim(), "transpose");
    Dims sizes(t.sizes()), strides(t.strides());
    if (t.dim()) {
        std::swap(sizes[dim0], sizes[dim1]);
        std::swap(strides[dim0], strides[dim1]);
    }
    return make_view(t, sizes, strides, t.offset(), "TransposeBackward0",
                     [dim0, dim1](const Tensor& g) { return transpose(g, dim0, dim1); });
}
const Op<Tensor(const Tensor&, int64_t, int64_t)> transpose{
    "transpose(Tensor input, int dim0, int dim1) -> Tensor", "fm", transpose_body,
    "A view with two dimensions swapped."};

Tensor mT(const Tensor& x) { return transpose(x, -2, -1); }

static Tensor t_body(const Tensor& x) {
    check<RuntimeError>(x.dim() <= 2, "t: t() expects a tensor with <= 2 dimensions, but self is ",
                        x.dim(), "D");
    return x.dim() < 2 ? alias(x) : transpose(x, 0, 1);
}
const Op<Tensor(const Tensor&)> t{"t(Tensor input) -> Tensor", "fmb", t_body,
                                  "Transposes a matrix; a view."};

static Tensor unsqueeze_body(const Tensor& t, int64_t dim) {
    dim = wrap_dim(dim, t.dim() + 1, "unsqueeze");
    Dims sizes(t.sizes()), strides(t.strides());
    int64_t stride = dim < t.dim() ? sizes[dim] * strides[dim] : 1;
    sizes.insert(dim, 1);
    strides.insert(dim, stride);
    return make_view(t, sizes, strides, t.offset(), "UnsqueezeBackward0",
                     [dim](const Tensor& g) { return squeeze(g, Dims{dim}); });
}
const Op<Tensor(const Tensor&, int64_t)> unsqueeze{
    "unsqueeze(Tensor input, int dim) -> Tensor", "fm", unsqueeze_body,
    "A view with a dimension of size 1 added at dim."};

static Tensor squeeze_body(const Tensor& t, std::optional<Dims> dims) {
    std::vector<bool> drop(t.dim(), !dims);
    if (dims) {
        for (int64_t d : *dims) {
            d = wrap_dim(d, t.dim(), "squeeze");
            if (t.dim() == 0) continue;
            check<RuntimeError>(!drop[d], "squeeze: dim ", d,
                                " appears multiple times in the list of dims");
            drop[d] = true;
        }
    }
    Dims sizes, strides;
    for (int64_t i = 0; i < t.dim(); ++i) {
        if (drop[i] && t.sizes()[i] == 1) continue;
        sizes.push_back(t.sizes()[i]);
        strides.push_back(t.strides()[i]);
    }
    return make_view(t, sizes, strides, t.offset(), "SqueezeBackward0",
                     [old = t.body()->sizes](const Tensor& g) { return reshape(g, old); });
}
const Op<Tensor(const Tensor&, std::optional<Dims>)> squeeze{
    "squeeze(Tensor input, int[]? dim=None) -> Tensor", "fm", squeeze_body,
    "A view without the dimensions of size 1 (all, or those given)."};

static Tensor flatten_body(const Tensor& t, int64_t start, int64_t end) {
    start = wrap_dim(start, t.dim(), "flatten");
    end = wrap_dim(end, t.dim(), "flatten");
    check<RuntimeError>(start <= end,
                        "flatten: flatten() has invalid args: start_dim cannot come "
                        "after end_dim, got ",
                        start, " and ", end);
    if (t.dim() == 0) return reshape(t, Dims{1});
    if (start == end) return t;
    Dims sizes(t.sizes().begin(), t.sizes().begin() + start);
    int64_t joined = 1;
    for (int64_t i = start; i <= end; ++i) joined *= t.sizes()[i];
    sizes.push_back(joined);
    for (int64_t i = end + 1; i < t.dim(); ++i) sizes.push_back(t.sizes()[i]);
    return reshape(t, sizes);
}
const Op<Tensor(const Tensor&, int64_t, int64_t)> flatten{
    "flatten(Tensor input, int start_dim=0, int end_dim=-1) -> Tensor", "fmb", flatten_body,
    "Joins the dimensions from start_dim to end_dim into one."};

static Tensor movedim_body(const Tensor& t, IntSpan source, IntSpan destination) {
    check<RuntimeError>(source.size() == destination.size(),
                        "movedim: Invalid source or destination dims: source (", source,
                        " dims) should contain the same number of dims as destination (",
                        destination, " dims)");
    int64_t rank = t.dim();
    Dims order(rank, -1);
    std::vector<bool> used(rank);
    for (size_t i = 0; i < source.size(); ++i) {
        int64_t from = wrap_dim(source[i], rank, "movedim");
        int64_t to = wrap_dim(destination[i], rank, "movedim");
        if (rank == 0) continue;
        check<RuntimeError>(!used[from], "movedim: repeated dim in `source` (", source, ")");
        check<RuntimeError>(order[to] < 0, "movedim: repeated dim in `destination` (", destination,
                            ")");
        order[to] = from;
        used[from] = true;
    }
    int64_t next = 0;
    for (int64_t& d : order) {
        if (d >= 0) continue;
        while (used[next]) ++next;
        d = next++;
    }
    return permute(t, order);
}
const Op<Tensor(const Tensor&, IntSpan, IntSpan)> movedim{
    "movedim(Tensor input, int[] source, int[] destination) -> Tensor", "fmb", movedim_body,
    "A view with dimensions moved to new places; the others keep their order."};

}  // namespace kagari::ops
