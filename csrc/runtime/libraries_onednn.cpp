// Filling of the table of oneDNN's functions, and the few calls every primitive needs.
#include "runtime/libraries_onednn.h"

#include <atomic>

#include "runtime/libraries.h"
#include "tensor/error.h"

namespace kagari::onednn {

void check_status(dnnl_status_t status, const char* step) {
    if (status == dnnl_success) return;
    if (status == dnnl_out_of_memory) fail<OutOfMemory>("oneDNN: out of memory in ", step);
    if (status == dnnl_unimplemented)
        fail<NotImplementedError>("oneDNN has no implementation for this call (", step, ")");
    fail<RuntimeError>("oneDNN: ", step, " failed with status ", static_cast<int>(status));
}

static Functions load(void* library) {
    Functions table;
#define F(name)  \
    table.name = \
        library_function<std::remove_pointer_t<decltype(table.name)>>(library, "dnnl_" #name);
    KAGARI_ONEDNN_FUNCTIONS(F)
#undef F
    check_status(table.engine_create(&table.engine, dnnl_cpu, 0), "engine_create");
    return table;
}

const Functions& functions() {
    static std::atomic<const Functions*> ready = nullptr;
    if (const Functions* table = ready.load(std::memory_order_acquire)) return *table;
    void* library = open_library("onednn");  // see Note [Locks around library loading]
    static const Functions table = load(library);
    ready.store(&table, std::memory_order_release);
    return table;
}

dnnl_stream_t stream() {
    // Streams of finished threads are left to the process: a stream holds no memory of note.
    thread_local dnnl_stream_t stream = [] {
        dnnl_stream_t created = nullptr;
        check_status(
            functions().stream_create(&created, functions().engine, dnnl_stream_default_flags),
            "stream_create");
        return created;
    }();
    return stream;
}

dnnl_data_type_t data_type(DType dtype) {
    switch (dtype) {
        case DType::F32:
            return dnnl_f32;
        case DType::BF16:
            return dnnl_bf16;
        case DType::F16:
            return dnnl_f16;
        case DType::I8:
            return dnnl_s8;
        case DType::U8:
            return dnnl_u8;
        case DType::I32:
            return dnnl_s32;
        default:
            fail<NotImplementedError>("oneDNN does not compute in ", name(dtype));
    }
}

Descriptor strided(DType dtype, std::span<const int64_t> sizes, std::span<const int64_t> strides) {
    dnnl_memory_desc_t made = nullptr;
    check_status(functions().memory_desc_create_with_strides(&made, int(sizes.size()), sizes.data(),
                                                             data_type(dtype), strides.data()),
                 "memory_desc_create_with_strides");
    return Descriptor(made);
}

Descriptor any_layout(DType dtype, std::span<const int64_t> sizes) {
    dnnl_memory_desc_t made = nullptr;
    check_status(functions().memory_desc_create_with_tag(&made, int(sizes.size()), sizes.data(),
                                                         data_type(dtype), dnnl_format_tag_any),
                 "memory_desc_create_with_tag");
    return Descriptor(made);
}

Descriptor queried(const PrimitiveDescriptor& primitive, dnnl_query_t what, int index) {
    dnnl_memory_desc_t made = nullptr;
    const_dnnl_memory_desc_t found =
        functions().primitive_desc_query_md(primitive.get(), what, index);
    check_status(functions().memory_desc_clone(&made, found), "primitive_desc_query_md");
    return Descriptor(made);
}

bool equal(const Descriptor& a, const Descriptor& b) {
    return functions().memory_desc_equal(a.get(), b.get());
}

size_t byte_size(const Descriptor& descriptor) {
    return functions().memory_desc_get_size(descriptor.get());
}

Memory memory(const Descriptor& descriptor) {
    dnnl_memory_t made = nullptr;
    check_status(
        functions().memory_create(&made, descriptor.get(), functions().engine, DNNL_MEMORY_NONE),
        "memory_create");
    return Memory(made);
}

Primitive primitive(const PrimitiveDescriptor& descriptor) {
    dnnl_primitive_t made = nullptr;
    check_status(functions().primitive_create(&made, descriptor.get()), "primitive_create");
    return Primitive(made);
}

PrimitiveDescriptor reorder(const Descriptor& from, const Descriptor& to) {
    dnnl_primitive_desc_t made = nullptr;
    const Functions& f = functions();
    check_status(
        f.reorder_primitive_desc_create(&made, from.get(), f.engine, to.get(), f.engine, nullptr),
        "reorder_primitive_desc_create");
    return PrimitiveDescriptor(made);
}

}  // namespace kagari::onednn
