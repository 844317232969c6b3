// A boxed argument or result of an op: what Python, the executor and interceptors see.
#pragma once
#include <optional>
#include <string>
#include <variant>

#include "runtime/generator.h"
#include "tensor/tensor.h"

namespace kagari {

using OptionalTensors = std::vector<std::optional<Tensor>>;

/// std::monostate stands for None.
using Value = std::variant<std::monostate, Tensor, Scalar, int64_t, double, bool, std::string, Dims,
                           std::vector<double>, Tensors, OptionalTensors, DType, Device,
                           Ref<Generator>, std::vector<Scalar>>;
using Values = std::vector<Value>;

/// Conversion of a boxed value to the C++ type of a parameter.
template <class T>
struct Unbox {
    static const T& from(const Value& v) { return std::get<T>(v); }
};
template <>
struct Unbox<IntSpan> {
    static IntSpan from(const Value& v) { return std::get<Dims>(v); }
};
template <class T>
struct Unbox<std::optional<T>> {
    static std::optional<T> from(const Value& v) {
        if (std::holds_alternative<std::monostate>(v)) return std::nullopt;
        return Unbox<T>::from(v);
    }
};
/// An operand, tensor or number, stays boxed.
template <>
struct Unbox<Value> {
    static const Value& from(const Value& v) { return v; }
};
/// A null handle stands for None where an op takes a plain Generator.
template <>
struct Unbox<Ref<Generator>> {
    static Ref<Generator> from(const Value& v) {
        if (std::holds_alternative<std::monostate>(v)) return {};
        return std::get<Ref<Generator>>(v);
    }
};

/// The number in an operand that is not a tensor.
inline Scalar unbox_scalar(const Value& v) {
    if (auto* s = std::get_if<Scalar>(&v)) return *s;
    if (auto* i = std::get_if<int64_t>(&v)) return *i;
    if (auto* b = std::get_if<bool>(&v)) return *b;
    return std::get<double>(v);
}

inline Value box(Value v) { return v; }
template <class T>
Value box(const std::optional<T>& v) {
    return v ? Value(*v) : Value();
}
inline Value box(IntSpan v) { return Dims(v); }

/// Results: one value, or several for a tuple.
template <class T>
void box_results(Values& out, T&& result) {
    using Plain = std::remove_cvref_t<T>;
    if constexpr (requires { std::tuple_size<Plain>::value; })
        std::apply([&](auto&&... parts) { (out.push_back(box(std::move(parts))), ...); },
                   std::forward<T>(result));
    else
        out.push_back(box(std::forward<T>(result)));
}
template <class T>
T unbox_results(Values& in) {
    if constexpr (requires { std::tuple_size<T>::value; })
        return [&]<size_t... I>(std::index_sequence<I...>) {
            return T(std::get<std::tuple_element_t<I, T>>(std::move(in[I]))...);
        }(std::make_index_sequence<std::tuple_size_v<T>>());
    else
        return std::get<T>(std::move(in[0]));
}

}  // namespace kagari
