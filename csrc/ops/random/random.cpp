// Random ops: checks, and the order in which memory is filled. The numbers are made in cpu/random.
// What draws with parameters of its own for each element is left to by_element.cpp.
#include "ops/random/random.h"

#include "cpu/random.h"
#include "ops/index/sort.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"
#include "ops/write.h"

namespace kagari::ops {

Generator& generator_or_default(const OptionalGenerator& given) {
    return given && *given ? **given : *default_generator();
}

/// `t` with its dimensions in order of descending strides: how PyTorch walks memory.
static Tensor by_strides(const Tensor& t) {
    std::vector<size_t> order(static_cast<size_t>(t.dim()));
    for (size_t d = 0; d < order.size(); ++d) order[d] = d;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return t.strides()[a] > t.strides()[b]; });
    Dims sizes, strides;
    for (size_t d : order) {
        sizes.push_back(t.sizes()[d]);
        strides.push_back(t.strides()[d]);
    }
    return raw_view(t, sizes, strides, t.offset());
}

/// Every distribution has real values; only uniform_ and normal_ fill complex tensors, part by
/// part.
static void check_real(const Tensor& self, const char* op) {
    check<NotImplementedError>(!is_complex(self.dtype()), op, ": not implemented for ",
                               name(self.dtype()));
}

/// Fills `self` with draw(generator, dtype, memory, count, contiguous), in the order of its memory.
/// Complex tensors are filled as pairs of real numbers.
template <class F>
static Tensor drawn(const char* op, const char* node, const Tensor& self,
                    const OptionalGenerator& given, F draw) {
    check_inplace(self, op);
    if (!self.is_meta() && self.numel() > 0) {
        Generator& gen = generator_or_default(given);
        std::lock_guard lock(gen.mutex);
        DType dtype = real_counterpart(self.dtype());
        int64_t count = self.numel() * (is_complex(self.dtype()) ? 2 : 1);
        if (self.is_contiguous() || is_dense(self)) {
            draw(gen, dtype, self.data(), count, self.is_contiguous());
        } else {
            Tensor walked = by_strides(self), piece = empty(walked.sizes(), self.dtype());
            draw(gen, dtype, piece.data(), count, false);
            copy_elements(walked, piece);
        }
    }
    self.bump_version();
    if (should_record(self))
        record_inplace(node, {self}, {},
                       [](Backward& ctx) -> Tensors { return {zeros_like(ctx.grad())}; });
    return self;
}

Tensor without_gradient(const Tensor& out, const Tensors& inputs, const char* node) {
    if (should_record_any(inputs))
        record(node, {out}, inputs, inputs, [n = inputs.size()](Backward& ctx) -> Tensors {
            Tensors grads;
            for (size_t i = 0; i < n; ++i) grads.push_back(zeros_like(ctx.saved(i)));
            return grads;
        });
    return out;
}

// ---- continuous distributions ----

static Tensor uniform_body(const Tensor& self, double from, double to,
                           const OptionalGenerator& gen) {
    check<NotImplementedError>(is_differentiable(self.dtype()), "uniform_: not implemented for ",
                               name(self.dtype()));
    check(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from,
          " > to=", to);
    return drawn("uniform_", "UniformBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::uniform(g, t, out, n, from, to);
                 });
}

static Tensor normal_body(const Tensor& self, double mean, double std,
                          const OptionalGenerator& gen) {
    check(std >= 0, "normal expects std >= 0.0, but found std ", std);
    // real and imaginary part share the variance
    double each = is_complex(self.dtype()) ? std / std::sqrt(2.0) : std;
    return drawn("normal_", "NormalBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool contiguous) {
                     cpu::normal(g, t, out, n, mean, each, contiguous);
                 });
}

static Tensor log_normal_body(const Tensor& self, double mean, double std,
                              const OptionalGenerator& gen) {
    check_real(self, "log_normal_");
    check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
    return drawn("log_normal_", "LogNormalBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::log_normal(g, t, out, n, mean, std);
                 });
}

static Tensor cauchy_body(const Tensor& self, double median, double sigma,
                          const OptionalGenerator& gen) {
    check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
    check(is_floating(self.dtype()),
          "Cauchy distribution is a continuous probability distribution. "
          "dtype must be a floating point but you specified ",
          name(self.dtype()));
    return drawn("cauchy_", "CauchyBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::cauchy(g, t, out, n, median, sigma);
                 });
}

