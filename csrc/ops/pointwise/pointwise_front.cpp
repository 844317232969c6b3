// Choosing rows: which operands are present, which string mode is asked for.
#include "ops/pointwise/pointwise_front.h"

#include <bit>
#include <deque>

namespace kagari {

template <class T>
static bool same_number(const Value& a, const Value& b) {
    const T *x = std::get_if<T>(&a), *y = std::get_if<T>(&b);
    return x && y && *x == *y;
}

const PointwiseVariant& PointwiseFront::variant_for(const Values& args) const {
    const auto& params = schema().params;
    uint32_t present = 0;
    const std::string* mode = nullptr;
    for (size_t i = 0; i < params.size(); ++i) {
        if (params[i].type == ParamType::Str) {
            mode = std::get_if<std::string>(&args[i]);
            continue;
        }
        bool absent = std::holds_alternative<std::monostate>(args[i]);
        // a keyword at its default is folded into the row
        if (!absent && params[i].has_default)
            absent = same_number<Scalar>(args[i], params[i].default_value) ||
                     same_number<int64_t>(args[i], params[i].default_value);
        if (!absent) present |= 1u << i;
    }
    const PointwiseVariant* chosen = nullptr;
    for (const PointwiseVariant* v = op_.variants; v->spec; ++v) {
        bool same_mode = !v->mode ? !mode : mode && *mode == v->mode;
        if (same_mode && (v->present & present) == present &&
            (!chosen || std::popcount(v->present) < std::popcount(chosen->present)))
            chosen = v;
    }
    check<RuntimeError>(chosen, name(), ": no variant for ",
                        mode ? "'" + *mode + "'" : "these arguments", "; the signature is ",
                        schema_text());
    return *chosen;
}

PointwiseRow& PointwiseFront::choose(const Values& args, Operand* operands) const {
    const auto& params = schema().params;
    const PointwiseVariant* chosen = &variant_for(args);
    int count = 0;
    for (size_t i = 0; i < params.size(); ++i) {
        if (!(chosen->present >> i & 1)) continue;
        check<RuntimeError>(!std::holds_alternative<std::monostate>(args[i]), name(),
                            ": argument '", params[i].name, "' must be given here");
        operands[count++] = std::visit(
            [](const auto& v) -> Operand {
                using T = std::remove_cvref_t<decltype(v)>;
                if constexpr (std::is_same_v<T, Tensor> || std::is_same_v<T, Scalar> ||
                              std::is_same_v<T, int64_t> || std::is_same_v<T, double> ||
                              std::is_same_v<T, bool>)
                    return Operand(v);
                else
                    fail<RuntimeError>("pointwise: an argument is neither a tensor nor a number");
            },
            args[i]);
    }
    bool any = false;
    for (int i = 0; i < count; ++i) any |= operands[i].is_tensor();
    check<TypeError>(any || flag('n'), name(), "(): argument '", params[0].name,
                     "' must be Tensor, not ", "a number");
    return find_row(chosen->spec);
}

PointwiseRow* PointwiseFront::plain_row() const {
    if (plain_known_) return plain_;
    plain_known_ = true;
    const auto& params = schema().params;
    Values args(params.size());
    uint32_t present = 0;
    for (size_t i = 0; i < params.size(); ++i) {
        if (params[i].has_default) {
            args[i] = params[i].default_value;
        } else {
            args[i] = Scalar(0);
            present |= 1u << i;
            ++plain_operands_;
        }
    }
    if (present != (1u << plain_operands_) - 1) return nullptr;  // operands do not lead
    try {
        PointwiseRow& row = find_row(variant_for(args).spec);
        if (row.spec->operands == plain_operands_) plain_ = &row;
    } catch (const Error&) {
        // no row without the optional operands: such calls are errors, told by choose()
    }
    return plain_;
}

static std::deque<PointwiseFront>& fronts() {
    static auto* list = new std::deque<PointwiseFront>;
    return *list;
}

const PointwiseFront& add_pointwise_op(const PointwiseOp& op) { return fronts().emplace_back(op); }

void register_pointwise_ops() {
    if (!fronts().empty()) return;
    for (const PointwiseOp* op = kPointwiseOps; op->schema; ++op) add_pointwise_op(*op);
}

}  // namespace kagari
