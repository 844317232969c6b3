// Products by oneDNN: large float32, bfloat16 and int8 ones. A prepared primitive is kept per
// thread for every combination of sizes and strides met.
#include <array>
#include <memory>
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

Key key_of(const Gemm& call, DType a, DType b, DType c) {
    const Layout &la = call.a_layout, &lb = call.b_layout, &lc = call.c_layout;
    return {{call.batch, call.m, call.n, call.k, la.batch, la.row, la.col, lb.batch, lb.row, lb.col,
             lc.batch, lc.row, lc.col, bits(call.alpha.real()), bits(call.beta.real()),
             call.bias != nullptr, int64_t(a) | int64_t(b) << 8 | int64_t(c) << 16, num_threads()}};
}

Prepared& prepared(const Gemm& call, DType a, DType b, DType c) {
    thread_local std::unordered_map<Key, Prepared, KeyHash> kept;
    Key key = key_of(call, a, b, c);
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

struct PackedGemm::Plan {
    Primitive primitive, reorder;
    Memory a, b, c, bias, given_b;
    size_t bytes = 0;  // of b as it is wanted
};

std::shared_ptr<PackedGemm::Plan> PackedGemm::plan_for(const Gemm& call) {
    thread_local std::unordered_map<Key, std::shared_ptr<Plan>, KeyHash> kept;
    Key key = key_of(call, DType::F32, DType::F32, DType::F32);
    auto found = kept.find(key);
    if (found != kept.end()) return found->second;
    if (kept.size() >= kKept) kept.clear();
    const Functions& f = functions();
    DType t = DType::F32;
    int64_t sizes[2] = {call.k, call.n};
    Descriptor da = stack(t, 1, call.m, call.k, call.a_layout, true), db = any_layout(t, sizes);
    Descriptor dc = stack(t, 1, call.m, call.n, call.c_layout, true), dbias;
    if (call.bias) dbias = stack(t, 1, 1, call.n, {0, call.n, 1}, true);
    Attributes attr = attributes(call);
    dnnl_primitive_desc_t made = nullptr;
    check_status(f.matmul_primitive_desc_create(&made, f.engine, da.get(), db.get(), dbias.get(),
                                                dc.get(), attr.get()),
                 "matmul");
    PrimitiveDescriptor descriptor(made);
    Descriptor given = stack(t, 1, call.k, call.n, call.b_layout, true);
    Descriptor wanted = queried(descriptor, dnnl_query_weights_md);
    auto plan = std::make_shared<Plan>();
    plan->primitive = primitive(descriptor);
    plan->reorder = primitive(onednn::reorder(given, wanted));
    plan->a = memory(da), plan->b = memory(wanted), plan->c = memory(dc);
    if (call.bias) plan->bias = memory(dbias);
    plan->given_b = memory(given);
    plan->bytes = byte_size(wanted);
    kept.emplace(key, plan);
    return plan;
}

bool PackedGemm::worthwhile(const Gemm& call) {
    // one row is a product with a vector, which reads the matrix once whatever its layout
    return call.dtype == DType::F32 && call.m > 1 && call.m * call.n * call.k > 64 * 64 * 64;
}

PackedGemm::PackedGemm(const Gemm& call) : plan_(plan_for(call)), packed_(plan_->bytes) {
    const Functions& f = functions();
    f.memory_set_data_handle(plan_->given_b.get(), const_cast<void*>(call.b));
    f.memory_set_data_handle(plan_->b.get(), packed_.data());
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, plan_->given_b.get()},
                                    {DNNL_ARG_TO, plan_->b.get()}};
    check_status(f.primitive_execute(plan_->reorder.get(), stream(), 2, arguments), "reorder");
}

void PackedGemm::run(const void* a, void* c, const void* bias) const {
    const Functions& f = functions();
    f.memory_set_data_handle(plan_->a.get(), const_cast<void*>(a));
    f.memory_set_data_handle(plan_->b.get(), packed_.data());  // plans are shared
    f.memory_set_data_handle(plan_->c.get(), c);
    dnnl_exec_arg_t arguments[4] = {{DNNL_ARG_SRC, plan_->a.get()},
                                    {DNNL_ARG_WEIGHTS, plan_->b.get()},
                                    {DNNL_ARG_DST, plan_->c.get()},
                                    {DNNL_ARG_BIAS, plan_->bias.get()}};
    if (bias) f.memory_set_data_handle(plan_->bias.get(), const_cast<void*>(bias));
    check_status(f.primitive_execute(plan_->primitive.get(), stream(), bias ? 4 : 3, arguments),
                 "matmul");
}

}  // namespace kagari::cpu
