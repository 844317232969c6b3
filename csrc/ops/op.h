// An op: a callable object with a signature. Calling it costs one branch more than calling its
// body; binding it to Python, boxing and interception come from its one line of registration.
#pragma once
#include <memory>
#include <string_view>

#include "autograd/mode.h"
#include "ops/schema.h"

namespace kagari {

class OpRecord;

/// Sees every op of its thread instead of the op's body: recording, vmap, fake execution,
/// profiling.
class Interceptor {
  public:
    virtual ~Interceptor() = default;
    /// `args` in schema order, defaults filled in. Call `op.run(args)` to go on to the next
    /// interceptor, or to the body.
    virtual Values call(const OpRecord& op, Values args) = 0;
};

extern thread_local Interceptor* innermost_interceptor;
inline bool intercepted() { return innermost_interceptor != nullptr; }
/// Must a backward be made of ops, because it is recorded or because an interceptor has to see
/// them?
inline bool composing() { return grad_enabled() || intercepted(); }
void push_interceptor(std::shared_ptr<Interceptor> interceptor);
void pop_interceptor();
/// Puts another stack in place, outermost first, and returns the one before.
using Interceptors = std::vector<std::shared_ptr<Interceptor>>;
Interceptors exchange_interceptors(Interceptors stack);
/// While it lives no interceptor sees anything.
class NoInterceptors {
  public:
    NoInterceptors() : before_(exchange_interceptors({})) {}
    ~NoInterceptors() { exchange_interceptors(std::move(before_)); }
    NoInterceptors(const NoInterceptors&) = delete;

  private:
    Interceptors before_;
};
/// Outermost first; without those that are running.
const Interceptors& all_interceptors();
/// Those that are running, the first to be called first.
const Interceptors& running_interceptors();

/// What is known of an op without its C++ type.
class OpRecord {
  public:
    OpRecord(const char* schema, const char* flags, const char* doc);
    virtual ~OpRecord() = default;
    OpRecord(const OpRecord&) = delete;

    const Schema& schema() const;
    std::string_view name() const { return name_; }
    const char* schema_text() const { return schema_text_; }
    const char* doc() const { return doc_; }
    /// Flags that say where an op appears: f function, m method, i also in place; L, F, S, N in the
    /// namespaces linalg, fft, special, nn; p private. With out=: o of every dtype that the result
    /// can be cast to, O of the result's dtype only, oa of any; d out= shares no memory with an
    /// input, not even the same window; c out= decides the dtype where `dtype` is not given. n: a
    /// pointwise op that also takes numbers alone. b: the body is made of ops, which interceptors
    /// that have no rule for the whole see instead.
    const char* flags() const { return flags_; }
    bool flag(char c) const { return std::string_view(flags_).find(c) != std::string_view::npos; }

    /// One formula for every element: operands that broadcast, and nothing else.
    virtual bool elementwise() const { return false; }
    bool made_of_ops() const { return flag('b'); }
    bool takes_out() const { return flag('o') || flag('O'); }

    /// Runs the body on boxed arguments, past all interceptors.
    virtual Values run_body(const Values& args) const = 0;
    /// Runs through the interceptors of this thread.
    virtual Values run(Values args) const;
    /// Writes straight into `out` if the op can; false if the caller must copy.
    virtual bool run_out(const Values&, const Tensor& /*out*/, bool /*inplace*/) const {
        return false;
    }

  private:
    const char* schema_text_;
    const char* flags_;
    const char* doc_;
    std::string_view name_;
    mutable std::unique_ptr<Schema> schema_;
};

/// Every op made so far, in order of registration.
const std::vector<const OpRecord*>& all_ops();
const OpRecord* find_op(std::string_view name);

template <class Signature>
class Op;

template <class R, class... A>
class Op<R(A...)> final : public OpRecord {
  public:
    using Body = R (*)(A...);
    Op(const char* schema, const char* flags, Body body, const char* doc)
        : OpRecord(schema, flags, doc), body_(body) {}

    R operator()(A... args) const {
        if (intercepted()) [[unlikely]] {
            Values results = run(Values{box(args)...});
            return unbox_results<R>(results);
        }
        return body_(args...);
    }

    Values run_body(const Values& args) const override {
        return call(args, std::make_index_sequence<sizeof...(A)>());
    }

  private:
    template <size_t... I>
    Values call(const Values& args, std::index_sequence<I...>) const {
        Values results;
        box_results(results, body_(Unbox<std::remove_cvref_t<A>>::from(args[I])...));
        return results;
    }
    Body body_;
};

}  // namespace kagari
