// Rearranging elements: flip, roll, repeat, triangles and diagonals. Views are left to views.cpp.
#include "ops/movement/movement.h"
#include "ops/bounds.h"

#include "autograd/record.h"
#include "cpu/strided.h"
#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/join.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/row_plan.h"
#include "ops/rows.h"
#include "runtime/parallel.h"

namespace kagari::ops {

// ---- flip, roll, repeat ----

static Tensor flip_body(const Tensor& self, IntSpan dims) {
    Dims strides(self.strides()), wrapped;
    int64_t start = 0;
    for (int64_t given : dims) {
        int64_t dim = wrap_dim(given, self.dim(), "flip");
        check(std::find(wrapped.begin(), wrapped.end(), dim) == wrapped.end(), "flip: dim ", dim,
              " appears multiple times in the list of dims");
        wrapped.push_back(dim);
        if (self.dim() == 0) continue;
        size_t d = static_cast<size_t>(dim);
        start += (self.sizes()[d] - 1) * strides[d];
        strides[d] = -strides[d];
    }
    Tensor out = empty(self.sizes(), self.dtype(), self.device());
    if (!self.is_meta() && self.numel() > 0) {
        const char* first = self.data<char>() + start * static_cast<int64_t>(self.itemsize());
        cpu::copy_strided(out.data(), first, self.sizes(), strides, self.itemsize());
    }
    if (should_record(self))
        record("FlipBackward0", {out}, {self}, {},
               [wrapped](Backward& ctx) -> Tensors { return {flip(ctx.grad(), wrapped)}; });
    return out;
}

/// memcpy in pieces: on long ones it uses an instruction that is slow where `to` and `from` are
/// aligned differently.
static void copy_shifted(char* to, const char* from, size_t bytes) {
    constexpr size_t kPiece = 1024;
    for (; bytes > kPiece; bytes -= kPiece, to += kPiece, from += kPiece)
        std::memcpy(to, from, kPiece);
    std::memcpy(to, from, bytes);
}

/// `self` moved by `shift` places along `dim`, what leaves at the end coming in at the front.
static Tensor roll_one(const Tensor& given, int64_t shift, int64_t dim) {
    int64_t n = given.size(dim);
    if (n == 0) return given;
    shift = ((shift % n) + n) % n;
    if (shift == 0) return given;
    Tensor self = raw_contiguous(given), out = empty(self.sizes(), self.dtype(), self.device());
    int64_t step = static_cast<int64_t>(self.itemsize());
    for (int64_t d = self.dim() - 1; d > dim; --d) step *= self.size(d);
    if (!self.is_meta() && self.numel() > 0) {
        int64_t bytes = n * step, rows = static_cast<int64_t>(self.nbytes()) / bytes;
        auto head = static_cast<size_t>((n - shift) * step),
             tail = static_cast<size_t>(shift * step);
        const char* from = self.data<char>();
        char* to = out.data<char>();
        parallel_for(0, rows, std::max<int64_t>(1, kGrainBytes / bytes),
                     [&](auto first, auto last) {
                         for (int64_t at = first * bytes; at < last * bytes; at += bytes) {
                             copy_shifted(to + at + tail, from + at, head);
                             copy_shifted(to + at, from + at + head, tail);
                         }
                     });
    }
    if (should_record(given))
        record("RollBackward0", {out}, {given}, {}, [shift, dim](Backward& ctx) -> Tensors {
            return {roll(ctx.grad(), Dims{-shift}, Dims{dim})};
        });
    return out;
}

static Tensor roll_body(const Tensor& self, IntSpan shifts, IntSpan dims) {
    check(!shifts.empty(), "roll: `shifts` required");
    if (dims.empty() && shifts.size() == 1)
        return reshape(roll_one(reshape(self, Dims{-1}), shifts[0], 0), self.sizes());
    check(shifts.size() == dims.size(),
          "roll: shifts and dimensions must align. shifts: ", shifts.size(),
          ", dims: ", dims.size());
    check<IndexError>(self.dim() > 0, "roll: Dimension specified as ", dims[0],
                      " but tensor has no dimensions");
    Tensor out = self;
    for (size_t i = 0; i < dims.size(); ++i)
        out = roll_one(out, shifts[i], wrap_dim(dims[i], self.dim(), "roll"));
    return out.is(self) ? clone(self) : out;
}

static Tensor repeat_body(const Tensor& self, IntSpan repeats) {
    check(static_cast<int64_t>(repeats.size()) >= self.dim(),
          "Number of dimensions of repeat dims "
          "can not be smaller than number of dimensions of tensor, got repeats ",
          repeats, " for sizes ", self.sizes());
    Dims sizes, windows, strides, counted;
    size_t extra = repeats.size() - static_cast<size_t>(self.dim());
    for (size_t d = 0; d < repeats.size(); ++d) {
        check(repeats[d] >= 0, "Trying to create tensor with negative dimension ", repeats[d]);
        int64_t size = d < extra ? 1 : self.sizes()[d - extra];
        int64_t total;
        check(!__builtin_mul_overflow(repeats[d], size, &total),
              "repeat: expected fewer than 2^63 elements, got repeats ", repeats, " for sizes ",
              self.sizes());
        sizes.push_back(total);
        windows.push_back(repeats[d]);
        windows.push_back(size);
        strides.push_back(0);
        strides.push_back(d < extra ? 0 : self.strides()[d - extra]);
        counted.push_back(static_cast<int64_t>(2 * d));
    }
    Tensor out = empty(sizes, self.dtype(), self.device());
    if (!self.is_meta() && out.numel() > 0)
        cpu::copy_strided(out.data(), self.data(), windows, strides, self.itemsize());
    if (should_record(self)) {
        Dims own(self.sizes());
        record("RepeatBackward0", {out}, {self}, {},
               [windows, counted, own](Backward& ctx) -> Tensors {
                   Tensor copies = reshape(ctx.grad(), windows);
                   Tensor total = counted.empty() ? copies : sum(copies, counted, false, {});
                   return {reshape(total, own)};
               });
    }
    return out;
}

/// How often each element comes, as the list of places it comes from.
static Tensor repeated_places(const Tensor& repeats) {
    check(repeats.dim() == 0 || repeats.dim() == 1,
          "repeat_interleave only accept 1D vector as "
          "repeats, got sizes ",
          repeats.sizes());
    check(repeats.dtype() == DType::I64 || repeats.dtype() == DType::I32,
          "repeats has to be Long or Int tensor, got ", name(repeats.dtype()));
    Tensor counts = raw_contiguous(repeats, DType::I64);
    const int64_t* count = counts.data<int64_t>();
    int64_t total = 0;
    for (int64_t i = 0; i < counts.numel(); ++i) {
        check(count[i] >= 0, "repeats can not be negative, got ", count[i]);
        check(!__builtin_add_overflow(total, count[i], &total),
              "repeat_interleave: expected fewer than 2^63 elements, got repeats that add up to "
              "more");
    }
    Tensor places = empty(Dims{total}, DType::I64);
    int64_t* to = places.data<int64_t>();
    for (int64_t i = 0; i < counts.numel(); ++i) to = std::fill_n(to, count[i], i);
    return places;
}

static Tensor repeat_interleave_body(const Tensor& given, const Value& repeats,
                                     std::optional<int64_t> dim, std::optional<int64_t> size) {
    const Tensor* counts = std::get_if<Tensor>(&repeats);
    Tensor self = dim ? given : reshape(given, Dims{-1});
    int64_t along = wrap_dim(dim.value_or(0), self.dim(), "repeat_interleave");
    int64_t n = self.dim() ? self.size(along) : 1;
    Tensor places;
    if (counts && counts->numel() != 1) {
        check(counts->numel() == n,
              "repeat_interleave: repeats must have the same size as input "
              "along dim, got ",
              counts->numel(), " for ", n);
        places = repeated_places(*counts);
    } else {
        int64_t count = (counts ? item(*counts) : unbox_scalar(repeats)).to<int64_t>();
        check(count >= 0, "repeats can not be negative, got ", count);
        Tensor each = full(Dims{n}, Scalar(count), DType::I64);
        places = repeated_places(each);
    }
    check(!size || *size == places.numel(),
          "repeat_interleave: allocated size does not match "
          "required size: ",
          size.value_or(0), " and ", places.numel());
    return index_select(self, along, places);
}

static Tensor repeats_to_places_body(const Tensor& repeats) { return repeated_places(repeats); }

const Op<Tensor(const Tensor&, IntSpan)> flip{"flip(Tensor input, int[] dims) -> Tensor", "fm",
                                              flip_body,
                                              "A copy of `input` in reverse order along `dims`."};
const Op<Tensor(const Tensor&, IntSpan, IntSpan)> roll{
    "roll(Tensor input, int[] shifts, int[] dims=[]) -> Tensor", "fm", roll_body,
    "A copy of `input` moved round along `dims`; along its flattened self if there are none."};
const Op<Tensor(const Tensor&, IntSpan)> repeat{
    "repeat(Tensor input, int[] repeats) -> Tensor", "m", repeat_body,
    "Copies of `input` side by side, `repeats[d]` of them along dimension d."};
const Op<Tensor(const Tensor&, const Value&, std::optional<int64_t>, std::optional<int64_t>)>
    repeat_interleave{
        "repeat_interleave(Tensor input, Operand repeats, int? dim=None, *, int? output_size=None)"
        " -> Tensor",
        "m", repeat_interleave_body, "Each element (or row along `dim`) `repeats` times in a row."};
const Op<Tensor(const Tensor&)> repeats_to_places{
    "_repeats_to_places(Tensor repeats) -> Tensor", "p", repeats_to_places_body,
    "[0] * repeats[0] + [1] * repeats[1] + ... as a tensor."};

// ---- triangles ----

/// Keeps columns j of row i with lower ? j <= i + diagonal : j >= i + diagonal.
static Tensor triangle(const Tensor& self, int64_t diagonal, bool lower) {
    check(self.dim() >= 2, lower ? "tril" : "triu",
          ": input tensor must have at least 2 dimensions, "
          "got sizes ",
          self.sizes());
    Tensor out = empty(self.sizes(), self.dtype(), self.device());
    diagonal = std::clamp<int64_t>(diagonal, -self.size(-2) - 1, self.size(-1));
    if (!self.is_meta() && self.numel() > 0) {
        Tensor in = raw_contiguous(self);
        int64_t m = self.size(-2), n = self.size(-1), item = static_cast<int64_t>(self.itemsize());
        parallel_for(0, self.numel() / n, std::max<int64_t>(1, kGrainBytes / (n * item)),
                     [&](int64_t b, int64_t e) {
                         for (int64_t r = b; r < e; ++r) {
                             int64_t edge = r % m + diagonal + (lower ? 1 : 0);
                             edge = std::clamp<int64_t>(edge, 0, n) * item;
                             int64_t from = lower ? 0 : edge, to = lower ? edge : n * item;
                             char* row = out.data<char>() + r * n * item;
                             std::memset(row, 0, static_cast<size_t>(n * item));
                             std::memcpy(row + from, in.data<char>() + r * n * item + from,
                                         static_cast<size_t>(to - from));
                         }
                     });
    }
    if (should_record(self))
        record(lower ? "TrilBackward0" : "TriuBackward0", {out}, {self}, {},
               [=](Backward& ctx) -> Tensors {
                   return {(lower ? tril : triu)(ctx.grad(), diagonal)};
               });
    return out;
}

static Tensor tril_body(const Tensor& self, int64_t k) { return triangle(self, k, true); }
static Tensor triu_body(const Tensor& self, int64_t k) { return triangle(self, k, false); }
const Op<Tensor(const Tensor&, int64_t)> tril{
    "tril(Tensor input, int diagonal=0) -> Tensor", "fmiO", tril_body,
    "The lower triangle of matrices, zero above `diagonal`."};
const Op<Tensor(const Tensor&, int64_t)> triu{
    "triu(Tensor input, int diagonal=0) -> Tensor", "fmiO", triu_body,
    "The upper triangle of matrices, zero below `diagonal`."};

// ---- diagonals ----

static Tensor diag_embed_body(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
    int64_t rank = self.dim() + 1;
    dim1 = wrap_dim(dim1, rank, "diag_embed");
    dim2 = wrap_dim(dim2, rank, "diag_embed");
    check(dim1 != dim2, "diag_embed: dim1 and dim2 cannot be equal, both are ", dim1);
    check_bounded("diag_embed", "offset", offset);
    int64_t n = self.size(-1) + std::abs(offset);
    Dims sizes(self.sizes());
    sizes.pop_back();
    sizes.insert(static_cast<size_t>(std::min(dim1, dim2)), n);
    sizes.insert(static_cast<size_t>(std::max(dim1, dim2)), n);
    Tensor out = zeros(sizes, self.dtype(), self.device());
    if (!self.is_meta()) {
        NoGrad guard;
        copy_elements(diagonal(out, offset, dim1, dim2), self);
    }
    if (should_record(self))
        record("DiagEmbedBackward0", {out}, {self}, {}, [=](Backward& ctx) -> Tensors {
            return {diagonal(ctx.grad(), offset, dim1, dim2)};
        });
    return out;
}

static Tensor diag_body(const Tensor& self, int64_t offset) {
    check(self.dim() == 1 || self.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ", self.dim(),
          "D");
    return self.dim() == 1 ? diag_embed(self, offset, 0, 1) : clone(diagonal(self, offset, 0, 1));
}

const Op<Tensor(const Tensor&, int64_t, int64_t, int64_t)> diag_embed{
    "diag_embed(Tensor input, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", "fm",
    diag_embed_body, "Matrices with the last dimension of `input` as their diagonals."};
const Op<Tensor(const Tensor&, int64_t)> diag{
    "diag(Tensor input, int diagonal=0) -> Tensor", "fmOb", diag_body,
    "The diagonal of a matrix, or a matrix with a vector as its diagonal."};

}  // namespace kagari::ops
