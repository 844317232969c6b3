// Tensors as arguments and results of nanobind functions.
#pragma once
#include <nanobind/nanobind.h>

#include "python/errors.h"
#include "python/tensor_type.h"

namespace nanobind::detail {

template <>
struct type_caster<kagari::Tensor> {
    NB_TYPE_CASTER(kagari::Tensor, const_name("kagari.Tensor"))

    bool from_python(handle src, uint8_t, cleanup_list*) noexcept {
        if (src.is_none()) {
            value = kagari::Tensor();
            return true;
        }
        if (!kagari::is_tensor(src.ptr())) return false;
        value = kagari::unwrap(src.ptr());
        return true;
    }
    static handle from_cpp(const kagari::Tensor& t, rv_policy, cleanup_list*) noexcept {
        try {
            return kagari::wrap(t);
        } catch (...) {
            kagari::set_python_error();
            return handle();
        }
    }
};

}  // namespace nanobind::detail
