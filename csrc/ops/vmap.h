// vmap as an interceptor: what an op does with batched tensors (tensor/batch.h). The rules of ops
// that are not elementwise are left to whoever makes the interceptor (src/kagari/func/batching).
#pragma once
#include <optional>
#include <unordered_set>

#include "ops/op.h"
#include "tensor/batch.h"

namespace kagari {

class VmapInterceptor final : public Interceptor,
                              public std::enable_shared_from_this<VmapInterceptor> {
  public:
    /// Results of an op with batched arguments; nothing if the op's body is made of ops that have
    /// rules themselves.
    using Rule = std::function<std::optional<Values>(const OpRecord& op, const Values& args)>;

    /// `watched`: ops whose rule is asked even where no argument is batched (random numbers).
    VmapInterceptor(int64_t level, Rule rule, std::unordered_set<std::string> watched)
        : level_(level), rule_(std::move(rule)), watched_(std::move(watched)) {}

    Values call(const OpRecord& op, Values args) override;
    int64_t level() const { return level_; }

  private:
    /// The tensor with all samples, if `v` is one that this level has batched.
    const Tensor* samples(const Value& v) const;
    bool batched_among(const Values& args) const;
    Values elementwise(const OpRecord& op, Values args) const;

    int64_t level_;
    Rule rule_;
    std::unordered_set<std::string> watched_;
};

/// While it lives, the vmaps that are running are in the stack again: for what they have batched in
/// the tangents of a tensor that they have not.
class VmapsAgain {
  public:
    VmapsAgain();
    ~VmapsAgain();
    VmapsAgain(const VmapsAgain&) = delete;

  private:
    size_t pushed_ = 0;
    bool before_;
};

/// Runs `body` with the vmap interceptors of `levels` taken out of the stack.
void without_levels(const std::vector<int64_t>& levels, const std::function<void()>& body);

}  // namespace kagari
