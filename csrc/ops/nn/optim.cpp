// Fused optimiser steps: checks, layouts and threads. The arithmetic is left to cpu/optim.cpp (SGD,
// Adam) and to the formulas of kernels/definitions/updates.py.
#include "ops/nn/optim.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "cpu/optim.h"
#include "ops/movement/copy.h"
#include "runtime/kernels.h"
#include "runtime/parallel.h"

namespace kagari::ops {
namespace {

bool same(IntSpan a, IntSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

/// A tensor as flat memory in the order of `like`'s memory: itself, or a copy that is written back.
class Flat {
  public:
    Flat(const Tensor& t, const Tensor& like, bool written) : tensor_(t), flat_(t) {
        bool fits = (t.is_contiguous() && like.is_contiguous()) ||
                    (is_dense(like) && same(t.strides(), like.strides()));
        if (fits) return;
        flat_ = is_dense(like) ? empty_like(like) : empty(like.sizes(), like.dtype());
        copy_elements(flat_, t);
        write_back_ = written;
    }
    void* data() const { return flat_.data(); }
    void finish() const {
        if (write_back_) copy_elements(tensor_, flat_);
    }

  private:
    Tensor tensor_, flat_;
    bool write_back_ = false;
};

void check_part(const char* op, const char* what, const Tensor& param, const Tensor& part,
                size_t i) {
    check<RuntimeError>(same(part.sizes(), param.sizes()) && part.dtype() == param.dtype(), op,
                        ": ", what, "[", i, "] has to be like its parameter, ", Dims(param.sizes()),
                        " of ", name(param.dtype()), ", got ", Dims(part.sizes()), " of ",
                        name(part.dtype()));
}

/// Every list has one tensor for each parameter, alike in shape and dtype, on the CPU.
void check_lists(const char* op, const Tensors& params,
                 std::initializer_list<std::pair<const char*, const Tensors*>> lists) {
    for (auto& [what, list] : lists) {
        check<RuntimeError>(list->size() == params.size(), op, ": expected ", params.size(), " ",
                            what, ", one for each parameter, got ", list->size());
        for (size_t i = 0; i < params.size(); ++i) check_part(op, what, params[i], (*list)[i], i);
    }
    for (const Tensor& p : params) {
        check<RuntimeError>(is_floating(p.dtype()), op,
                            ": expected floating-point parameters, got ", name(p.dtype()));
        check<RuntimeError>(!overlaps_itself(p), op, ": a parameter of shape ", Dims(p.sizes()),
                            " has elements that share memory; clone it first");
    }
}

/// Elements in one piece of threaded work: few enough bytes that small tensors stay on one thread.
int64_t grain(const Tensor& param) {
    return 4 * kGrainBytes / static_cast<int64_t>(param.itemsize());
}

int64_t total_bytes(const Tensors& params) {
    int64_t bytes = 0;
    for (const Tensor& p : params) bytes += static_cast<int64_t>(p.nbytes());
    return bytes;
}

/// Counts one step more in a 0-d float tensor and returns the new count.
double count_step(const Tensor& step) {
    check<RuntimeError>(
        step.numel() == 1 && (step.dtype() == DType::F32 || step.dtype() == DType::F64),
        "fused_adam_: expected steps of one float32 or float64 element, got ", Dims(step.sizes()),
        " of ", name(step.dtype()));
    step.bump_version();
    if (step.dtype() == DType::F32) return *step.data<float>() += 1.0f;
    return *step.data<double>() += 1.0;
}

void adam_one(cpu::AdamStep s, const Tensor& param, const Tensor& grad, const Tensor& mean,
              const Tensor& square, const Tensor* max_square, bool unlock) {
    Flat p(param, param, true), g(grad, param, false), m(mean, param, true), v(square, param, true);
    std::optional<Flat> top;
    if (max_square) top.emplace(*max_square, param, true);
    s.param = p.data();
    s.grad = g.data();
    s.mean = m.data();
    s.square = v.data();
    s.max_square = top ? top->data() : nullptr;
    {
        Unlocked unlocked(unlock);
        parallel_for(0, param.numel(), grain(param), [&](int64_t first, int64_t last) {
            cpu::adam(param.dtype(), s, first, last);
        });
    }
    for (const Flat* flat : {&p, &m, &v}) flat->finish();
    if (top) top->finish();
    for (const Tensor* t : {&param, &mean, &square}) t->bump_version();
    if (max_square) max_square->bump_version();
}

int64_t fused_adam_body(const Tensors& params, const Tensors& grads, const Tensors& means,
                        const Tensors& squares, const Tensors& max_squares, const Tensors& steps,
                        double lr, double beta1, double beta2, double eps, double weight_decay,
                        double decoupled_weight_decay, bool maximize) {
    const char* op = "fused_adam_";
    check_lists(op, params, {{"grads", &grads}, {"exp_avgs", &means}, {"exp_avg_sqs", &squares}});
    if (!max_squares.empty()) check_lists(op, params, {{"max_exp_avg_sqs", &max_squares}});
    check<RuntimeError>(steps.size() == params.size(), op, ": expected ", params.size(),
                        " steps, one for each parameter, got ", steps.size());
    cpu::AdamStep s;
    s.lr = lr, s.beta1 = beta1, s.beta2 = beta2, s.eps = eps;
    s.coupled_decay = weight_decay, s.decoupled_decay = decoupled_weight_decay;
    s.maximize = maximize;
    bool unlock = total_bytes(params) > kUnlockBytes;
    double last_step = -1;
    for (size_t i = 0; i < params.size(); ++i) {
        if (params[i].is_meta()) continue;
        double step = count_step(steps[i]);
        if (step != last_step) {
            s.correction1 = 1.0 - std::pow(beta1, step);
            s.correction2_sqrt = std::sqrt(1.0 - std::pow(beta2, step));
            last_step = step;
        }
        const Tensor* top = max_squares.empty() ? nullptr : &max_squares[i];
        adam_one(s, params[i], grads[i], means[i], squares[i], top, unlock);
    }
    return static_cast<int64_t>(params.size());
}

void sgd_one(cpu::SgdStep s, const Tensor& param, const Tensor& grad, const Tensor* buffer,
             bool unlock) {
    Flat p(param, param, true), g(grad, param, false);
    std::optional<Flat> b;
    if (buffer) b.emplace(*buffer, param, true);
    s.param = p.data();
    s.grad = g.data();
    s.momentum_buffer = b ? b->data() : nullptr;
    {
        Unlocked unlocked(unlock);
        parallel_for(0, param.numel(), grain(param),
                     [&](int64_t first, int64_t last) { cpu::sgd(param.dtype(), s, first, last); });
    }
    p.finish();
    param.bump_version();
    if (b) b->finish();
    if (buffer) buffer->bump_version();
}

int64_t fused_sgd_body(const Tensors& params, const Tensors& grads, const Tensors& buffers,
                       double lr, double momentum, double dampening, double weight_decay,
                       bool nesterov, bool maximize, bool first) {
    const char* op = "fused_sgd_";
    check_lists(op, params, {{"grads", &grads}});
    if (!buffers.empty()) check_lists(op, params, {{"momentum_buffers", &buffers}});
    check<RuntimeError>(momentum == 0 || !buffers.empty(), op,
                        ": momentum needs a momentum buffer for each parameter");
    cpu::SgdStep s;
    s.lr = lr, s.momentum = momentum, s.dampening = dampening, s.weight_decay = weight_decay;
    s.nesterov = nesterov, s.maximize = maximize, s.first = first;
    bool unlock = total_bytes(params) > kUnlockBytes;
    for (size_t i = 0; i < params.size(); ++i) {
        if (params[i].is_meta()) continue;
        sgd_one(s, params[i], grads[i], buffers.empty() ? nullptr : &buffers[i], unlock);
    }
    return static_cast<int64_t>(params.size());
}

constexpr size_t kMaxUpdateOperands = 24;

/// One tensor with the kernel of its update: all elements are one row, or pieces of it.
void update_one(KernelFn kernel, const std::vector<Flat>& flats, const std::vector<double>& numbers,
                const Tensor& param, bool unlock) {
    size_t tensors = flats.size();
    auto size = static_cast<int64_t>(param.itemsize());
    Unlocked unlocked(unlock);
    parallel_for(0, param.numel(), grain(param), [&](int64_t first, int64_t last) {
        std::array<void*, kMaxUpdateOperands> data{};
        std::array<int64_t, 1 + 2 * kMaxUpdateOperands> strides{last - first};
        size_t k = 0;
        auto add = [&](void* memory, int64_t stride) {
            data[k] = memory;
            strides[2 + 2 * k++] = stride;
        };
        auto piece = [&](const Flat& flat) {
            add(static_cast<char*>(flat.data()) + first * size, size);
        };
        piece(flats[0]);  // outputs: the parameter and its state, without the gradient
        for (size_t i = 2; i < tensors; ++i) piece(flats[i]);
        for (const Flat& flat : flats) piece(flat);
        for (const double& number : numbers) add(const_cast<double*>(&number), 0);
        kernel(1, data.data(), strides.data());
    });
}

int64_t fused_update_body(const std::string& rule, const Tensors& params, const Tensors& grads,
                          const Tensors& states, const std::vector<double>& numbers) {
    const char* op = "fused_update_";
    check_lists(op, params, {{"grads", &grads}});
    size_t count = params.size(), slots = count ? states.size() / count : 0;
    check<RuntimeError>(slots * count == states.size(), op,
                        ": expected as many states for each of ", count, " parameters, got ",
                        states.size());
    check<RuntimeError>(3 + 2 * slots + numbers.size() <= kMaxUpdateOperands, op,
                        ": too many states and numbers");
    for (size_t s = 0; s < states.size(); ++s)
        check_part(op, "states", params[s % count], states[s], s);
    bool unlock = total_bytes(params) > kUnlockBytes;
    DType dtype{};
    KernelFn kernel = nullptr;
    for (size_t i = 0; i < count; ++i) {
        const Tensor& param = params[i];
        if (param.is_meta() || param.numel() == 0) continue;
        if (!kernel || dtype != param.dtype()) {
            dtype = param.dtype();
            kernel = find_kernel("update_" + rule + "." + code(dtype));
        }
        std::vector<Flat> flats;
        flats.reserve(2 + slots);
        flats.emplace_back(param, param, true);
        flats.emplace_back(grads[i], param, false);
        for (size_t s = 0; s < slots; ++s) flats.emplace_back(states[s * count + i], param, true);
        update_one(kernel, flats, numbers, param, unlock);
        for (const Flat& flat : flats) flat.finish();
        param.bump_version();
        for (size_t s = 0; s < slots; ++s) states[s * count + i].bump_version();
    }
    return static_cast<int64_t>(count);
}

}  // namespace

const Op<int64_t(const std::string&, const Tensors&, const Tensors&, const Tensors&,
                 const std::vector<double>&)>
    fused_update_{
        "fused_update_(str rule, Tensor[] params, Tensor[] grads, Tensor[] states, float[] "
        "numbers) "
        "-> int",
        "p", fused_update_body,
        "One step of an update defined in kernels/definitions/updates.py on a list of parameters, "
        "in "
        "place; returns how many. `states` has all tensors of the first state, then of the next."};

const Op<int64_t(const Tensors&, const Tensors&, const Tensors&, const Tensors&, const Tensors&,
                 const Tensors&, double, double, double, double, double, double, bool)>
    fused_adam_{
        "fused_adam_(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, "
        "Tensor[] exp_avg_sqs, Tensor[] max_exp_avg_sqs, Tensor[] steps, float lr, "
        "float beta1, float beta2, float eps, float weight_decay, "
        "float decoupled_weight_decay, bool maximize) -> int",
        "p", fused_adam_body,
        "One step of Adam or AdamW on a list of parameters, in place; returns how many. "
        "`max_exp_avg_sqs` is empty without amsgrad."};

const Op<int64_t(const Tensors&, const Tensors&, const Tensors&, double, double, double, double,
                 bool, bool, bool)>
    fused_sgd_{
        "fused_sgd_(Tensor[] params, Tensor[] grads, Tensor[] momentum_buffers, float lr, "
        "float momentum, float dampening, float weight_decay, bool nesterov, "
        "bool maximize, bool first) -> int",
        "p", fused_sgd_body,
        "One step of SGD on a list of parameters, in place; returns how many. "
        "`momentum_buffers` is empty without momentum; with `first` they are filled."};

}  // namespace kagari::ops
