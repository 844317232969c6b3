// OpenBLAS by name: a BLAS or LAPACK function of the right element type, looked up once.
// The signatures are left to the callers in cpu/, which spell the ones they use.
#pragma once
#include <complex>
#include <string>

#include "runtime/libraries.h"

namespace kagari::openblas {

/// The opened library, set to compute on the calling thread only: kagari splits the work itself,
/// by sizes that do not depend on the number of threads.
void* library();

template <class T>
constexpr char letter() {
    if constexpr (std::is_same_v<T, float>) return 's';
    if constexpr (std::is_same_v<T, double>) return 'd';
    if constexpr (std::is_same_v<T, std::complex<float>>) return 'c';
    if constexpr (std::is_same_v<T, std::complex<double>>) return 'z';
}

/// cblas_<letter><stem>, row- and column-major.
template <class T, class F>
F* cblas(const char* stem) {
    return library_function<F>(library(), std::string("scipy_cblas_") + letter<T>() + stem);
}

/// Fortran LAPACK <letter><stem>_: column-major, every argument by address.
template <class T, class F>
F* lapack(const char* stem) {
    return library_function<F>(library(), std::string("scipy_") + letter<T>() + stem + "_");
}

}  // namespace kagari::openblas
