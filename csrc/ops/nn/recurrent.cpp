// One layer of a recurrent network over a whole sequence, in one direction, and its backward: the
// products of all inputs at once, then step by step the product with the state and one kernel for
// what lies between products. Layers, directions and derivatives of higher order are put together
// in src/kagari/functional/recurrent.py.
#include <cstring>
#include <optional>

#include "cpu/gemm.h"
#include "ops/linalg/matmul.h"
#include "ops/movement/copy.h"
#include "ops/movement/creation.h"
#include "ops/movement/views.h"
#include "ops/nn/norm.h"
#include "ops/reduce/reduce.h"
#include "ops/reduce/rowwise.h"
#include "ops/rows.h"
#include "runtime/parallel.h"

namespace kagari::ops {
namespace {

/// A kind of layer: how many gates it has, and the kernels of a step.
struct Kind {
    const char* name;
    int64_t gates;
    RowKernels step, step_plain, step_backward;
    bool has_cell = false;      // a second state
    bool splits_gates = false;  // what comes from the state stays apart from what comes from x
};

constexpr Kind kKinds[] = {
    {"RNN_TANH", 1, RowKernels("rnn_tanh_step"), RowKernels("rnn_tanh_step", "_plain"),
     RowKernels("rnn_tanh_step_backward")},
    {"RNN_RELU", 1, RowKernels("rnn_relu_step"), RowKernels("rnn_relu_step", "_plain"),
     RowKernels("rnn_relu_step_backward")},
    {"LSTM", 4, RowKernels("lstm_step"), RowKernels("lstm_step", "_plain"),
     RowKernels("lstm_step_backward"), true},
    {"GRU", 3, RowKernels("gru_step"), RowKernels("gru_step", "_plain"),
     RowKernels("gru_step_backward"), false, true},
};

const Kind& kind_of(const std::string& mode) {
    for (const Kind& kind : kKinds)
        if (mode == kind.name) return kind;
    fail<ValueError>("recurrent layer: expected RNN_TANH, RNN_RELU, LSTM or GRU, got ", mode);
}

/// Which rows of the packed input belong to a step: `count` of them from `first` on.
struct Step {
    int64_t first, count;
};

/// In the order in which they are computed. No sizes: all steps have all samples.
std::vector<Step> steps_of(IntSpan sizes, int64_t total, int64_t batch, bool reverse) {
    std::vector<Step> steps;
    int64_t first = 0;
    if (sizes.empty()) {
        check<RuntimeError>(batch > 0 && total % batch == 0, "recurrent layer: ", total,
                            " rows of input are no whole number of steps of ", batch, " samples");
        for (; first < total; first += batch) steps.push_back({first, batch});
    }
    for (size_t i = 0; i < sizes.size(); ++i) {
        int64_t most = i ? sizes[i - 1] : batch;
        check<RuntimeError>(sizes[i] > 0 && sizes[i] <= most, "recurrent layer: batch_sizes have ",
                            "to be positive, not to increase, and to start with at most ", batch,
                            ", got ", sizes[i], " behind ", most);
        steps.push_back({first, sizes[i]});
        first += sizes[i];
    }
    check<RuntimeError>(first == total, "recurrent layer: batch_sizes add up to ", first,
                        ", but the input has ", total, " rows");
    if (reverse) std::reverse(steps.begin(), steps.end());
    return steps;
}

void check_shape(const char* what, const Tensor& t, IntSpan expected, DType dtype) {
    check<RuntimeError>(t.dtype() == dtype && same_sizes(t.sizes(), expected),
                        "recurrent layer: expected ", what, " of shape ", Dims(expected), " and ",
                        name(dtype), ", got ", Dims(t.sizes()), " and ", name(t.dtype()));
}

/// The operands of one step's kernel; rows are samples, elements hidden units.
class StepKernel {
  public:
    StepKernel(int64_t rows, int64_t units) : units_(units) { walk_.set_sizes(Dims{rows}, units); }
    StepKernel& add(const Tensor& t, int64_t first_row, int64_t first_column = 0) {
        int64_t width = t.sizes()[1];
        auto item = static_cast<int64_t>(t.itemsize());
        char* start = t.data<char>() + (first_row * width + first_column) * item;
        walk_.add(start, t.itemsize(), Dims{width}, 1);
        return *this;
    }
    StepKernel& gates(const Tensor& t, int64_t first_row, int64_t count) {
        for (int64_t g = 0; g < count; ++g) add(t, first_row, g * units_);
        return *this;
    }
    void run(KernelFn kernel) { walk_.run(kernel, 0); }

