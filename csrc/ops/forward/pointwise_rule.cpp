// Tangents of pointwise rows, from the same derivatives that backward uses.
#include "ops/forward/rules.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/pointwise/pointwise.h"
#include "ops/rows.h"

namespace kagari {
namespace {

/// A row that runs with one of its derivatives.
struct RowCall {
    PointwiseRow& row;
    const Operand* operands;
    const Tensor& out;

    /// What backward gives operand `i` for `grad`.
    Tensor pulled_back(int i, const Tensor& grad) const {
        const Derivative& d = row.spec->derivatives[i];
        if (d.rule == Derivative::Identity) return grad;
        Operand list[kMaxOperands] = {};
        int count = 0;
        list[count++] = grad;
        for (int j = 0; j < row.spec->operands; ++j)
            if (d.uses >> j & 1) list[count++] = operands[j];
        if (d.uses & kUsesOutput) list[count++] = out;
        return pointwise(derivative_row(row, i), list);
    }
};

Tensor real_part(const Tensor& t) {
    return is_complex(t.dtype()) ? ops::select(ops::view_as_real(t), -1, 0) : t;
}

// Note [Tangents of complex rows]
// Backward V maps a gradient g to that of an operand, so that <V(g), t> = <g, J(t)> with the real
// inner product <a, b> = Re(conj(a) b), whether the row is holomorphic or not. For g = 1 and g = i
// that gives the real and the imaginary part of the tangent J(t).
Tensor complex_term(const RowCall& call, int i, const Tensor& t) {
    auto part = [&](const Scalar& unit) {
        Tensor grad = ops::scalar_tensor(unit, call.out.dtype(), call.out.device());
        Tensor pulled = call.pulled_back(i, grad);
        if (is_complex(pulled.dtype())) pulled = ops::conj(pulled);
        return real_part(ops::mul(pulled, t));
    };
    Tensor along_real = part(Scalar(1));
    if (!is_complex(call.out.dtype())) return along_real;
    static constinit const Pointwise complex{"complex"};
    return complex(along_real, part(Scalar(c128(0, 1))));
}

}  // namespace

DualResult pointwise_tangent(PointwiseRow& row, const DualCall& call) {
    const PointwiseSpec& spec = *row.spec;
    DualResult result{call.op.run(call.args), {Tensor()}};
    const Tensor& out = std::get<Tensor>(result.results[0]);
    if (!is_differentiable(out.dtype())) return result;
    Operand operands[kMaxOperands] = {};
    for (int i = 0; i < spec.operands; ++i)
        operands[i] = std::holds_alternative<Tensor>(call.args[i])
                          ? Operand(std::get<Tensor>(call.args[i]))
                          : Operand(std::get<Scalar>(call.args[i]));
    RowCall rule{row, operands, out};
    Tensor& sum = result.tangents[0];
    for (int i = 0; i < spec.operands; ++i) {
        Tensor t = call.tangent(call.args[i]);
        const Derivative& d = spec.derivatives[i];
        if (!t.defined() || d.rule == Derivative::None || d.rule == Derivative::Zero) continue;
        Tensor term = d.rule == Derivative::Identity ? t
                      : is_complex(out.dtype()) || is_complex(t.dtype())
                          ? complex_term(rule, i, t)
                          : rule.pulled_back(i, ops::to(t, out.dtype()));
        sum = sum.defined() ? ops::add(sum, term) : term;
    }
    if (!sum.defined()) sum = ops::zeros_like(out);
    return result;
}

}  // namespace kagari
