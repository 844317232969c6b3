// Choosing rows of a strided tensor by offsets: what index, index_select, embedding and their
// writing counterparts end in. How indices become offsets is left to ops/.
#pragma once
#include "cpu/strided.h"
#include "tensor/dtype.h"

namespace kagari::cpu {

/// Memory seen as [outer, chosen, inner]: element (o, c, k) lies at outer[o] + offsets[c] + k-th of
/// inner.
struct RowLayout {
    std::vector<int64_t> outer;
    std::vector<int64_t> inner;  // empty where a row is one contiguous run
    int64_t run = 1;             // elements of a row
    RowLayout(IntSpan outer_sizes, IntSpan outer_strides, IntSpan inner_sizes,
              IntSpan inner_strides);
};

enum class Combine : uint8_t { Assign, Add, Multiply, Minimum, Maximum };

/// to[o][c][k] = from(o, c, k), `to` contiguous.
void gather_rows(void* to, const void* from, const RowLayout& layout, const int64_t* offsets,
                 int64_t count, size_t item);
/// to(o, c, k) = combine(to(o, c, k), from[o][c][k]) in the order of c, `from` contiguous. Equal
/// offsets are combined in that order on any number of threads.
void scatter_rows(Combine combine, DType dtype, void* to, const void* from, const RowLayout& layout,
                  const int64_t* offsets, int64_t count);

/// `value` combined into `into`, as scatters do it: NaN spreads through minimum and maximum.
template <Combine how, class T>
inline void combine_into(T& into, T value) {
    if constexpr (how == Combine::Assign) {
        into = value;
    } else if constexpr (std::is_same_v<T, bool>) {
        into = how == Combine::Add || how == Combine::Maximum ? into || value : into && value;
    } else if constexpr (std::is_integral_v<T> &&
                         (how == Combine::Add || how == Combine::Multiply)) {
        using U = std::common_type_t<unsigned, std::make_unsigned_t<T>>;  // wraps
        into = static_cast<T>(how == Combine::Add ? U(into) + U(value) : U(into) * U(value));
    } else if constexpr (how == Combine::Add) {
        into = static_cast<T>(into + value);
    } else if constexpr (how == Combine::Multiply) {
        into = static_cast<T>(into * value);
    } else if constexpr (kIsComplex<T>) {
        fail<RuntimeError>("complex numbers have no order: amin and amax need a real dtype");
    } else if constexpr (how == Combine::Minimum) {
        if (value != value || value < into) into = value;
    } else {
        if (value != value || value > into) into = value;
    }
}

/// Calls f(std::integral_constant<Combine, ...>).
template <class F>
void visit_combine(Combine combine, F&& f) {
    switch (combine) {
        case Combine::Assign:
            return f(std::integral_constant<Combine, Combine::Assign>());
        case Combine::Add:
            return f(std::integral_constant<Combine, Combine::Add>());
        case Combine::Multiply:
            return f(std::integral_constant<Combine, Combine::Multiply>());
        case Combine::Minimum:
            return f(std::integral_constant<Combine, Combine::Minimum>());
        case Combine::Maximum:
            return f(std::integral_constant<Combine, Combine::Maximum>());
    }
}

/// Assigning needs no arithmetic: calls f with a stand-in type of the same size; other ways get the
/// element type itself.
template <class F>
void visit_combined(Combine combine, DType dtype, F&& f) {
    if (combine == Combine::Assign)
        return visit_item(itemsize(dtype), [&](auto tag) {
            f(tag, std::integral_constant<Combine, Combine::Assign>());
        });
    visit_combine(combine, [&](auto how) {
        if constexpr (decltype(how)::value != Combine::Assign)
            visit(dtype, [&](auto tag) { f(typename decltype(tag)::type{}, how); });
    });
}

}  // namespace kagari::cpu
