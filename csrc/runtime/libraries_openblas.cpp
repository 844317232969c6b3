// Opening of OpenBLAS with its own threads switched off.
#include "runtime/libraries_openblas.h"

namespace kagari::openblas {

void* library() {
    static void* const opened = [] {
        void* handle = open_library("openblas");
        library_function<void(int)>(handle, "scipy_openblas_set_num_threads")(1);
        return handle;
    }();
    return opened;
}

}  // namespace kagari::openblas