  private:
    RowWalk walk_;
    int64_t units_;
};

void copy_rows(const Tensor& to, int64_t to_row, const Tensor& from, int64_t count) {
    size_t row = static_cast<size_t>(from.sizes()[1]) * from.itemsize();
    std::memcpy(to.data<char>() + static_cast<size_t>(to_row) * row, from.data<char>(),
                static_cast<size_t>(count) * row);
}

/// Products of many rows with one weight: rows of c become beta c + a w, or bias + a w.
class WeightProduct {
  public:
    /// w is (k, n), read as (n, k) where it is `transposed`. Most products have `rows` rows;
    /// `packs`: they are worth laying the weight out for them.
    WeightProduct(const Tensor& w, bool transposed, int64_t rows, double beta, bool packs,
                  const Tensor& bias = {})
        : w_(w), bias_(bias) {
        int64_t outer = w.sizes()[0], inner = w.sizes()[1];
        call_.dtype = w.dtype();
        call_.m = rows;
        call_.n = transposed ? outer : inner, call_.k = transposed ? inner : outer;
        call_.b = w_.data();
        call_.a_layout = {0, call_.k, 1}, call_.c_layout = {0, call_.n, 1};
        call_.b_layout = transposed ? cpu::Layout{0, 1, inner} : cpu::Layout{0, inner, 1};
        call_.beta = beta;
        if (bias.defined()) call_.bias = bias_.data();
        if (packs && cpu::PackedGemm::worthwhile(call_)) packed_.emplace(call_);
    }
    /// For `count` rows, of c from `c_first` and of a from `a_first` on.
    void run(const Tensor& c, int64_t c_first, const Tensor& a, int64_t a_first, int64_t count) {
        auto item = static_cast<int64_t>(c.itemsize());
        const char* from = a.data<char>() + a_first * call_.k * item;
        char* to = c.data<char>() + c_first * call_.n * item;
        if (packed_ && count == call_.m) return packed_->run(from, to, call_.bias);
        cpu::Gemm call = call_;
        call.m = count, call.a = from, call.c = to;
        cpu::gemm(call);
    }

