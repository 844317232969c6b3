// The one path of every pointwise op.
#include "ops/pointwise/pointwise.h"

#include <cstring>
#include <deque>
#include <unordered_map>

#include "autograd/record.h"
#include "ops/movement/copy.h"
#include "ops/op.h"
#include "ops/output.h"
#include "ops/pointwise/loop.h"

namespace kagari {
namespace {

struct Registry {
    std::unordered_map<std::string_view, PointwiseRow*> by_name;
    std::deque<PointwiseRow> rows;
    Registry() {
        for (const PointwiseSpec* spec = kPointwiseSpecs; spec->name; ++spec) add(*spec);
    }
    PointwiseRow& add(const PointwiseSpec& spec) {
        PointwiseRow& row = rows.emplace_back(PointwiseRow{&spec});
        by_name[spec.name] = &row;
        return row;
    }
};

Registry& registry() {
    static auto* instance = new Registry;
    return *instance;
}

KernelFn kernel_of(PointwiseRow& row, DType dtype) {
    KernelFn& fn = row.kernels[int(dtype)];
    if (!fn) fn = find_kernel(std::string(row.spec->name) + "." + code(dtype));
    return fn;
}

/// The name of the op that a row belongs to: "add" for "add.alpha".
std::string public_name(const PointwiseSpec& spec) {
    std::string_view name(spec.name);
    return std::string(name.substr(0, name.find('.')));
}

[[noreturn, gnu::cold]] void fail_dtype(const PointwiseSpec& spec, DType dtype) {
    const std::string op = public_name(spec);
    check<RuntimeError>(!(spec.meaningless >> int(dtype) & 1), op, ": not supported for ", dtype,
                        " tensors; ", spec.remedy);
    fail<NotImplementedError>(op, ": \"", op, "\" not implemented for '", dtype,
                              "'; convert the input to a dtype it is defined for");
}

/// The dtype whose kernel serves `compute`: a complex number of two halves has none.
DType kernel_dtype(const PointwiseSpec& spec, DType compute) {
    bool of_halves =
        compute == DType::F16 &&
        (spec.result == 'C' || std::string_view(spec.kinds).find('C') != std::string_view::npos);
    return of_halves ? DType::F32 : wide_counterpart(compute);
}

DType compute_dtype(const PointwiseSpec& spec, const Operand* operands) {
    if (spec.promote == Promote::Bool) return DType::Bool;
    Promotion promotion;
    const Tensor* first = nullptr;
    for (int i = 0; i < spec.operands; ++i) {
        char kind = spec.kinds[i];
        if (kind != 'T' && kind != 'R' && kind != 'C') continue;
        if (!operands[i].is_tensor()) {
            promotion.add_scalar(operands[i].scalar());
            continue;
        }
        const Tensor& t = operands[i].tensor();
        if (!first) first = &t;
        check<RuntimeError>(spec.promote != Promote::Equal || t.dtype() == first->dtype(),
                            public_name(spec), ": expected operands of one dtype, but got ",
                            first->dtype(), " and ", t.dtype(), "; convert one of them with .to()");
        promotion.add_tensor(kind == 'C' ? real_counterpart(t.dtype()) : t.dtype(), t.dim() == 0);
    }
    DType dtype = promotion.result();
    if (spec.promote == Promote::Float && dtype < DType::F16) dtype = default_dtype();
    if (spec.promote == Promote::Number && dtype == DType::Bool) dtype = DType::I64;
    if (!(spec.dtypes >> int(kernel_dtype(spec, dtype)) & 1)) [[unlikely]]
        fail_dtype(spec, dtype);
    return dtype;
}

DType dtype_of_kind(char kind, DType compute) {
    switch (kind) {
        case 'B':
            return DType::Bool;
        case 'I':
            return DType::I64;
        case 'R':
            return real_counterpart(compute);
        case 'C':
            return complex_counterpart(compute);
        default:
            return compute;
    }
}

/// The common shape of the tensor operands; points into one of them where no work is needed.
IntSpan common_sizes(const PointwiseSpec& spec, const Operand* operands, Dims& buffer) {
    IntSpan sizes;
    bool first = true;
    for (int i = 0; i < spec.operands; ++i) {
        if (!operands[i].is_tensor()) continue;
        IntSpan s = operands[i].tensor().sizes();
        if (first) {
            sizes = s;
            first = false;
        } else if (!same_sizes(sizes, s)) {
            buffer = broadcast_sizes(sizes, s, spec.name);
            sizes = buffer;
        }
    }
    return sizes;
}

[[noreturn, gnu::cold]] void fail_devices(const PointwiseSpec& spec, Device a, Device b) {
    fail<RuntimeError>(public_name(spec),
                       ": Expected all tensors to be on the same device, but found "
                       "at least two devices, ",
                       a, " and ", b, "!");
}

/// A 0-d tensor on the CPU may meet tensors of any device.
Device common_device(const PointwiseSpec& spec, const Operand* operands) {
    Device device;
    bool found = false, movable = true;  // movable: only such 0-d tensors so far
    for (int i = 0; i < spec.operands; ++i) {
        if (!operands[i].is_tensor()) continue;
        const Tensor& t = operands[i].tensor();
        Device own = t.device();
        bool loose = own == kCPU && t.dim() == 0;
        if (!found || (movable && own != device)) {
            device = own;
            movable = (!found || movable) && loose;
        } else if (own != device && !loose) {
            fail_devices(spec, device, own);
        } else {
            movable &= loose;
        }
        found = true;
    }
    return device;
}

/// A result laid out as the operands are: the first full-sized one whose layout says something.
Tensor new_result(const PointwiseSpec& spec, const Operand* operands, IntSpan sizes, DType dtype,
                  Device device) {
    for (int i = 0; i < spec.operands; ++i) {
        if (!operands[i].is_tensor()) continue;
        const Tensor& t = operands[i].tensor();
        if (!same_sizes(t.sizes(), sizes) || (t.is_contiguous() && t.dim() > 0 && t.numel() == 1))
            continue;
        if (t.is_contiguous()) break;
        bool broadcast = false;
        for (int64_t d = 0; d < t.dim(); ++d) broadcast |= t.strides()[d] == 0 && sizes[d] > 1;
        if (broadcast) continue;
        return empty_strided(sizes, preserved_strides(t), dtype, device);
    }
    return empty(sizes, dtype, device);
}

/// Memory for numbers on their way to a kernel.
struct alignas(16) Slot {
    char bytes[16];
};

void launch(PointwiseRow& row, const Operand* operands, DType compute, const Tensor& out) {
    if (out.is_meta() || out.numel() == 0) return;
    const PointwiseSpec& spec = *row.spec;
    if (DType wide_compute = kernel_dtype(spec, compute); wide_compute != compute) [[unlikely]] {
        Tensor wide = empty_like(out, dtype_of_kind(spec.result, wide_compute));
        launch(row, operands, wide_compute, wide);
        return ops::copy_elements(out, wide);
    }
    Loop loop(out.sizes());
    loop.add(out);
    Tensor converted[kMaxOperands];
    Slot values[kMaxOperands];
    int64_t bytes = static_cast<int64_t>(out.itemsize());
    for (int i = 0; i < spec.operands; ++i) {
        DType dtype = dtype_of_kind(spec.kinds[i], compute);
        if (!operands[i].is_tensor()) {
            bool widened = is_half(dtype);
            operands[i].scalar().store(widened ? DType::F32 : dtype, values[i].bytes);
            loop.add_value(values[i].bytes, widened ? 1 : 0);
            continue;
        }
        const Tensor& t = operands[i].tensor();
        bytes += static_cast<int64_t>(itemsize(dtype));
        if (t.dtype() == dtype &&
            !(t.storage() == out.storage() && !same_window(t, out) && may_share_memory(t, out))) {
            loop.add(t);
            continue;
        }
        converted[i] = empty_like(t, dtype);
        ops::copy_elements(converted[i], t);
        loop.add(converted[i]);
    }
    loop.run(kernel_of(row, compute), bytes);
}

/// One node class for all pointwise ops: it keeps what its derivative rows use.
class PointwiseNode final : public Node {
  public:
    PointwiseNode(PointwiseRow& row) : row_(row) {}

