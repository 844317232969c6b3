// oneDNN as a table of its C functions, filled at first use, and owners for its handles.
// What is computed with them is left to cpu/.
#pragma once
#include <dnnl.h>

#include <cstdint>
#include <memory>
#include <span>

#include "tensor/dtype.h"

namespace kagari::onednn {

// clang-format off: it lays such a list out anew each time
#define KAGARI_ONEDNN_FUNCTIONS(F) \
    F(engine_create) F(stream_create) F(memory_desc_create_with_strides) \
    F(memory_desc_create_with_tag) F(memory_desc_destroy) F(memory_desc_clone) \
    F(memory_desc_equal) F(memory_desc_get_size) F(memory_create) F(memory_destroy) \
    F(memory_set_data_handle) F(primitive_attr_create) F(primitive_attr_destroy) \
    F(primitive_attr_set_post_ops) F(post_ops_create) F(post_ops_destroy) F(post_ops_append_sum) \
    F(post_ops_append_eltwise) F(matmul_primitive_desc_create) \
    F(convolution_forward_primitive_desc_create) \
    F(convolution_backward_data_primitive_desc_create) \
    F(convolution_backward_weights_primitive_desc_create) F(reorder_primitive_desc_create) \
    F(primitive_desc_query_md) F(primitive_desc_query) F(primitive_desc_destroy) \
    F(primitive_create) F(primitive_destroy) F(primitive_execute)
// clang-format on

struct Functions {
#define F(name) decltype(&dnnl_##name) name;
    KAGARI_ONEDNN_FUNCTIONS(F)
#undef F
    dnnl_engine_t engine = nullptr;
};

/// The functions and the CPU engine; opens the library at the first call.
const Functions& functions();

/// A stream of the calling thread.
dnnl_stream_t stream();

/// Throws RuntimeError naming the step that oneDNN refused.
void check_status(dnnl_status_t status, const char* step);

/// oneDNN's name of a dtype; throws NotImplementedError for those it has not.
dnnl_data_type_t data_type(DType dtype);

struct Destroy {
    void operator()(dnnl_memory_desc_t p) const { functions().memory_desc_destroy(p); }
    void operator()(dnnl_memory_t p) const { functions().memory_destroy(p); }
    void operator()(dnnl_primitive_attr_t p) const { functions().primitive_attr_destroy(p); }
    void operator()(dnnl_post_ops_t p) const { functions().post_ops_destroy(p); }
    void operator()(dnnl_primitive_desc_t p) const { functions().primitive_desc_destroy(p); }
    void operator()(dnnl_primitive_t p) const { functions().primitive_destroy(p); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroy>;
using Descriptor = Owned<dnnl_memory_desc_t>;
using Memory = Owned<dnnl_memory_t>;
using Attributes = Owned<dnnl_primitive_attr_t>;
using PrimitiveDescriptor = Owned<dnnl_primitive_desc_t>;
using Primitive = Owned<dnnl_primitive_t>;

Descriptor strided(DType dtype, std::span<const int64_t> sizes, std::span<const int64_t> strides);
Descriptor any_layout(DType dtype, std::span<const int64_t> sizes);
Descriptor queried(const PrimitiveDescriptor& primitive, dnnl_query_t what, int index = 0);
bool equal(const Descriptor& a, const Descriptor& b);
size_t byte_size(const Descriptor& descriptor);
Memory memory(const Descriptor& descriptor);
Primitive primitive(const PrimitiveDescriptor& descriptor);
PrimitiveDescriptor reorder(const Descriptor& from, const Descriptor& to);

}  // namespace kagari::onednn