static Tensor exponential_body(const Tensor& self, double lambda, const OptionalGenerator& gen) {
    check(lambda > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambda);
    check(is_floating(self.dtype()),
          "Exponential distribution is a continuous probability "
          "distribution. dtype must be a floating point but you specified ",
          name(self.dtype()));
    return drawn("exponential_", "ExponentialBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::exponential(g, t, out, n, lambda);
                 });
}

// ---- discrete distributions ----

static Tensor geometric_body(const Tensor& self, double p, const OptionalGenerator& gen) {
    check_real(self, "geometric_");
    check<NotImplementedError>(self.dtype() != DType::Bool, "geometric_: not implemented for bool");
    check(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
    return drawn("geometric_", "GeometricBackward0", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::geometric(g, t, out, n, p);
                 });
}

static void check_probabilities(const Tensor& p) {
    check(is_floating(p.dtype()), "bernoulli_: expected probabilities of a floating dtype, got ",
          name(p.dtype()));
    if (p.is_meta()) return;
    Tensor all = raw_contiguous(p, DType::F64);
    for (int64_t i = 0; i < all.numel(); ++i) {
        double value = all.data<double>()[i];
        check(value >= 0 && value <= 1,
              "Expected p_in >= 0 && p_in <= 1 to be true: bernoulli_ "
              "expects p to be in [0, 1], but got p=",
              value);
    }
}

static Tensor bernoulli_inplace_body(const Tensor& self, const Value& p,
                                     const OptionalGenerator& gen) {
    check_real(self, "bernoulli_");
    const Tensor* given = std::get_if<Tensor>(&p);
    if (!given) {
        double chance = unbox_scalar(p).to<double>();
        check(chance >= 0 && chance <= 1,
              "bernoulli_ expects p to be in [0, 1], but got p=", chance);
        return drawn("bernoulli_", "BernoulliBackward0", self, gen,
                     [&](Generator& g, DType t, void* out, int64_t n, bool) {
                         cpu::bernoulli(g, t, out, n, chance);
                     });
    }
    check_probabilities(*given);
    check(same_sizes(broadcast_sizes(self.sizes(), given->sizes(), "bernoulli_"), self.sizes()),
          "bernoulli_: probabilities of sizes ", given->sizes(), " do not broadcast to ",
          self.sizes());
    Tensor chances = empty_like(self, given->dtype());
    if (!self.is_meta()) copy_elements(chances, *given);
    // results in row-major order where memory has gaps, as the probabilities are
    Tensor out = is_dense(self) ? self : empty(self.sizes(), self.dtype());
    drawn("bernoulli_", "BernoulliBackward1", out, gen,
          [&](Generator& g, DType t, void* to, int64_t n, bool) {
              cpu::bernoulli(g, t, to, n, chances.dtype(), chances.data());
          });
    if (!out.is(self)) copy_(self, out, false);
    return self;
}

static Tensor bernoulli_body(const Tensor& self, std::optional<double> p,
                             const OptionalGenerator& gen) {
    Tensor out;
    {
        NoGrad guard;
        out = bernoulli_(empty_like(self), p ? Value(Scalar(*p)) : Value(self), gen);
    }
    return without_gradient(out, {self}, "BernoulliBackward0");
}

static Tensor normal_of_body(const Tensor& drawn, const Tensors& parameters) {
    return without_gradient(drawn, parameters, "NormalBackward0");
}

/// Bounds of a floating dtype rounded inwards to numbers that it represents.
struct Bounds {
    int64_t from, to;
    template <class T>
    void fit(int digits) {
        int64_t next = convert<int64_t>(convert<T>(from + 1));
        if (next < from) from = next + (int64_t{1} << (bits(from + 1) - digits + 1));
        int64_t last = convert<int64_t>(convert<T>(to - 1));
        if (last >= to) to = last - (int64_t{1} << (bits(to - 1) - digits + 1));
    }
    static int bits(int64_t v) {
        auto magnitude = static_cast<uint64_t>(v);
        return 63 - __builtin_clzll((v < 0 ? -magnitude : magnitude) | 1);
    }
};

static void check_bounds(DType dtype, int64_t from, int64_t to) {
    visit(dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_integral_v<T>) {
            auto inside = [](int64_t v) {
                return v >= static_cast<int64_t>(std::numeric_limits<T>::lowest()) &&
                       (sizeof(T) == 8 || v <= static_cast<int64_t>(std::numeric_limits<T>::max()));
            };
            check(inside(from), "from is out of bounds for ", name(dtype), ": ", from);
            check(inside(to - 1), "to - 1 is out of bounds for ", name(dtype), ": ", to - 1);
        }
    });
}

