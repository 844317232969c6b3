// Where tangents are kept, and how those of views and their bases follow each other.
#include "autograd/tangent.h"

#include "autograd/engine.h"
#include "tensor/batch.h"

namespace kagari {

thread_local int dual_levels = 0;

Tangents::Entry* Tangents::find(int64_t level) {
    for (Entry& e : entries)
        if (e.level == level) return &e;
    return nullptr;
}

static thread_local const char* made_of_ops = nullptr;

void MadeOfOps::enter(const char* name) {
    before_ = std::exchange(made_of_ops, name);
    entered_ = true;
    ++guarded_memory;
}

void MadeOfOps::leave() {
    made_of_ops = before_;
    --guarded_memory;
}

const char* MadeOfOps::running() { return made_of_ops; }

static Tangents::Entry* own_tangent(const Tensor& t, int64_t level) {
    Variable* v = find_variable(t);
    return v && v->tangents ? v->tangents->find(level) : nullptr;
}

bool has_tangent(const Tensor& t) {
    if (!dual_levels) return false;
    const Variable* v = find_variable(recorded(t));
    if (v && v->tangents && !v->tangents->entries.empty()) return true;
    return t.body()->base && has_tangent(Tensor(t.body()->base));
}

Tensor tangent_of(const Tensor& t, int64_t level) {
    Tangents::Entry* own = own_tangent(t, level);
    const Ref<TensorBody>& base = t.body()->base;
    if (!base || (own && own->version == t.version())) return own ? own->value : Tensor();
    Tensor of_base = tangent_of(Tensor(base), level);
    if (!of_base.defined()) return own ? own->value : Tensor();
    Tensor shown = engine_ops.window(of_base, window_of(t));
    set_tangent(t, shown, level);
    return shown;
}

bool set_tangent(const Tensor& t, Tensor value, int64_t level) {
    Variable& v = variable(t);
    if (!v.tangents) v.tangents = std::make_shared<Tangents>();
    if (Tangents::Entry* have = v.tangents->find(level)) {
        have->value = std::move(value);
        have->version = t.version();
        return false;
    }
    v.tangents->entries.push_back({level, std::move(value), t.version()});
    return true;
}

void write_tangent(const Tensor& t, const Tensor& value, int64_t level,
                   const std::function<void(const Tensor&)>& note) {
    if (set_tangent(t, value, level)) note(t);
    if (!t.body()->base) return;
    Tensor base(t.body()->base);
    Tensor whole = engine_ops.window_scatter(tangent_of(base, level), value, window_of(t));
    if (set_tangent(base, whole, level)) note(base);
}

void share_tangents(const Tensor& to, const Tensor& from) {
    Variable& source = variable(from);
    if (!source.tangents) source.tangents = std::make_shared<Tangents>();
    variable(to).tangents = source.tangents;
}

}  // namespace kagari
