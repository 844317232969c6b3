// A level of dual tensors: sees every op, runs it on the values and gives its results tangents.
#include "ops/forward/level.h"

#include <algorithm>
#include <unordered_set>

#include "autograd/record.h"
#include "ops/forward/rules.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/pointwise/pointwise.h"
#include "ops/vmap.h"
#include "tensor/batch.h"

namespace kagari {

thread_local bool forward_grad_enabled = true;
DualResult (*transposed_tangent)(const OpRecord&, const Values&, const Tensors&) = nullptr;

void each_tensor(const Value& v, const std::function<void(const Tensor&)>& visit) {
    if (auto* t = std::get_if<Tensor>(&v)) {
        if (t->defined()) visit(*t);
    } else if (auto* list = std::get_if<Tensors>(&v)) {
        for (const Tensor& t : *list) visit(t);
    } else if (auto* some = std::get_if<OptionalTensors>(&v)) {
        for (const auto& t : *some)
            if (t && t->defined()) visit(*t);
    }
}

Tensor DualCall::tangent(const Value& v) const {
    auto* t = std::get_if<Tensor>(&v);
    return t && t->defined() ? level.tangent(*t) : Tensor();
}

namespace {

// Note [Tangents under vmap]
// A tensor that vmap has batched stands for a tensor of all samples, and it is that one which
// backward saves and goes through, with the vmap out of the way. So that one has the tangent, with
// the samples along the same dimension. What is batched in the tangent alone stays as it is.
/// `t` with dimension `dim` as the samples of `level`; an inner level always wraps an outer one.
Tensor with_samples(const Tensor& t, int64_t level, int64_t dim) {
    const BatchSlot* slot = batch_of(t);
    if (slot && slot->level > level)
        return make_batched(with_samples(slot->value, level, dim + 1), slot->level);
    return make_batched(dim ? ops::movedim(t, Dims{dim}, Dims{0}) : t, level);
}

/// `t` with the samples of `level` along dimension 0; undefined if that level has not batched it.
Tensor without_samples(const Tensor& t, int64_t level) {
    const BatchSlot* slot = batch_of(t);
    if (!slot || slot->level < level) return {};
    if (slot->level == level) return slot->value;
    Tensor inner = without_samples(slot->value, level);
    if (!inner.defined()) return {};
    return make_batched(ops::movedim(inner, Dims{1}, Dims{0}), slot->level);
}

Tensor batched_like(const Tensor& t, const Tensor& tangent) {
    const BatchSlot* slot = batch_of(t);
    return slot ? with_samples(batched_like(slot->value, tangent), slot->level, 0) : tangent;
}

Tensor lowered_like(const Tensor& t, const Tensor& tangent) {
    const BatchSlot* slot = batch_of(t);
    if (!slot) return tangent;
    Tensor all = without_samples(tangent, slot->level);
    if (!all.defined()) {
        Dims sizes(tangent.sizes());
        sizes.insert(0, slot->value.size(0));
        all = ops::expand(ops::unsqueeze(tangent, 0), sizes);
    }
    return lowered_like(slot->value, all);
}

}  // namespace

Tensor DualLevel::tangent(const Tensor& t) const {
    if (!is_differentiable(t.dtype())) return {};
    Tensor found = tangent_of(recorded(t), id_);
    return found.defined() ? batched_like(t, found) : found;
}

void DualLevel::note(const Tensor& t) {
    touched_.push_back(variable(t).tangents);
    if (touched_.size() % 1024 == 0)
        std::erase_if(touched_, [](const auto& kept) { return kept.expired(); });
}

void DualLevel::set(const Tensor& t, const Tensor& tangent) {
    const Tensor& values = recorded(t);
    if (set_tangent(values, lowered_like(t, tangent), id_)) note(values);
}

void DualLevel::follow(const Tensor& alias, const Tensor& t) {
    const Variable *to = find_variable(recorded(alias)), *from = find_variable(recorded(t));
    if (!to || !from || to->tangents != from->tangents) set(alias, tangent(t));
}

void DualLevel::clear() {
    for (const auto& kept : std::exchange(touched_, {}))
        if (auto tangents = kept.lock()) {
            Tensors dropped;  // what they hold may end in this very list
            for (auto& e : tangents->entries)
                if (e.level == id_) dropped.push_back(std::move(e.value));
            std::erase_if(tangents->entries, [&](const auto& e) { return e.level == id_; });
        }
}

bool DualLevel::any_tangent(const Values& args) const {
    bool any = false;
    for (const Value& v : args)
        each_tensor(v, [&](const Tensor& t) { any = any || tangent(t).defined(); });
    return any;
}

namespace {

/// Ops whose name ends in `_` write to their first argument.
bool writes(const OpRecord& op) {
    std::string_view name = op.name().substr(0, op.name().find('.'));
    const auto& params = op.schema().params;
    return (name.ends_with('_') || name == "_become") && !params.empty() &&
           params[0].type == ParamType::Tensor;
}

bool among(const Tensor& t, const Values& args) {
    bool found = false;
    for (const Value& v : args) each_tensor(v, [&](const Tensor& a) { found = found || a.is(t); });
    return found;
}

/// Shape and dtype of what it is the tangent of.
Tensor fitted(Tensor tangent, const Tensor& t) {
    if (is_complex(tangent.dtype()) && !is_complex(t.dtype()))
        tangent = ops::select(ops::view_as_real(tangent), -1, 0);
    if (!same_sizes(tangent.sizes(), t.sizes())) tangent = ops::expand(tangent, t.sizes());
    return ops::to(tangent, t.dtype());
}

}  // namespace

DualResult DualLevel::transposed(const DualCall& dual) {
    Tensors tangents, active;
    for (const Value& v : dual.args)
        each_tensor(v, [&](const Tensor& t) {
            tangents.push_back(tangent(t));
            if (tangents.back().defined()) active.push_back(t);
        });
    DualResult made = transposed_tangent(dual.op, dual.args, tangents);
    for (size_t i = 0; i < made.aliases.size(); ++i) follow(made.aliases[i], active[i]);
    return made;
}

Values DualLevel::call(const OpRecord& op, Values args) {
    if (!enabled || !forward_grad_enabled || is_constant(op.name()) || !any_tangent(args))
        return op.run(std::move(args));
    if (op.made_of_ops()) return by_body(op, args);
    std::optional<VmapsAgain> vmaps(std::in_place);
    if (writes(op)) return write(op, std::move(args));
    DualCall dual{op, args, *this};
    DualResult made;
    if (PointwiseRow* row = row_of(op))
        made = pointwise_tangent(*row, dual);
    else if (!linear_tangent(dual, made))
        made = transposed(dual);
    size_t i = 0;
    for (const Value& v : made.results)
        each_tensor(v, [&](const Tensor& t) {
            Tensor tangent = i < made.tangents.size() ? made.tangents[i] : Tensor();
            ++i;
            if (tangent.defined() && is_differentiable(t.dtype()) && !among(t, args))
                set(t, fitted(tangent, t));
        });
    if (loses_tangents(dual, made.results)) {
        vmaps.reset();
        return by_body(op, args);
    }
    return std::move(made.results);
}

/// The ops that it is made of come to this level one by one, so that what they save has tangents.
Values DualLevel::by_body(const OpRecord& op, const Values& args) {
    struct Again {
        explicit Again(std::shared_ptr<DualLevel> level) { push_interceptor(std::move(level)); }
        ~Again() { pop_interceptor(); }
    } again(shared_from_this());
    VmapsAgain vmaps;
    MadeOfOps scope(op.schema_text());
    return op.run_body(args);
}

// Note [Lost tangents]
static void refuse_lost_tangents(const Tensor& t) {
    const char* who = MadeOfOps::running();
    if (!who || !intercepted()) return;
    const Variable* own = find_variable(t);
    const Variable* base = t.body()->base ? find_variable(Tensor(t.body()->base)) : nullptr;
    for (const auto& each : all_interceptors()) {
        auto* level = dynamic_cast<DualLevel*>(each.get());
        if (!level || !level->enabled) continue;
        for (const Variable* v : {own, base})
            check<NotImplementedError>(
                !v || !v->tangents || !v->tangents->find(level->id()),
                "Trying to use forward AD through ",
                std::string_view(who).substr(0, std::string_view(who).find('(')),
                " that does not support it: it reads the memory of a tensor, whose tangent would "
                "be lost, and is not made of ops");
    }
}
static const bool guarding = [] {
    memory_guard = refuse_lost_tangents;
    return true;
}();

/// A write is the op that returns a copy, and then the copying.
Values DualLevel::write(const OpRecord& op, Values args) {
    Tensor target = std::get<Tensor>(args[0]);
    std::string_view name = op.name();
    Tensor tangent;
    Values results{target};
    if (name == "_become") {
        tangent = this->tangent(std::get<Tensor>(args[1]));
        op.run(args);
        if (tangent.defined()) set(target, tangent);
        return results;
    }
    if (name == "copy_") {
        tangent = this->tangent(std::get<Tensor>(args[1]));
        op.run(args);
    } else {
        static const std::unordered_set<std::string_view> erasing{
            "zero_",        "_fill_",  "uniform_",   "normal_",     "bernoulli_",
            "exponential_", "cauchy_", "geometric_", "log_normal_", "random_"};
        if (erasing.contains(name)) {
            op.run(args);
        } else {
            std::string plain(name.substr(0, name.find('.')));
            plain.pop_back();
            const OpRecord* copying = find_op(plain);
            check<NotImplementedError>(copying, name,
                                       ": no forward-mode derivative is known; use "
                                       "an op that returns its result");
            Tensor made = std::get<Tensor>(call(*copying, args)[0]);
            tangent = this->tangent(made);
            ops::copy_(target, made, false);
        }
    }
    if (!is_differentiable(target.dtype())) return results;
    tangent = tangent.defined() ? fitted(tangent, target) : ops::zeros_like(target);
    write_tangent(recorded(target), lowered_like(target, tangent), id_,
                  [this](const Tensor& t) { note(t); });
    return results;
}

// --- levels --------------------------------------------------------------------------------------

static thread_local std::vector<std::shared_ptr<DualLevel>> levels;
static thread_local int64_t next_level = 0;

int64_t enter_dual_level() {
    auto level = std::make_shared<DualLevel>(next_level++);
    levels.push_back(level);
    ++dual_levels;
    // Note [Dual levels and vmap]
    // A vmap goes first, whichever is the inner one: what is recorded are ops on all samples, and
    // backward needs the tangents of exactly what those have saved. The derivative of an op on all
    // samples is that of every sample.
    Interceptors stack = exchange_interceptors({});
    auto first = std::find_if(stack.begin(), stack.end(), [](const auto& each) {
        return dynamic_cast<VmapInterceptor*>(each.get());
    });
    stack.insert(first, level);
    exchange_interceptors(std::move(stack));
    return level->id();
}

void exit_dual_level(int64_t id) {
    check<RuntimeError>(!levels.empty() && levels.back()->id() == id,
                        "exit_dual_level: Trying to exit a forward AD level that is not the "
                        "innermost of the levels and modes that were entered");
    std::shared_ptr<DualLevel> level = std::move(levels.back());
    Interceptors stack = exchange_interceptors({});
    std::erase_if(stack, [&](const auto& each) { return each == level; });
    exchange_interceptors(std::move(stack));
    --dual_levels;
    levels.pop_back();
    level->clear();
}

const std::vector<std::shared_ptr<DualLevel>>& all_dual_levels() { return levels; }

DualLevel& dual_level(int64_t id) {
    for (const auto& level : levels)
        if (level->id() == id) return *level;
    fail<RuntimeError>("forward AD: there is no level ", id,
                       "; enter one with forward_ad.dual_level()");
}

}  // namespace kagari