static Tensor random_body(const Tensor& self, std::optional<int64_t> first,
                          std::optional<int64_t> second, const OptionalGenerator& gen) {
    check<NotImplementedError>(first || second || !is_complex(self.dtype()),
                               "random_: not implemented for ", name(self.dtype()));
    check(!is_complex(self.dtype()),
          "random_: bounds are for integral, floating-point and boolean "
          "types, got ",
          name(self.dtype()));
    if (!first && !second)
        return drawn("random_", "RandomBackward0", self, gen,
                     [&](Generator& g, DType t, void* out, int64_t n, bool) {
                         cpu::integers(g, t, out, n);
                     });
    if (first == INT64_MIN && !second)  // all 64 bits
        return drawn("random_", "RandomBackward0", self, gen,
                     [&](Generator& g, DType t, void* out, int64_t n, bool) {
                         cpu::integers(g, t, out, n, 0, 0);
                     });
    Bounds bounds = second ? Bounds{first.value_or(0), *second} : Bounds{0, *first};
    check(bounds.from < bounds.to,
          "random_ expects 'from' to be less than 'to', but got from=", bounds.from,
          " >= to=", bounds.to);
    check_bounds(self.dtype(), bounds.from, bounds.to);
    if (self.dtype() == DType::F16) bounds.fit<Half>(11);
    if (self.dtype() == DType::BF16) bounds.fit<BFloat16>(8);
    if (self.dtype() == DType::F32) bounds.fit<float>(24);
    if (self.dtype() == DType::F64) bounds.fit<double>(53);
    check(bounds.from < bounds.to,
          "random_ expects 'from' casted to dtype to be less than 'to' "
          "casted to dtype, but got from=",
          bounds.from, " >= to=", bounds.to);
    uint64_t range = static_cast<uint64_t>(bounds.to) - static_cast<uint64_t>(bounds.from);
    return drawn("random_", "RandomBackward1", self, gen,
                 [&](Generator& g, DType t, void* out, int64_t n, bool) {
                     cpu::integers(g, t, out, n, range, bounds.from);
                 });
}

static Tensor randperm_body(int64_t n, const OptionalGenerator& gen, DType dtype, Device device) {
    check(n >= 0, "randperm: n must be non-negative, got ", n);
    if (is_floating(dtype) || is_integral(dtype)) {
        int digits = dtype == DType::F16    ? 11
                     : dtype == DType::BF16 ? 8
                     : dtype == DType::F32  ? 24
                     : dtype == DType::F64
                         ? 53
                         : static_cast<int>(8 * itemsize(dtype)) - (is_signed(dtype) ? 1 : 0);
        check(digits >= 63 || n <= (int64_t{1} << digits) + (is_floating(dtype) ? 1 : 0),
              "n is too large for result tensor type: '", name(dtype), "', got ", n);
    }
    Tensor out = empty(Dims{n}, dtype, device);
    if (!out.is_meta()) {
        Generator& g = generator_or_default(gen);
        std::lock_guard lock(g.mutex);
        cpu::permutation(g, dtype, out.data(), n);
    }
    return out;
}

// ---- multinomial ----

/// Without replacement: the largest of weight / exponential noise, which are drawn with the right
/// probabilities. One draw is always made that way.
static Tensor multinomial_race(const Tensor& weights, int64_t draws, const OptionalGenerator& gen) {
    Tensor valid = raw_contiguous(weights, DType::F64);
    int64_t n = weights.size(-1), rows = weights.numel() / n;
    for (int64_t r = 0; r < rows; ++r) {
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) {
            double w = valid.data<double>()[r * n + j];
            check(w >= 0 && std::isfinite(w),
                  "multinomial: probability tensor contains either "
                  "`inf`, `nan` or element < 0, got ",
                  w);
            sum += w;
        }
        check(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    }
    Tensor noise = exponential_(empty_like(weights), 1.0, gen);
    Tensor scores = div(weights, noise);
    return std::get<1>(topk(scores, draws, -1, true, true));
}