    Tensors apply(Tensors grads) override {
        const PointwiseSpec& spec = *row_.spec;
        if (released_) fail_released();
        Tensors result(spec.operands);
        const Tensor& grad = grads[0];
        for (int i = 0; i < spec.operands; ++i) {
            const Derivative& d = spec.derivatives[i];
            if (!edges()[i] || d.rule == Derivative::None || d.rule == Derivative::Zero) continue;
            check<NotImplementedError>(d.rule != Derivative::Missing, "the derivative for '",
                                       public_name(spec), "' with respect to operand ", i,
                                       " is not implemented");
            result[i] = d.rule == Derivative::Identity ? grad : derivative(i, grad);
        }
        return result;
    }
    std::string name() const override {
        return row_.spec->grad_name ? row_.spec->grad_name : "PointwiseBackward0";
    }
    void release_saved() override {
        for (Kept& k : kept_) {
            released_ |= k.saved.defined();
            k.saved.release();
        }
    }

    void each_saved(const std::function<void(const Saved&)>& visit) const override {
        for (const Kept& k : kept_) visit(k.saved);
    }

    /// Keeps the operands; before an in-place write, so that one it overwrites counts as stale.
    void keep(const Operand* operands) {
        const PointwiseSpec& spec = *row_.spec;
        uint32_t uses = used();
        if (!uses) return;
        kept_.resize(spec.operands + 1);
        for (int i = 0; i < spec.operands; ++i) {
            if (!(uses >> i & 1)) continue;
            if (operands[i].is_tensor())
                kept_[i].saved = Saved(operands[i].tensor(), false);
            else
                kept_[i].scalar = operands[i].scalar();
        }
    }
    void keep_output(const Tensor& output) {
        if (used() & kUsesOutput) kept_[row_.spec->operands].saved = Saved(output, true);
    }

