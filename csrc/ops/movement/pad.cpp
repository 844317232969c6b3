// Padding: with a constant, by reflection, replication or wrapping round.
#include "ops/movement/pad.h"

#include "autograd/record.h"
#include "ops/bounds.h"
#include "ops/index/index.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"

namespace kagari::ops {

/// `pad` counts from the last dimension: (left, right, top, bottom, ...).
static Tensor constant_pad(const Tensor& self, IntSpan pad, double value) {
    size_t rank = self.sizes().size();
    Dims sizes(self.sizes()), inner(self.sizes());
    int64_t to_offset = 0, from_offset = self.offset();
    std::vector<std::pair<size_t, int64_t>> starts;
    for (size_t k = 0; 2 * k < pad.size(); ++k) {
        size_t d = rank - 1 - k;
        int64_t before = pad[2 * k], after = pad[2 * k + 1];
        sizes[d] += before + after;
        check(sizes[d] >= 0, "pad: The input size ", self.sizes()[d], ", plus negative padding ",
              before, " and ", after, ", resulted in a negative output size at dimension ", d);
        inner[d] += std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
        from_offset += std::max<int64_t>(-before, 0) * self.strides()[d];
        starts.emplace_back(d, std::max<int64_t>(before, 0));
    }
    Tensor out = full(sizes, Scalar(value), self.dtype(), self.device());
    for (auto [d, start] : starts) to_offset += start * out.strides()[d];
    bool any = std::all_of(inner.begin(), inner.end(), [](int64_t s) { return s > 0; });
    if (!self.is_meta() && any)
        copy_elements(raw_view(out, inner, out.strides(), to_offset),
                      raw_view(self, inner, self.strides(), from_offset));
    if (should_record(self)) {
        Dims opposite(pad);
        for (int64_t& p : opposite) p = -p;
        record("ConstantPadNdBackward0", {out}, {self}, {}, [opposite](Backward& ctx) -> Tensors {
            return {ops::pad(ctx.grad(), opposite, "constant", 0.0)};
        });
    }
    return out;
}

/// Where position i - before of a padded dimension takes its value from.
static int64_t source_of(int64_t at, int64_t n, const std::string& mode) {
    if (mode == "replicate") return std::clamp<int64_t>(at, 0, n - 1);
    if (at < 0) return -at;
    return at < n ? at : 2 * (n - 1) - at;
}

/// As above where what negative padding leaves, `count` elements from `first` on, goes round.
static int64_t source_round(int64_t at, int64_t first, int64_t count) {
    return first + (((at - first) % count) + count) % count;
}

static Tensor pad_dim(const Tensor& self, int64_t dim, int64_t before, int64_t after,
                      const std::string& mode) {
    if (before == 0 && after == 0) return self;
    int64_t n = self.size(dim);
    if (mode == "reflect")
        check(before < n && after < n,
              "Argument #4: Padding size should be less than the "
              "corresponding input dimension, but got: padding (",
              before, ", ", after, ") at dimension ", dim, " of input ", self.sizes());
    if (mode == "circular")
        check(before <= n && after <= n,
              "Padding value causes wrapping around more than once: padding (", before, ", ", after,
              ") at dimension ", dim, " of input ", self.sizes());
    check(n > 0 && n + before + after > 0, "pad: expected a non-empty dimension ", dim,
          " and a positive result, got input ", self.sizes(), " and padding (", before, ", ", after,
          ")");
    bool round = mode == "circular";
    int64_t first = std::max<int64_t>(-before, 0), kept = n - first + std::min<int64_t>(after, 0);
    check(!round || kept > 0, "pad: negative padding (", before, ", ", after,
          ") leaves nothing of dimension ", dim, " of input ", self.sizes(), " to go round");
    Tensor places = empty(Dims{n + before + after}, DType::I64);
    for (int64_t i = 0; i < places.numel(); ++i)
        places.data<int64_t>()[i] =
            round ? source_round(i - before, first, kept) : source_of(i - before, n, mode);
    return index_select(self, dim, places);
}

static Tensor pad_body(const Tensor& self, IntSpan pad, const std::string& mode,
                       std::optional<double> value) {
    check(pad.size() % 2 == 0, "Padding length must be divisible by 2, got ", pad);
    int64_t pairs = static_cast<int64_t>(pad.size() / 2);
    check(pairs <= self.dim(),
          "Padding length should be less than or equal to two times the input "
          "dimension but got padding length ",
          pad.size(), " and input of dimension ", self.dim());
    check_bounded("pad", "pad", pad);
    if (mode == "constant") return constant_pad(self, pad, value.value_or(0));
    check<NotImplementedError>(mode == "reflect" || mode == "replicate" || mode == "circular",
                               "Unrecognised padding mode ", mode);
    check<ValueError>(!value || *value == 0, "Padding mode \"", mode,
                      "\" doesn't take in value argument");
    check<NotImplementedError>(
        pairs >= 1 && pairs <= 3 && (self.dim() == pairs + 1 || self.dim() == pairs + 2),
        "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported "
        "for now, got padding ",
        pad, " for input ", self.sizes());
    Tensor out = self;
    for (int64_t k = 0; k < pairs; ++k)
        out = pad_dim(out, self.dim() - 1 - k, pad[static_cast<size_t>(2 * k)],
                      pad[static_cast<size_t>(2 * k + 1)], mode);
    return out.is(self) ? clone(self) : out;
}

const Op<Tensor(const Tensor&, IntSpan, const std::string&, std::optional<double>)> pad{
    "pad(Tensor input, int[] pad, str mode='constant', float? value=None) -> Tensor", "N", pad_body,
    "`input` with `pad` elements more before and after its last dimensions; negative ones cut."};

}  // namespace kagari::ops
