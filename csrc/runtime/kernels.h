// Finding generated kernels by name: first in the wheel's table for this CPU, then from the
// run-time compiler. What a kernel computes is defined in src/kagari/kernels/.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace kagari {

/// `data` are the results, then the operands; `strides` are theirs in bytes.
using KernelFn = void (*)(int64_t n, void* const* data, const int64_t* strides);

/// "exp.f32" -> its kernel; NotImplementedError if there is neither a built nor a compiled one.
KernelFn find_kernel(std::string_view name);
/// Null where the wheel has none; never starts the compiler.
KernelFn find_built_kernel(std::string_view name);

/// The run-time compiler's entry, set by python/: returns an address, or throws.
extern KernelFn (*kernel_provider)(const std::string& name);

/// "x86-64-v4": the instruction set chosen at load (KAGARI_CPU_LEVEL=v2|v3|v4 lowers it).
const char* cpu_level();

/// One entry of a built table; tables are sorted by name.
struct KernelEntry {
    const char* name;
    KernelFn fn;
};

}  // namespace kagari