  private:
    Tensor w_, bias_;
    cpu::Gemm call_;
    std::optional<cpu::PackedGemm> packed_;
};

Tensor state_copy(const OptionalTensor& state, int64_t batch, int64_t units, DType dtype) {
    Tensor copy = empty(Dims{batch, units}, dtype);
    if (state)
        copy_elements(copy, *state);
    else
        fill(copy, 0);
    return copy;
}

/// What the forward pass hands to the backward pass: per row of the packed input the activated
/// gates, the states before the step, and of split gates the part that came from the state.
struct Kept {
    Tensor gates, h, c, hidden;
};

void run_forward(const Kind& kind, const std::vector<Step>& steps, const Tensor& h, const Tensor& c,
                 const Tensor& out, const Tensor& weight, const Tensor& bias, Kept& kept) {
    int64_t units = h.sizes()[1], width = kind.gates * units;
    WeightProduct product(weight, true, h.sizes()[0], kind.splits_gates ? 0 : 1, steps.size() > 2,
                          kind.splits_gates ? bias : Tensor());
    bool keep = kept.h.defined();
    KernelFn kernel = keep ? kind.step(h.dtype()) : kind.step_plain(h.dtype());
    Unlocked unlocked(out.numel() * width > (1 << 20));
    for (auto [first, count] : steps) {
        if (keep) copy_rows(kept.h, first, h, count);
        if (keep && kind.has_cell) copy_rows(kept.c, first, c, count);
        int64_t hidden_first = keep ? first : 0;
        if (kind.splits_gates)
            product.run(kept.hidden, hidden_first, h, 0, count);
        else
            product.run(kept.gates, first, h, 0, count);
        StepKernel step(count, units);
        if (keep) step.gates(kept.gates, first, kind.gates);  // results, in their place
        if (kind.has_cell) step.add(c, 0);
        step.add(h, 0).add(out, first);
        step.gates(kept.gates, first, kind.gates);  // arguments
        if (kind.splits_gates) step.gates(kept.hidden, hidden_first, kind.gates).add(h, 0);
        if (kind.has_cell) step.add(c, 0);
        step.run(kernel);
    }
}

Tensors layer_body(const Tensor& input, const Tensor& h0, const OptionalTensor& c0,
                   const Tensor& w_ih, const Tensor& w_hh, const OptionalTensor& b_ih,
                   const OptionalTensor& b_hh, IntSpan batch_sizes, bool reverse,
                   const std::string& mode, bool keep) {
    const Kind& kind = kind_of(mode);
    DType dtype = input.dtype();
    check<NotImplementedError>(dtype == DType::F32 || dtype == DType::F64,
                               "recurrent layer: expected float32 or float64, got ", name(dtype));
    check<RuntimeError>(input.dim() == 2 && h0.dim() == 2, "recurrent layer: expected an input ",
                        "(rows, features) and a state (samples, units), got ", input.dim(), " and ",
                        h0.dim(), " dimensions");
    int64_t total = input.sizes()[0], features = input.sizes()[1];
    int64_t batch = h0.sizes()[0], units = h0.sizes()[1], width = kind.gates * units;
    check_shape("weight_ih", w_ih, Dims{width, features}, dtype);
    check_shape("weight_hh", w_hh, Dims{width, units}, dtype);
    check<RuntimeError>(b_ih.has_value() == b_hh.has_value() && c0.has_value() == kind.has_cell,
                        "recurrent layer: biases come in pairs, and c belongs to LSTM");
    for (const OptionalTensor* b : {&b_ih, &b_hh})
        if (*b) check_shape("bias", **b, Dims{width}, dtype);
    check_shape("h", h0, Dims{batch, units}, dtype);
    if (c0) check_shape("c", *c0, Dims{batch, units}, dtype);
    std::vector<Step> steps = steps_of(batch_sizes, total, batch, reverse);

    NoGrad guard;
    Tensor h = state_copy(h0, batch, units, dtype), c, out = empty(Dims{total, units}, dtype);
    if (kind.has_cell) c = state_copy(c0, batch, units, dtype);
    Kept kept{empty(Dims{total, width}, dtype), {}, {}, {}};
    if (keep) kept.h = empty(Dims{total, units}, dtype);
    if (keep && kind.has_cell) kept.c = empty(Dims{total, units}, dtype);
    if (kind.splits_gates) kept.hidden = empty(Dims{keep ? total : batch, width}, dtype);

    Tensor hidden_bias = b_hh ? raw_contiguous(*b_hh) : Tensor(), bias;
    if (b_ih) bias = raw_contiguous(kind.splits_gates ? *b_ih : add(*b_ih, *b_hh));
    Tensor x = raw_contiguous(input);
    WeightProduct projection(raw_contiguous(w_ih), true, total, 0, total >= 256, bias);
    {
        Unlocked unlocked(total * width * features > (1 << 20));
        projection.run(kept.gates, 0, x, 0, total);
    }
    run_forward(kind, steps, h, c, out, raw_contiguous(w_hh), hidden_bias, kept);

    Tensors results{out, h};
    if (kind.has_cell) results.push_back(c);
    if (keep)
        for (const Tensor& t : {kept.gates, kept.h, kept.c, kept.hidden})
            if (t.defined()) results.push_back(t);
    return results;
}

/// Gradients of gates (and of their part from the state), going through the steps backwards;
/// grad_h and grad_c become those of the initial states.
void run_backward(const Kind& kind, const std::vector<Step>& steps, const Kept& kept,
                  const Tensor& above, const Tensor& grad_h, const Tensor& grad_c,
                  const Tensor& weight, const Tensor& grad_gates, const Tensor& grad_hidden) {
    int64_t units = grad_h.sizes()[1];
    KernelFn kernel = kind.step_backward(grad_h.dtype());
    // of split gates, grad_h holds what did not come through the gates
    WeightProduct product(weight, false, grad_h.sizes()[0], kind.splits_gates, steps.size() > 2);
    Unlocked unlocked(above.numel() * kind.gates * units > (1 << 20));
    for (size_t i = steps.size(); i-- > 0;) {
        auto [first, count] = steps[i];
        StepKernel step(count, units);
        step.gates(grad_gates, first, kind.gates);
        if (kind.splits_gates) step.gates(grad_hidden, first, kind.gates).add(grad_h, 0);
        if (kind.has_cell) step.add(grad_c, 0);
        step.gates(kept.gates, first, kind.gates);
        if (kind.splits_gates) step.add(kept.hidden, first, 2 * units).add(kept.h, first);
        if (kind.has_cell) step.add(kept.c, first);
        step.add(above, first).add(grad_h, 0);
        if (kind.has_cell) step.add(grad_c, 0);
        step.run(kernel);
        product.run(grad_h, 0, grad_hidden, first, count);
    }
}

Tensor product(const Tensor& a, const Tensor& b) {
    Tensor out = empty(Dims{a.sizes()[0], b.sizes()[1]}, a.dtype());
    write_product(out, a, b);
    return out;
}

Tensors layer_backward_body(const OptionalTensor& grad_out, const OptionalTensor& grad_hn,
                            const OptionalTensor& grad_cn, const Tensor& input, const Tensor& w_ih,
                            const Tensor& w_hh, const Tensors& kept_tensors, IntSpan batch_sizes,
                            bool reverse, const std::string& mode, int64_t batch, bool biased) {
    const Kind& kind = kind_of(mode);
    DType dtype = input.dtype();
    int64_t total = input.sizes()[0], units = w_hh.sizes()[1], width = kind.gates * units;
    size_t expected = 2 + kind.has_cell + kind.splits_gates;
    check<RuntimeError>(kept_tensors.size() == expected, "recurrent layer: expected ", expected,
                        " tensors of the forward pass, got ", kept_tensors.size());
    Kept kept{kept_tensors[0], kept_tensors[1], {}, {}};
    if (kind.has_cell) kept.c = kept_tensors[2];
    if (kind.splits_gates) kept.hidden = kept_tensors[2];
    check_shape("gates", kept.gates, Dims{total, width}, dtype);
    check_shape("states", kept.h, Dims{total, units}, dtype);
    if (kind.has_cell) check_shape("states", kept.c, Dims{total, units}, dtype);
    if (kind.splits_gates) check_shape("gates", kept.hidden, Dims{total, width}, dtype);
    std::vector<Step> steps = steps_of(batch_sizes, total, batch, reverse);

    NoGrad guard;
    Tensor above = grad_out ? raw_contiguous(*grad_out) : zeros(Dims{total, units}, dtype);
    Tensor grad_h = state_copy(grad_hn, batch, units, dtype), grad_c;
    if (kind.has_cell) grad_c = state_copy(grad_cn, batch, units, dtype);
    Tensor gates = empty(Dims{total, width}, dtype);
    Tensor hidden = kind.splits_gates ? empty(Dims{total, width}, dtype) : gates;
    run_backward(kind, steps, kept, above, grad_h, grad_c, raw_contiguous(w_hh), gates, hidden);

    Tensors results{product(gates, w_ih), grad_h};
    if (kind.has_cell) results.push_back(grad_c);
    results.push_back(product(mT(gates), input));
    results.push_back(product(mT(hidden), kept.h));
    if (biased)
        for (const Tensor& t : {gates, hidden})
            results.push_back(sum(t, Dims{0}, false, std::nullopt));
    return results;
}

const Op<Tensors(const Tensor&, const Tensor&, const OptionalTensor&, const Tensor&, const Tensor&,
                 const OptionalTensor&, const OptionalTensor&, IntSpan, bool, const std::string&,
                 bool)>
    rnn_layer{
        "_rnn_layer(Tensor input, Tensor h, Tensor? c, Tensor w_ih, Tensor w_hh, Tensor? b_ih, "
        "Tensor? b_hh, int[] batch_sizes, bool reverse, str mode, bool keep) -> Tensor[]",
        "p", layer_body,
        "Output, last h (and c), and with `keep` what the backward takes as `kept`."};
const Op<Tensors(const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, const Tensor&,
                 const Tensor&, const Tensor&, const Tensors&, IntSpan, bool, const std::string&,
                 int64_t, bool)>
    rnn_layer_backward{
        "_rnn_layer_backward(Tensor? grad_output, Tensor? grad_h, Tensor? grad_c, Tensor input, "
        "Tensor w_ih, Tensor w_hh, Tensor[] kept, int[] batch_sizes, bool reverse, str mode, "
        "int batch, bool biased) -> Tensor[]",
        "p", layer_backward_body, "Gradients of input, h, (c,) w_ih, w_hh, (b_ih, b_hh)."};

}  // namespace
}  // namespace kagari::ops
