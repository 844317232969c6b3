// What module.cpp calls: each binding file adds its part to kagari._C.
#pragma once
#include <nanobind/nanobind.h>

namespace kagari {

void bind_errors(nanobind::module_& m);
void bind_size(nanobind::module_& m);
void bind_dtype(nanobind::module_& m);
void bind_device(nanobind::module_& m);
void bind_tensor_type(nanobind::module_& m);
void bind_tensor_methods(nanobind::module_& m);
void bind_creation(nanobind::module_& m);
void bind_ops(nanobind::module_& m);
void bind_autograd(nanobind::module_& m);
void bind_function(nanobind::module_& m);
void bind_generator(nanobind::module_& m);
void bind_kernels(nanobind::module_& m);
void bind_libraries(nanobind::module_& m);
void bind_overrides(nanobind::module_& m);
void bind_values(nanobind::module_& m);
void bind_from_data(nanobind::module_& m);
void bind_numpy(nanobind::module_& m);
void bind_dlpack(nanobind::module_& m);
void bind_storage(nanobind::module_& m);
void bind_memory(nanobind::module_& m);
void bind_interceptor(nanobind::module_& m);

}  // namespace kagari