  private:
    /// The operands, as bits, and the output that the derivatives with an edge use.
    uint32_t used() const {
        const PointwiseSpec& spec = *row_.spec;
        uint32_t uses = 0;
        for (int i = 0; i < spec.operands; ++i)
            if (edges()[i] && spec.derivatives[i].rule == Derivative::Op)
                uses |= spec.derivatives[i].uses;
        return uses;
    }

    struct Kept {
        Saved saved;
        Scalar scalar;
    };

    Tensor derivative(int i, const Tensor& grad) {
        const PointwiseSpec& spec = *row_.spec;
        uint32_t uses = spec.derivatives[i].uses;
        Operand operands[kMaxOperands] = {};
        int count = 0;
        operands[count++] = grad;
        for (int j = 0; j <= spec.operands; ++j) {
            bool used = j < spec.operands ? uses >> j & 1 : (uses & kUsesOutput) != 0;
            if (!used) continue;
            const Kept& k = kept_[j];
            operands[count++] =
                k.saved.defined() ? Operand(k.saved.unpack(this)) : Operand(k.scalar);
        }
        return pointwise(derivative_row(row_, i), operands);
    }

    PointwiseRow& row_;
    bool released_ = false;
    std::vector<Kept> kept_;
};

bool wants_record(const PointwiseSpec& spec, const Operand* operands) {
    if (!grad_enabled()) return false;
    for (int i = 0; i < spec.operands; ++i)
        if (operands[i].is_tensor() && operands[i].tensor().requires_grad() &&
            spec.derivatives[i].rule != Derivative::None)
            return true;
    return false;
}

Ref<PointwiseNode> make_node(PointwiseRow& row, const Operand* operands) {
    auto node = make_ref<PointwiseNode>(row);
    auto& edges = node->edges();
    edges.resize(row.spec->operands);
    for (int i = 0; i < row.spec->operands; ++i)
        if (operands[i].is_tensor() && row.spec->derivatives[i].rule != Derivative::None)
            edges[i] = gradient_edge(operands[i].tensor());
    return node;
}

void record_result(PointwiseRow& row, const Operand* operands, const Tensor& out) {
    if (!is_differentiable(out.dtype())) return;
    auto node = make_node(row, operands);
    node->outputs().push_back({out.body()->sizes, out.dtype(), out.device()});
    Variable& v = variable(out);
    v.grad_fn = node;
    out.body()->requires_grad = true;
    node->keep(operands);
    node->keep_output(out);
}

bool uses_operand(const PointwiseSpec& spec, int operand) {
    for (int i = 0; i < spec.operands; ++i)
        if (spec.derivatives[i].rule == Derivative::Op && spec.derivatives[i].uses >> operand & 1)
            return true;
    return false;
}

/// The values of a tensor that is about to be written, with its history for higher derivatives.
Tensor copy_of(const Tensor& t) {
    NoGrad guard;
    Tensor copy = ops::clone(t);
    if (t.requires_grad()) {
        Edge edge = gradient_edge(t);
        Variable& v = variable(copy);
        v.grad_fn = edge.node;
        v.slot = edge.slot;
        copy.body()->requires_grad = true;
    }
    return copy;
}

Tensor run_inplace(PointwiseRow& row, const Operand* operands, DType compute, DType result,
                   IntSpan sizes, const Tensor& out) {
    const PointwiseSpec& spec = *row.spec;
    std::string op = public_name(spec) + "_";
    check_out_dtype(result, out.dtype(), spec.exact_out, op.c_str());
    check<RuntimeError>(same_sizes(sizes, out.sizes()), op, ": output with shape ", out.sizes(),
                        " doesn't match the broadcast shape ", sizes);
    check_inplace(out, op.c_str());
    bool recorded = wants_record(spec, operands);
    Ref<PointwiseNode> node;
    if (recorded) {
        std::vector<Operand> kept(operands, operands + spec.operands);
        if (uses_operand(spec, 0)) kept[0] = copy_of(out);
        node = make_node(row, operands);
        node->outputs().push_back({out.body()->sizes, out.dtype(), out.device()});
        node->keep(kept.data());
    }
    for (int i = 1; i < spec.operands; ++i)
        if (operands[i].is_tensor()) check_partial_overlap(out, operands[i].tensor(), op.c_str());
    if (result == out.dtype()) {
        launch(row, operands, compute, out);
    } else {
        Tensor temporary = empty(sizes, result, out.device());
        launch(row, operands, compute, temporary);
        ops::copy_elements(out, temporary);
    }
    out.bump_version();
    if (recorded) {
        rebase_history(out, node);
        node->keep_output(out);
    }
    return out;
}

Tensor run_out(PointwiseRow& row, const Operand* operands, DType compute, DType result,
               IntSpan sizes, const Tensor& out) {
    std::string op = public_name(*row.spec);
    check<RuntimeError>(
        !grad_enabled() || (!wants_record(*row.spec, operands) && !out.requires_grad()), op,
        "(): functions with out=... arguments don't support automatic "
        "differentiation, but one of the arguments requires grad.");
    Dims kept(sizes);  // `sizes` may be those of `out`, which is about to change
    check_out_dtype(result, out.dtype(), row.spec->exact_out, op.c_str());
    fit_out(out, kept, op.c_str());
    check_inplace(out, op.c_str());
    for (int i = 0; i < row.spec->operands; ++i)
        if (operands[i].is_tensor()) check_partial_overlap(out, operands[i].tensor(), op.c_str());
    if (result == out.dtype()) {
        launch(row, operands, compute, out);
    } else {
        Tensor temporary = empty(kept, result, out.device());
        launch(row, operands, compute, temporary);
        ops::copy_elements(out, temporary);
    }
    out.bump_version();
    return out;
}

/// A row as an op of its own, so that interceptors see calls from C++ and from Python alike.
class RowRecord final : public OpRecord {
  public:
    /// `schema` must live on.
    RowRecord(PointwiseRow& row, const std::string& schema)
        : OpRecord(schema.c_str(), "p", ""), row_(row) {}
    Values run_body(const Values& args) const override {
        Operand operands[kMaxOperands] = {};
        for (int i = 0; i < row_.spec->operands; ++i)
            operands[i] = std::holds_alternative<Tensor>(args[i])
                              ? Operand(std::get<Tensor>(args[i]))
                              : Operand(std::get<Scalar>(args[i]));
        return {pointwise(row_, operands)};
    }
    bool elementwise() const override { return true; }
    PointwiseRow& row() const { return row_; }

