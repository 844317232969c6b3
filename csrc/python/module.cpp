// kagari._C: what of the core Python can see. Each file of this room adds its part.
#include <nanobind/nanobind.h>

#include "python/bindings.h"

NB_MODULE(_C, m) {
    using namespace kagari;
    nanobind::set_leak_warnings(false);  // tensors may live on in other modules at exit
    bind_errors(m);
    bind_size(m);
    bind_dtype(m);
    bind_device(m);
    bind_tensor_type(m);
    bind_tensor_methods(m);
    bind_overrides(m);
    bind_values(m);
    bind_from_data(m);
    bind_numpy(m);
    bind_dlpack(m);
    bind_storage(m);
    bind_memory(m);
    bind_interceptor(m);
    bind_kernels(m);
    bind_libraries(m);
    bind_creation(m);
    bind_ops(m);
    bind_autograd(m);
    bind_function(m);
    bind_generator(m);
}
