// Opening of oneDNN and OpenBLAS: one table of names, one lock, one attempt per path.
// The typed views of what is inside are left to libraries_onednn.h and libraries_openblas.h.
#include "runtime/libraries.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <vector>

#include "tensor/error.h"

namespace kagari {
namespace {

struct Library {
    std::string_view name;
    const char* environment;  // a variable that names the file, for programs without Python
    const char* soname;       // what the system's loader is asked for last
    const char* package;      // what to install when nothing is found
    std::string path = {};
    void* handle = nullptr;
};

// Note [Locks around library loading]
// The finder may be Python code, which may wait for the interpreter's lock, while another thread
// holds that lock and waits for ours. So the finder runs with no lock of ours held, that of a local
// static included; and whoever computes on several threads opens the library before it starts them.
struct Libraries {
    std::mutex mutex;
    LibraryFinder finder;
    Library rows[2] = {
        {"onednn", "KAGARI_ONEDNN", "libdnnl.so.3", "onednn-cpu-gomp"},
        {"openblas", "KAGARI_OPENBLAS", "libscipy_openblas.so", "scipy-openblas32"},
    };

    Library& row(std::string_view name) {
        for (Library& row : rows)
            if (row.name == name) return row;
        fail<ValueError>("no library is called '", name, "': expected 'onednn' or 'openblas'");
    }
};

Libraries& libraries() {
    static auto* all = new Libraries;  // never destroyed: kernels may run during exit
    return *all;
}

// OpenBLAS 0.3 does not know newer CPUs and falls back to slower kernels (half the speed on Zen 5).
void choose_openblas_kernels() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", /*overwrite=*/0);
#endif
}

std::vector<std::string> candidates(const Library& row, const std::string& found) {
    std::vector<std::string> paths;
    if (!row.path.empty()) paths.push_back(row.path);
    if (const char* path = std::getenv(row.environment)) paths.emplace_back(path);
    if (!found.empty()) paths.push_back(found);
    paths.emplace_back(row.soname);
    return paths;
}

void* open_first(const Library& row, const std::string& found) {
    if (row.name == "openblas") choose_openblas_kernels();
    std::string tried;
    for (const std::string& path : candidates(row, found)) {
        if (void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL)) return handle;
        tried += std::string("\n  ") + dlerror();
    }
    fail<RuntimeError>("cannot open ", row.name, ". Install it with `pip install ", row.package,
                       "`, or name its file in ", row.environment, ". Tried:", tried);
}

}  // namespace

void set_library_path(std::string_view name, std::string path) {
    std::lock_guard lock(libraries().mutex);
    libraries().row(name).path = std::move(path);
}

void set_library_finder(LibraryFinder finder) {
    std::lock_guard lock(libraries().mutex);
    libraries().finder = std::move(finder);
}

void* open_library(std::string_view name) {
    Libraries& all = libraries();
    LibraryFinder finder;
    {
        std::lock_guard lock(all.mutex);
        Library& row = all.row(name);
        if (row.handle) return row.handle;
        finder = all.finder;
    }
    std::string found = finder ? finder(std::string(name)) : std::string();
    std::lock_guard lock(all.mutex);
    Library& row = all.row(name);
    if (!row.handle) row.handle = open_first(row, found);
    return row.handle;
}

void* library_symbol(void* library, const std::string& symbol) {
    if (void* address = dlsym(library, symbol.c_str())) return address;
    fail<RuntimeError>("the library opened has no symbol '", symbol,
                       "': its version is not one kagari knows");
}

}  // namespace kagari