  private:
    PointwiseRow& row_;
};

Tensor run_intercepted(PointwiseRow& row, const Operand* operands) {
    static auto* records = new std::unordered_map<PointwiseRow*, std::unique_ptr<RowRecord>>;
    static auto* schemas = new std::deque<std::string>;
    auto& record = (*records)[&row];
    Values args;
    std::string schema = std::string(row.spec->name) + "(";
    for (int i = 0; i < row.spec->operands; ++i) {
        schema += (i ? ", Operand " : "Operand ") + std::string(1, static_cast<char>('a' + i));
        args.push_back(operands[i].is_tensor() ? Value(operands[i].tensor())
                                               : Value(operands[i].scalar()));
    }
    if (!record) {
        schemas->push_back(schema + ") -> Tensor");
        record = std::make_unique<RowRecord>(row, schemas->back());
    }
    return std::get<Tensor>(record->run(std::move(args))[0]);
}

}  // namespace

PointwiseRow& find_row(std::string_view name) {
    auto& rows = registry().by_name;
    auto it = rows.find(name);
    if (it == rows.end()) {
        // a derivative beyond those built: the compiler defines it now
        if (row_provider && row_provider(std::string(name))) it = rows.find(name);
        check<RuntimeError>(it != rows.end(), "pointwise: no op is defined under the name '", name,
                            "'");
    }
    return *it->second;
}

PointwiseRow& derivative_row(PointwiseRow& row, int i) {
    PointwiseRow*& found = row.derivatives[i];
    if (!found) found = &find_row(row.spec->derivatives[i].op);
    return *found;
}

PointwiseRow* row_of(const OpRecord& op) {
    auto* record = dynamic_cast<const RowRecord*>(&op);
    return record ? &record->row() : nullptr;
}

PointwiseRow& add_row(const PointwiseSpec& spec) { return registry().add(spec); }

bool (*row_provider)(const std::string& name) = nullptr;

/// a ** 2 of a floating or complex tensor is a product, as programs that write it count on.
static bool is_square(const PointwiseRow& row, const Operand* operands) {
    static const PointwiseRow* pow = &find_row("pow");
    if (&row != pow || !operands[0].is_tensor() || operands[1].is_tensor()) return false;
    const Scalar& exponent = operands[1].scalar();
    return is_differentiable(operands[0].tensor().dtype()) && exponent.kind() != Scalar::Complex &&
           exponent.to<double>() == 2;
}

Tensor pointwise(PointwiseRow& row, const Operand* operands, const Tensor* out, bool inplace) {
    const PointwiseSpec& spec = *row.spec;
    if (intercepted()) [[unlikely]] {
        if (!out) return run_intercepted(row, operands);
        std::vector<Operand> kept(operands, operands + spec.operands);
        // the rule may keep its operand, which is about to change
        if (inplace && grad_enabled()) kept[0] = ops::clone(operands[0].tensor());
        return ops::copy_(*out, run_intercepted(row, kept.data()), false);
    }
    if (!out && is_square(row, operands)) {
        static PointwiseRow& square = find_row("pow__square");
        return pointwise(square, operands, nullptr, false);
    }
    DType compute = compute_dtype(spec, operands);
    DType result = dtype_of_kind(spec.result, compute);
    Dims buffer;
    IntSpan sizes = common_sizes(spec, operands, buffer);
    Device device = common_device(spec, operands);
    if (out && inplace) return run_inplace(row, operands, compute, result, sizes, *out);
    if (out) return run_out(row, operands, compute, result, sizes, *out);
    Tensor made = new_result(spec, operands, sizes, result, device);
    launch(row, operands, compute, made);
    if (wants_record(spec, operands)) record_result(row, operands, made);
    return made;
}

}  // namespace kagari
