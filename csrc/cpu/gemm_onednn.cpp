// Products by oneDNN: large float32, bfloat16 and int8 ones. A prepared primitive is kept per
// thread for every combination of sizes and strides met.
#include <array>
#include <unordered_map>

#include "cpu/gemm.h"
#include "runtime/libraries_onednn.h"
#include "runtime/parallel.h"

namespace kagari::cpu {
namespace {

using namespace onednn;

constexpr size_t kKept = 512;  // prepared primitives per thread

struct Key {
    std::array<int64_t, 18> values;
    bool operator==(const Key&) const = default;
};

struct KeyHash {
    size_t operator()(const Key& key) const {
        uint64_t hash = 0x9E3779B97F4A7C15u;
        for (int64_t value : key.values) {
            hash = (hash ^ uint64_t(value)) * 0xFF51AFD7ED558CCDu;
            hash ^= hash >> 32;
        }
        return hash;
    }
};

struct Prepared {
    Primitive primitive;
    Memory a, b, c, bias;
};

Descriptor stack(DType dtype, int64_t batch, int64_t rows, int64_t cols, const Layout& layout,
                 bool flat) {
    int64_t sizes[3] = {batch > 1 && layout.batch == 0 ? 1 : batch, rows, cols};
    int64_t strides[3] = {sizes[0] == 1 ? rows * cols : layout.batch, layout.row, layout.col};
    int skip = flat ? 1 : 0;
    return strided(dtype, {sizes + skip, size_t(3 - skip)}, {strides + skip, size_t(3 - skip)});
}

Attributes attributes(const Gemm& call) {
    const Functions& f = functions();
    if (call.alpha == 1. && call.beta == 0.) return {};
    dnnl_post_ops_t ops = nullptr;
    check_status(f.post_ops_create(&ops), "post_ops_create");
    Owned<dnnl_post_ops_t> owner(ops);
    if (call.alpha != 1.)
        check_status(
            f.post_ops_append_eltwise(ops, dnnl_eltwise_linear, float(call.alpha.real()), 0),
            "post_ops_append_eltwise");
    if (call.beta != 0.)
        check_status(f.post_ops_append_sum(ops, float(call.beta.real()), 0, dnnl_data_type_undef),
                     "post_ops_append_sum");
    dnnl_primitive_attr_t made = nullptr;
    check_status(f.primitive_attr_create(&made), "primitive_attr_create");
    Attributes result(made);
    check_status(f.primitive_attr_set_post_ops(made, ops), "primitive_attr_set_post_ops");
    return result;
}

Prepared prepare(const Gemm& call, DType a, DType b, DType c) {
    const Functions& f = functions();
    bool flat = call.batch == 1;
    Descriptor da = stack(a, call.batch, call.m, call.k, call.a_layout, flat);
    Descriptor db = stack(b, call.batch, call.k, call.n, call.b_layout, flat);
    Descriptor dc = stack(c, call.batch, call.m, call.n, call.c_layout, flat);
    Descriptor dbias;
    if (call.bias) dbias = stack(c, 1, 1, call.n, {0, call.n, 1}, flat);
    Attributes attr = attributes(call);
    dnnl_primitive_desc_t made = nullptr;
    check_status(f.matmul_primitive_desc_create(&made, f.engine, da.get(), db.get(), dbias.get(),
                                                dc.get(), attr.get()),
                 "matmul");
    PrimitiveDescriptor descriptor(made);
    return {primitive(descriptor), memory(da), memory(db), memory(dc),
            call.bias ? memory(dbias) : Memory()};
}

int64_t bits(double value) { return std::bit_cast<int64_t>(value); }

Prepared& prepared(const Gemm& call, DType a, DType b, DType c) {
    thread_local std::unordered_map<Key, Prepared, KeyHash> kept;
    const Layout &la = call.a_layout, &lb = call.b_layout, &lc = call.c_layout;
    Key key{{call.batch, call.m, call.n, call.k, la.batch, la.row, la.col, lb.batch, lb.row, lb.col,
             lc.batch, lc.row, lc.col, bits(call.alpha.real()), bits(call.beta.real()),
             call.bias != nullptr, int64_t(a) | int64_t(b) << 8 | int64_t(c) << 16, num_threads()}};
    auto found = kept.find(key);
    if (found != kept.end()) return found->second;
    if (kept.size() >= kKept) kept.clear();
    return kept.emplace(key, prepare(call, a, b, c)).first->second;
}

}  // namespace

void gemm_onednn(const Gemm& call, DType a, DType b, DType c) {
    const Functions& f = functions();
    Prepared& ready = prepared(call, a, b, c);
    f.memory_set_data_handle(ready.a.get(), const_cast<void*>(call.a));
    f.memory_set_data_handle(ready.b.get(), const_cast<void*>(call.b));
    f.memory_set_data_handle(ready.c.get(), call.c);
    dnnl_exec_arg_t arguments[4] = {{DNNL_ARG_SRC, ready.a.get()},
                                    {DNNL_ARG_WEIGHTS, ready.b.get()},
                                    {DNNL_ARG_DST, ready.c.get()},
                                    {DNNL_ARG_BIAS, ready.bias.get()}};
    if (call.bias) f.memory_set_data_handle(ready.bias.get(), const_cast<void*>(call.bias));
    check_status(f.primitive_execute(ready.primitive.get(), stream(), call.bias ? 4 : 3, arguments),
                 "matmul");
}

}  // namespace kagari::cpu
