// The catalogue of error classes and how a message is put together. What Python class each one
// becomes is left to python/errors.cpp.
#pragma once
#include <cstdint>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>

namespace kagari {

#define KAGARI_ERROR(Name, Parent)                                     \
    struct Name : Parent {                                             \
        explicit Name(const std::string& message) : Parent(message) {} \
    }
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
KAGARI_ERROR(RuntimeError, Error);
KAGARI_ERROR(IndexError, Error);
KAGARI_ERROR(TypeError, Error);
KAGARI_ERROR(ValueError, Error);
KAGARI_ERROR(NotImplementedError, Error);
KAGARI_ERROR(ZeroDivisionError, Error);
KAGARI_ERROR(OutOfMemory, RuntimeError);
KAGARI_ERROR(LinAlgError, RuntimeError);
#undef KAGARI_ERROR

/// Prints sizes as Python does: "(2, 3)", "(4,)", "()".
std::ostream& operator<<(std::ostream& os, std::span<const int64_t> sizes);

template <class E, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
    std::ostringstream os;
    (os << ... << parts);
    throw E(os.str());
}

template <class E = RuntimeError, class... Parts>
inline void check(bool condition, const Parts&... parts) {
    if (!condition) [[unlikely]]
        fail<E>(parts...);
}

}  // namespace kagari
