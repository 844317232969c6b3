// Factorisations that are kept as LAPACK packs them: reflectors (geqrf, householder_product, ormqr)
// and L D L^T. Arguments are checked and gradients composed in src/kagari/linalg.
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_matrix.h"
#include "ops/movement/copy.h"

namespace kagari::ops {

static cpu::Stack stack_of(const Tensor& t) { return {t.dtype(), matrix_count(t), nullptr}; }

static Two geqrf_body(const Tensor& a) {
    check_matrix("geqrf", a);
    int64_t m = rows(a), n = cols(a);
    Tensor work = copy_columns(a);
    Tensor tau = empty(with_lead(a, {std::min(m, n)}), a.dtype(), a.device());
    if (!a.is_meta() && a.numel()) cpu::reflectors(stack_of(a), m, n, work.data(), tau.data());
    return {work, tau};
}
static const Op<Two(const Tensor&)> linalg_geqrf{"_linalg_geqrf(Tensor A) -> (Tensor, Tensor)", "p",
                                                 geqrf_body, ""};

static Tensor householder_product_body(const Tensor& a, const Tensor& tau) {
    check_matrix("linalg.householder_product", a);
    Tensor work = copy_columns(a), factors = raw_contiguous(tau);
    if (!a.is_meta() && a.numel())
        cpu::multiply_reflectors(stack_of(a), rows(a), cols(a), cols(tau), work.data(),
                                 factors.data());
    return work;
}
static const Op<Tensor(const Tensor&, const Tensor&)> linalg_householder_product{
    "_linalg_householder_product(Tensor A, Tensor tau) -> Tensor", "p", householder_product_body,
    ""};

static Tensor ormqr_body(const Tensor& a, const Tensor& tau, const Tensor& other, bool left,
                         bool adjoint) {
    check_matrix("ormqr", a);
    Tensor out = copy_columns(other), work = copy_columns(a), factors = raw_contiguous(tau);
    if (!a.is_meta() && out.numel())
        cpu::apply_reflectors(stack_of(a), {left, adjoint}, rows(out), cols(out), cols(tau),
                              cols(a), work.data(), factors.data(), out.data());
    return out;
}
static const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, bool, bool)> linalg_ormqr{
    "_linalg_ormqr(Tensor A, Tensor tau, Tensor other, bool left, bool adjoint) -> Tensor", "p",
    ormqr_body, ""};

static Three ldl_factor_body(const Tensor& a, bool hermitian) {
    check_square("linalg.ldl_factor", a);
    Tensor work = copy_columns(a), pivots = empty(with_lead(a, {rows(a)}), DType::I32, a.device());
    Verdicts verdicts(a);
    if (!a.is_meta() && a.numel())
        cpu::ldl_factor(verdicts.stack(a), hermitian, rows(a), work.data(), pivots.data<int32_t>());
    return {work, pivots, verdicts.tensor(a)};
}
static const Op<Three(const Tensor&, bool)> linalg_ldl_factor{
    "_linalg_ldl_factor(Tensor A, bool hermitian) -> (Tensor, Tensor, Tensor)", "p",
    ldl_factor_body, ""};

static Tensor ldl_solve_body(const Tensor& ld, const Tensor& pivots, const Tensor& b,
                             bool hermitian) {
    check_square("linalg.ldl_solve", ld);
    Tensor out = copy_columns(b), work = copy_columns(ld), order = raw_contiguous(pivots);
    if (!ld.is_meta() && out.numel())
        cpu::ldl_solve(stack_of(ld), hermitian, rows(ld), cols(b), work.data(),
                       order.data<int32_t>(), out.data());
    return out;
}
static const Op<Tensor(const Tensor&, const Tensor&, const Tensor&, bool)> linalg_ldl_solve{
    "_linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, bool hermitian) -> Tensor", "p",
    ldl_solve_body, ""};

}  // namespace kagari::ops
