// The registry of ops and the stack of interceptors.
#include "ops/op.h"

#include <unordered_map>

namespace kagari {

thread_local Interceptor* innermost_interceptor = nullptr;

namespace {

thread_local Interceptors interceptors, stepped;

void set_innermost() {
    innermost_interceptor = interceptors.empty() ? nullptr : interceptors.back().get();
}

std::vector<const OpRecord*>& registry() {
    static auto* list = new std::vector<const OpRecord*>;
    return *list;
}

/// While an interceptor runs, the ops it calls go to the ones outside it.
class Stepped {
  public:
    Stepped() : top_(std::move(interceptors.back())) {
        interceptors.pop_back();
        stepped.push_back(top_);
        set_innermost();
    }
    ~Stepped() {
        stepped.pop_back();
        interceptors.push_back(std::move(top_));
        set_innermost();
    }
    Interceptor& top() { return *top_; }

  private:
    std::shared_ptr<Interceptor> top_;
};

}  // namespace

void push_interceptor(std::shared_ptr<Interceptor> interceptor) {
    interceptors.push_back(std::move(interceptor));
    set_innermost();
}

void pop_interceptor() {
    check<RuntimeError>(!interceptors.empty(), "pop_interceptor: the stack is empty");
    interceptors.pop_back();
    set_innermost();
}

Interceptors exchange_interceptors(Interceptors stack) {
    Interceptors before = std::exchange(interceptors, std::move(stack));
    set_innermost();
    return before;
}

const Interceptors& all_interceptors() { return interceptors; }
const Interceptors& running_interceptors() { return stepped; }

OpRecord::OpRecord(const char* schema, const char* flags, const char* doc)
    : schema_text_(schema), flags_(flags), doc_(doc) {
    std::string_view text(schema);
    name_ = text.substr(0, text.find('('));
    registry().push_back(this);
}

const Schema& OpRecord::schema() const {
    if (!schema_) {
        auto parsed = std::make_unique<Schema>(parse_schema(schema_text_));
        schema_ = std::move(parsed);
    }
    return *schema_;
}

Values OpRecord::run(Values args) const {
    if (!intercepted()) return run_body(args);
    Stepped step;
    return step.top().call(*this, std::move(args));
}

const std::vector<const OpRecord*>& all_ops() { return registry(); }

const OpRecord* find_op(std::string_view name) {
    static auto* by_name = new std::unordered_map<std::string_view, const OpRecord*>;
    static size_t indexed = 0;
    for (; indexed < registry().size(); ++indexed)
        by_name->emplace(registry()[indexed]->name(), registry()[indexed]);
    auto it = by_name->find(name);
    return it == by_name->end() ? nullptr : it->second;
}

}  // namespace kagari
