// Random ops that draw with parameters of their own for each element: Poisson, binomial, gamma and
// Dirichlet. The numbers are made in cpu/random_rejection.cpp.
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "cpu/random.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"
#include "ops/rows.h"

namespace kagari::ops {

// what is drawn moves with its parameter at a fixed probability (Figurnov, Mohamed, Mnih 2018)
static constinit const Pointwise standard_gamma_grad{"_standard_gamma_grad"};
static constinit const Pointwise dirichlet_grad{"_dirichlet_grad"};

/// A result like `parameters`, which lie in row-major order, in which they are drawn: filled by
/// draw(generator, result) unless it has no memory.
template <class F>
static Tensor like(const Tensor& parameters, const OptionalGenerator& given, F draw) {
    Tensor out = empty_like(parameters);
    if (!out.is_meta() && out.numel() > 0) {
        Generator& gen = generator_or_default(given);
        std::lock_guard lock(gen.mutex);
        draw(gen, out);
    }
    return out;
}

static void check_wide(const Tensor& t, const char* op) {
    check<NotImplementedError>(t.dtype() == DType::F32 || t.dtype() == DType::F64, op,
                               ": expected float32 or float64, got ", name(t.dtype()));
}

static Tensor poisson_body(const Tensor& self, const OptionalGenerator& gen) {
    Tensor rates = raw_contiguous(self),
           out = like(rates, gen, [&](Generator& g, Tensor& to) {
               cpu::poisson(g, to.dtype(), to.data(), to.numel(), rates.data());
           });
    return without_gradient(out, {self}, "PoissonBackward0");
}

static Tensor binomial_body(const Tensor& count, const Tensor& p, const OptionalGenerator& gen) {
    check<ValueError>(
        is_floating(count.dtype()),
        "binomial only supports floating-point dtypes for count, got: ", name(count.dtype()));
    check<ValueError>(
        is_floating(p.dtype()),
        "binomial only supports floating-point dtypes for prob, got: ", name(p.dtype()));
    check(count.dtype() == p.dtype(), "binomial: count and prob need one dtype: found dtype ",
          name(p.dtype()), " but expected ", name(count.dtype()));
    check_wide(count, "binomial");
    Dims sizes = broadcast_sizes(count.sizes(), p.sizes(), "binomial");
    auto full = [&](const Tensor& t) {
        NoGrad guard;
        return raw_contiguous(expand(t, sizes));
    };
    Tensor counts = full(count), chances = full(p);
    Tensor out = like(counts, gen, [&](Generator& g, Tensor& to) {
        cpu::binomial(g, to.dtype(), to.data(), to.numel(), counts.data(), chances.data());
    });
    if (should_record_any({count, p}))
        record("NotImplemented", {out}, {count, p}, {}, [](Backward&) -> Tensors {
            fail<RuntimeError>(
                "binomial: numbers of successes have no derivative; draw under no_grad");
        });
    return out;
}

static Tensor standard_gamma_body(const Tensor& self, const OptionalGenerator& gen) {
    check_wide(self, "_standard_gamma");
    Tensor shapes = raw_contiguous(self),
           out = like(shapes, gen, [&](Generator& g, Tensor& to) {
               cpu::standard_gamma(g, to.dtype(), to.data(), to.numel(), shapes.data());
           });
    if (should_record(self))
        record("StandardGammaBackward0", {out}, {self}, {self, out}, [](Backward& ctx) -> Tensors {
            return {mul(ctx.grad(), standard_gamma_grad(ctx.saved(0), ctx.saved(1)))};
        });
    return out;
}

/// Rows of gamma-distributed numbers over their sum, inside of (0, 1).
template <class T>
static void to_simplex(const double* gammas, T* out, int64_t rows, int64_t n) {
    constexpr T kLeast = std::numeric_limits<T>::min();
    const T kMost = std::nextafter(T(1), T(0));
    for (int64_t r = 0; r < rows; ++r, gammas += n, out += n) {
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += gammas[i];
        for (int64_t i = 0; i < n; ++i) {
            T share = static_cast<T>(gammas[i] / sum);
            out[i] = share < kLeast ? kLeast : share > kMost ? kMost : share;
        }
    }
}

static Tensor sample_dirichlet_body(const Tensor& self, const OptionalGenerator& gen) {
    check_wide(self, "_sample_dirichlet");
    // in double: shares of small parameters would all be zero
    Tensor shapes = raw_contiguous(self, DType::F64),
           out = empty(self.sizes(), self.dtype(), self.device());
    if (!out.is_meta() && out.numel() > 0) {
        Generator& g = generator_or_default(gen);
        std::lock_guard lock(g.mutex);
        Tensor gammas = empty(shapes.sizes(), DType::F64);
        cpu::standard_gamma(g, DType::F64, gammas.data(), gammas.numel(), shapes.data());
        int64_t n = self.dim() ? self.size(-1) : 1, rows = out.numel() / n;
        if (self.dtype() == DType::F64)
            to_simplex(gammas.data<double>(), out.data<double>(), rows, n);
        else
            to_simplex(gammas.data<double>(), out.data<float>(), rows, n);
    }
    if (should_record(self))
        record("SampleDirichletBackward0", {out}, {self}, {self, out},
               [](Backward& ctx) -> Tensors {
                   Tensor parameters = ctx.saved(0), x = ctx.saved(1), grad = ctx.grad();
                   Dims last{-1};
                   Tensor total = sum(parameters, last, true, {});
                   // what a share gains the others lose, each in proportion
                   Tensor gained = sub(grad, sum(mul(x, grad), last, true, {}));
                   return {mul(dirichlet_grad(x, parameters, total), gained)};
               });
    return out;
}

const Op<decltype(poisson_body)> poisson{
    "poisson(Tensor input, Generator? generator=None) -> Tensor", "f", poisson_body,
    "Poisson-distributed numbers with the rates in `input`."};
const Op<decltype(binomial_body)> binomial{
    "binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor", "f", binomial_body,
    "Numbers of successes in `count` trials of probability `prob`; float32 or float64, and "
    "broadcast."};
const Op<decltype(standard_gamma_body)> standard_gamma{
    "_standard_gamma(Tensor input, Generator? generator=None) -> Tensor", "f", standard_gamma_body,
    "Gamma-distributed numbers with the shapes in `input` and scale 1; float32 or float64. The "
    "gradient is that at a fixed probability."};
const Op<decltype(sample_dirichlet_body)> sample_dirichlet{
    "_sample_dirichlet(Tensor input, Generator? generator=None) -> Tensor", "f",
    sample_dirichlet_body,
    "Points of the simplex, Dirichlet-distributed with the parameters in the rows of `input`; "
    "float32 or float64. The gradient is that at a fixed probability."};

}  // namespace kagari::ops
