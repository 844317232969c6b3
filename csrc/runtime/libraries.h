// The libraries kagari leans on (oneDNN, OpenBLAS), found and opened at first use.
// Where they lie is told by the caller (Python's package metadata); nothing is opened at import.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace kagari {

/// Fixes the file of a library ("onednn", "openblas"); has no effect once it is open.
void set_library_path(std::string_view name, std::string path);

/// Asked for the file of a library whose path was not set; an empty answer means "not found".
using LibraryFinder = std::function<std::string(const std::string& name)>;
void set_library_finder(LibraryFinder finder);

/// The handle of an opened library. Throws RuntimeError, saying what to install, if there is none.
void* open_library(std::string_view name);

/// An address in an open library; throws RuntimeError when the library has no such symbol.
void* library_symbol(void* library, const std::string& symbol);

template <class F>
F* library_function(void* library, const std::string& symbol) {
    return reinterpret_cast<F*>(library_symbol(library, symbol));
}

}  // namespace kagari