static Tensor multinomial_body(const Tensor& given, int64_t draws, bool replacement,
                               const OptionalGenerator& gen) {
    NoGrad guard;
    check(given.dim() == 1 || given.dim() == 2, "multinomial: prob_dist must be 1 or 2 dim, got ",
          given.dim());
    check(is_floating(given.dtype()),
          "multinomial only supports floating-point dtypes for input, "
          "got: ",
          name(given.dtype()));
    int64_t n = given.size(-1);
    check(draws > 0, "cannot sample n_sample <= 0 samples, got ", draws);
    check(replacement || draws <= n,
          "cannot sample n_sample > prob_dist.size(-1) samples without "
          "replacement: ",
          draws, " > ", n);
    Dims sizes(given.sizes());
    sizes.back() = draws;
    if (given.is_meta() || given.numel() == 0) return empty(sizes, DType::I64, given.device());
    if (!replacement || draws == 1) return multinomial_race(given, draws, gen);
    Tensor weights = raw_contiguous(given), out = empty(sizes, DType::I64);
    Generator& g = generator_or_default(gen);
    std::lock_guard lock(g.mutex);
    for (int64_t r = 0; r < weights.numel() / n; ++r)
        cpu::multinomial(g, weights.dtype(),
                         weights.data<char>() + r * n * static_cast<int64_t>(weights.itemsize()), n,
                         out.data<int64_t>() + r * draws, draws);
    return out;
}

// ---- new tensors ----

/// rand and randn: one call from Python makes and fills.
template <bool is_normal>
static Tensor new_body(IntSpan sizes, const OptionalGenerator& gen, std::optional<DType> dtype,
                       Device device, bool requires_grad) {
    Tensor out = empty(sizes, dtype.value_or(default_dtype()), device);
    {
        NoGrad guard;
        (is_normal ? normal_ : uniform_)(out, 0, 1, gen);
    }
    if (requires_grad) set_requires_grad(out, true);
    return out;
}

#define KAGARI_NEW_PARAMS                                                                     \
    "(int[] size, Generator? generator, dtype? dtype, device device, bool requires_grad) -> " \
    "Tensor"
static const Op<decltype(new_body<false>)> rand{"_rand" KAGARI_NEW_PARAMS, "p", new_body<false>,
                                                "Numbers uniform in [0, 1)."};
static const Op<decltype(new_body<true>)> randn{"_randn" KAGARI_NEW_PARAMS, "p", new_body<true>,
                                                "Standard normal numbers."};

#define KAGARI_DRAW(name, params, body, doc)                                                     \
    const Op<decltype(body)> name {                                                              \
        #name "(Tensor input" params ", *, Generator? generator=None) -> Tensor", "m", body, doc \
    }
KAGARI_DRAW(uniform_, ", float from=0, float to=1", uniform_body,
            "Fills with numbers uniform in [from, to).");
KAGARI_DRAW(normal_, ", float mean=0, float std=1", normal_body, "Fills with normal numbers.");
KAGARI_DRAW(log_normal_, ", float mean=1, float std=2", log_normal_body,
            "Fills with numbers whose logarithm is normal.");
KAGARI_DRAW(cauchy_, ", float median=0, float sigma=1", cauchy_body,
            "Fills with Cauchy-distributed numbers.");
KAGARI_DRAW(exponential_, ", float lambd=1", exponential_body,
            "Fills with exponentially distributed numbers.");
KAGARI_DRAW(geometric_, ", float p", geometric_body,
            "Fills with numbers of trials up to the first success.");
KAGARI_DRAW(bernoulli_, ", Operand p=0.5", bernoulli_inplace_body,
            "Fills with ones of probability `p`, a number or a tensor, and zeros.");
KAGARI_DRAW(random_, ", int? from=None, int? to=None", random_body,
            "Fills with integers uniform in [from, to); one bound is `to`.");
static const Op<decltype(bernoulli_body)> bernoulli{
    "bernoulli(Tensor input, float? p=None, *, Generator? generator=None) -> Tensor", "fmoa",
    bernoulli_body, "Ones with the probabilities in `input` (or `p`), and zeros."};
static const Op<decltype(normal_of_body)> normal_of{
    "_normal_of(Tensor drawn, Tensor[] parameters) -> Tensor", "p", normal_of_body,
    "Gives normal numbers their place in the graph behind the parameters they were drawn with."};
const Op<decltype(multinomial_body)> multinomial{
    "multinomial(Tensor input, int num_samples, bool replacement=False, *, Generator? "
    "generator=None) -> Tensor",
    "fmO", multinomial_body, "Indices drawn with the probabilities in the rows of `input`."};
const Op<decltype(randperm_body)> randperm{
    "_randperm(int n, Generator? generator, dtype dtype, device device) -> Tensor", "p",
    randperm_body, "The numbers 0 .. n-1 in random order."};

}  // namespace kagari::ops
