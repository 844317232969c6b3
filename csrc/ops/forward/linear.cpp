// Ops that are linear in their arguments, or in each of two: their tangent is the op itself on
// tangents.
#include <array>
#include <unordered_map>
#include <unordered_set>

#include "ops/forward/rules.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/rows.h"

namespace kagari {
namespace {

/// Linear in all differentiable arguments together; numbers named "value" or "src" count as such.
const std::unordered_set<std::string_view> kLinear{"_alias",
                                                   "_same_memory",
                                                   "_clone",
                                                   "_clone_strided",
                                                   "_contiguous",
                                                   "_to_dtype",
                                                   "_to_device",
                                                   "expand",
                                                   "permute",
                                                   "transpose",
                                                   "reshape",
                                                   "squeeze",
                                                   "unsqueeze",
                                                   "select",
                                                   "_slice",
                                                   "_narrow",
                                                   "unfold",
                                                   "unbind",
                                                   "chunk",
                                                   "split_with_sizes",
                                                   "diagonal",
                                                   "view_as_real",
                                                   "diag_embed",
                                                   "tril",
                                                   "triu",
                                                   "flip",
                                                   "roll",
                                                   "repeat",
                                                   "repeat_interleave",
                                                   "cat",
                                                   "stack",
                                                   "sum",
                                                   "mean",
                                                   "cumsum",
                                                   "_reverse_cumsum",
                                                   "gather",
                                                   "index",
                                                   "index_select",
                                                   "take",
                                                   "masked_select",
                                                   "embedding",
                                                   "index_add",
                                                   "index_copy",
                                                   "index_fill",
                                                   "index_put",
                                                   "masked_fill",
                                                   "masked_scatter",
                                                   "put",
                                                   "scatter_add",
                                                   "_pool_gather",
                                                   "_pool_scatter",
                                                   "_average_pool",
                                                   "_average_pool_backward",
                                                   "_as_strided_backward"};

/// Linear in each of the first two arguments; what follows is added (a bias) or says how.
const std::unordered_map<std::string_view, bool> kBilinear{{"mm", false},
                                                           {"bmm", false},
                                                           {"mv", false},
                                                           {"dot", false},
                                                           {"linear", true},
                                                           {"convolution", true},
                                                           {"conv1d", true},
                                                           {"conv2d", true},
                                                           {"conv3d", true},
                                                           {"conv_transpose1d", true},
                                                           {"conv_transpose2d", true},
                                                           {"conv_transpose3d", true},
                                                           {"_conv_weight_gradient", false}};

const std::unordered_set<std::string_view> kConstant{
    "detach",    "_empty_like", "_full_like",    "_new_zeros",         "argmax",  "argmin",
    "argsort",   "nonzero",     "count_nonzero", "searchsorted",       "any",     "all",
    "bernoulli", "poisson",     "multinomial",   "_repeats_to_places", "one_hot", "bincount",
    "histc",     "_unique"};

bool differentiable(const Tensor& t) { return t.defined() && is_differentiable(t.dtype()); }

Tensor zeros_like(const Tensor& t) { return ops::zeros_like(t); }

/// The tangent of an argument; zeros if it has none; what cannot have one stays.
Tensor replaced(const DualCall& call, const Tensor& t) {
    if (!differentiable(t)) return t;
    Tensor tangent = call.level.tangent(t);
    return tangent.defined() ? tangent : zeros_like(t);
}

Value replaced(const DualCall& call, const Value& v, const Param& param) {
    if (auto* t = std::get_if<Tensor>(&v)) return replaced(call, *t);
    if (auto* list = std::get_if<Tensors>(&v)) {
        Tensors tangents;
        for (const Tensor& t : *list) tangents.push_back(replaced(call, t));
        return tangents;
    }
    if (param.type == ParamType::Operand && std::holds_alternative<Scalar>(v) &&
        (param.name == "value" || param.name == "src"))
        return Scalar(0);
    return v;
}

Tensors tensors_of(const Values& results) {
    Tensors all;
    for (const Value& v : results) each_tensor(v, [&](const Tensor& t) { all.push_back(t); });
    return all;
}

DualResult linear(const DualCall& call) {
    Values tangents;
    const auto& params = call.op.schema().params;
    for (size_t i = 0; i < call.args.size(); ++i)
        tangents.push_back(replaced(call, call.args[i], params[i]));
    DualResult result{call.op.run(call.args), {}};
    result.tangents = tensors_of(call.op.run(std::move(tangents)));
    return result;
}

DualResult bilinear(const DualCall& call, bool has_bias) {
    DualResult result{call.op.run(call.args), {Tensor()}};
    Tensor& sum = result.tangents[0];
    for (size_t i : {0, 1}) {
        Tensor t = call.tangent(call.args[i]);
        if (!t.defined()) continue;
        Values args = call.args;
        args[i] = t;
        if (has_bias) args[2] = sum.defined() ? Value() : call.args[2];
        if (has_bias && !std::holds_alternative<std::monostate>(args[2])) {
            Tensor bias = call.tangent(call.args[2]);
            args[2] = bias.defined() ? Value(bias) : Value();
        }
        Tensor term = std::get<Tensor>(call.op.run(std::move(args))[0]);
        sum = sum.defined() ? ops::add(sum, term) : term;
    }
    if (sum.defined()) return result;
    // only the bias has a tangent
    Values args = call.args;
    args[0] = zeros_like(std::get<Tensor>(call.args[0]));
    args[2] = call.tangent(call.args[2]);
    sum = std::get<Tensor>(call.op.run(std::move(args))[0]);
    return result;
}

// --- views that depend on strides ---------------------------------------------------------------

/// The tangent with the strides of what it belongs to.
Tensor laid_out(const Tensor& tangent, const Tensor& like) {
    if (same_sizes(tangent.strides(), like.strides())) return tangent;
    static const OpRecord* op = find_op("_clone_strided");
    return std::get<Tensor>(op->run({tangent, Dims(like.strides())})[0]);
}

DualResult strided(const DualCall& call) {
    const Tensor& t = std::get<Tensor>(call.args[0]);
    DualResult result{call.op.run(call.args), {}};
    std::string_view name = call.op.name();
    Tensor tangent = call.tangent(call.args[0]);
    const Tensor& out = std::get<Tensor>(result.results[0]);
    if (name == "view") {
        result.tangents = {ops::reshape(tangent, out.sizes())};
    } else if (name == "view_as_complex") {
        result.tangents = {ops::view_as_complex(ops::contiguous(tangent))};
    } else {
        // the window may show more of the base than `t` does
        Tensor root = t.body()->base ? Tensor(t.body()->base) : t;
        Tensor whole = call.level.tangent(root);
        if (!whole.defined() || root.dtype() != t.dtype()) {
            root = t;
            whole = tangent;
        }
        result.tangents = {ops::as_strided(laid_out(whole, root), out.sizes(), out.strides(),
                                           out.offset() - root.offset())};
    }
    return result;
}

bool is_zero(const Value& v) {
    return std::holds_alternative<std::monostate>(v) ||
           (std::holds_alternative<double>(v) && std::get<double>(v) == 0);
}

}  // namespace

bool linear_tangent(const DualCall& call, DualResult& result) {
    std::string_view name = call.op.name();
    if (kLinear.contains(name)) {
        result = linear(call);
    } else if (auto it = kBilinear.find(name); it != kBilinear.end()) {
        result = bilinear(call, it->second);
    } else if (name == "view" || name == "as_strided" || name == "view_as_complex") {
        result = strided(call);
    } else if (name == "pad" && is_zero(call.args[3])) {
        result = linear(call);
    } else if (name == "scatter" && std::holds_alternative<std::monostate>(call.args[4])) {
        result = linear(call);
    } else {
        return false;
    }
    return true;
}

bool is_constant(std::string_view op) { return kConstant.contains(op); }

}  // namespace kagari
