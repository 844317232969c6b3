// The switch of a thread: is differentiation recorded?
#pragma once

namespace kagari {

struct ModeState {
    bool grad = true;
};
extern thread_local ModeState mode;

inline bool grad_enabled() { return mode.grad; }

class GradMode {
  public:
    explicit GradMode(bool enabled) : before_(mode.grad) { mode.grad = enabled; }
    ~GradMode() { mode.grad = before_; }
    GradMode(const GradMode&) = delete;
    GradMode& operator=(const GradMode&) = delete;

  private:
    bool before_;
};

/// Inside an op that records itself.
struct NoGrad : GradMode {
    NoGrad() : GradMode(false) {}
};

}  // namespace kagari
