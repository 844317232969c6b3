// Opening of OpenBLAS with its own threads switched off.
#include "runtime/libraries_openblas.h"

#include <atomic>

namespace kagari::openblas {

void* library() {
    static std::atomic<void*> ready = nullptr;
    if (void* opened = ready.load(std::memory_order_acquire)) return opened;
    void* opened = open_library("openblas");  // see Note [Locks around library loading]
    library_function<void(int)>(opened, "scipy_openblas_set_num_threads")(1);
    ready.store(opened, std::memory_order_release);
    return opened;
}

}  // namespace kagari::openblas
