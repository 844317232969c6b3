// The batching rule of elementwise ops, and the way to all others.
#include "ops/vmap.h"

#include <algorithm>
#include <map>

#include "ops/movement/copy.h"
#include "ops/movement/views.h"

namespace kagari {
namespace {

bool belongs(const Tensor& t, int64_t level) {
    return t.defined() && batch_of(t) && batch_of(t)->level == level;
}

/// `samples` with dimensions of size 1 behind the batch dimension, as many as make the rank of one
/// sample `rank`: so that samples broadcast among themselves.
Tensor with_rank(const Tensor& samples, int64_t rank) {
    if (samples.dim() - 1 == rank) return samples;
    Dims sizes(samples.sizes());
    for (int64_t have = samples.dim() - 1; have < rank; ++have) sizes.insert(1, 1);
    return ops::reshape(samples, sizes);
}

/// Random ops have been asked about already.
thread_local bool again = false;

struct Pushed {
    explicit Pushed(std::shared_ptr<Interceptor> interceptor) {
        push_interceptor(std::move(interceptor));
    }
    ~Pushed() { pop_interceptor(); }
};

}  // namespace

const Tensor* VmapInterceptor::samples(const Value& v) const {
    auto* t = std::get_if<Tensor>(&v);
    return t && belongs(*t, level_) ? &batch_of(*t)->value : nullptr;
}

bool VmapInterceptor::batched_among(const Values& args) const {
    for (const Value& v : args) {
        if (samples(v)) return true;
        if (auto* list = std::get_if<Tensors>(&v)) {
            for (const Tensor& t : *list)
                if (belongs(t, level_)) return true;
        } else if (auto* optional = std::get_if<OptionalTensors>(&v)) {
            for (const auto& t : *optional)
                if (t && belongs(*t, level_)) return true;
        }
    }
    return false;
}

Values VmapInterceptor::elementwise(const OpRecord& op, Values args) const {
    // A sample without dimensions counts less in type promotion than one that has some; with all
    // samples in one tensor it would count alike, so it is converted first where that matters.
    int64_t rank = 0;
    std::optional<DType> ranked;
    for (const Value& v : args) {
        auto* t = std::get_if<Tensor>(&v);
        if (!t) continue;
        rank = std::max(rank, t->dim());
        if (t->dim() > 0) ranked = ranked ? promote(*ranked, t->dtype()) : t->dtype();
    }
    for (Value& v : args) {
        auto* t = std::get_if<Tensor>(&v);
        if (!t) continue;
        if (!samples(v)) {
            if (rank == 0) v = ops::reshape(*t, Dims{1});
            continue;
        }
        bool weak = t->dim() == 0 && ranked && category(t->dtype()) == category(*ranked);
        Tensor all = with_rank(*samples(v), rank);
        v = weak ? ops::to(all, *ranked) : all;
    }
    Values results = op.run(std::move(args));
    for (Value& v : results) v = make_batched(std::get<Tensor>(v), level_);
    return results;
}

Values VmapInterceptor::call(const OpRecord& op, Values args) {
    bool batched = batched_among(args);
    if (!batched && (again || !watched_.contains(std::string(op.name()))))
        return op.run(std::move(args));
    if (op.elementwise()) return elementwise(op, std::move(args));
    if (auto results = rule_(op, args)) return std::move(*results);
    Pushed again(shared_from_this());
    return op.run_body(args);
}

VmapsAgain::VmapsAgain() : before_(std::exchange(again, true)) {
    std::map<int64_t, std::shared_ptr<Interceptor>> found;
    for (const auto& each : running_interceptors())
        if (auto* vmap = dynamic_cast<VmapInterceptor*>(each.get())) found[vmap->level()] = each;
    for (auto& [level, vmap] : found) {
        push_interceptor(vmap);
        ++pushed_;
    }
}
VmapsAgain::~VmapsAgain() {
    while (pushed_--) pop_interceptor();
    again = before_;
}

void without_levels(const std::vector<int64_t>& levels, const std::function<void()>& body) {
    Interceptors before = exchange_interceptors({}), kept;
    for (const auto& interceptor : before) {
        auto* vmap = dynamic_cast<VmapInterceptor*>(interceptor.get());
        if (!vmap || std::find(levels.begin(), levels.end(), vmap->level()) == levels.end())
            kept.push_back(interceptor);
    }
    struct Restore {
        Interceptors stack;
        ~Restore() { exchange_interceptors(std::move(stack)); }
    } restore{std::move(before)};
    exchange_interceptors(std::move(kept));
    body();
}

}  // namespace kagari
