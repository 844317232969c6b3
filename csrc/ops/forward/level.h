// Forward-mode differentiation as an interceptor: one per level of dual tensors.
#pragma once
#include "autograd/tangent.h"
#include "ops/op.h"

namespace kagari {

struct DualCall;
struct DualResult;

class DualLevel final : public Interceptor, public std::enable_shared_from_this<DualLevel> {
  public:
    explicit DualLevel(int64_t id) : id_(id) {}
    ~DualLevel() override { clear(); }

    Values call(const OpRecord& op, Values args) override;

    int64_t id() const { return id_; }
    Tensor tangent(const Tensor& t) const;
    void set(const Tensor& t, const Tensor& tangent);
    /// `alias` stands for `t` in a graph: backward goes through it, and its tangents depend on it.
    void follow(const Tensor& alias, const Tensor& t);
    /// Takes away every tangent of this level, which may hold cycles together.
    void clear();

    bool enabled = true;

  private:
    bool any_tangent(const Values& args) const;
    DualResult transposed(const DualCall& dual);
    Values by_body(const OpRecord& op, const Values& args);
    Values write(const OpRecord& op, Values args);
    void note(const Tensor& t);

    int64_t id_;
    std::vector<std::weak_ptr<Tangents>> touched_;
};

/// Starts a level inside all others and returns its id; ends it, which must be the innermost of all
/// interceptors.
int64_t enter_dual_level();
void exit_dual_level(int64_t id);
/// The levels of this thread, outermost first.
const std::vector<std::shared_ptr<DualLevel>>& all_dual_levels();
/// RuntimeError if there is none with that id.
DualLevel& dual_level(int64_t id);

/// While false, dual tensors are treated as plain ones at every level.
extern thread_local bool forward_grad_enabled;

}  // namespace kagari
