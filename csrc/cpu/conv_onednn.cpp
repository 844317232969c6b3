// Convolutions by oneDNN, which chooses the layouts it computes in: operands are reordered on the
// way in, the result on the way out. Prepared passes are kept per thread by shape and strides.
#include <omp.h>

#include <optional>
#include <unordered_map>

#include "cpu/conv.h"
#include "cpu/scratch.h"
#include "runtime/libraries_onednn.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

using namespace onednn;

constexpr size_t kKept = 512;  // prepared passes per thread

struct Key {
    std::array<int64_t, 40> values{};
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

/// One operand or the result: as the caller has it, and as the primitive wants it.
struct Argument {
    int id = 0;
    Memory outer, inner;
    Primitive reorder;  // empty where both are the same
    size_t bytes = 0;   // of the inner form
};

struct Prepared {
    Primitive primitive;
    Argument left, right, result;
    Memory bias;
};

Key key_of(const Conv& c, ConvPass pass, bool bias) {
    Key key;
    size_t i = 0;
    auto put = [&](int64_t value) { key.values[i++] = value; };
    put(int64_t(c.dtype) | int64_t(pass) << 8 | int64_t(bias) << 16 | int64_t(c.spatial) << 24);
    for (int64_t value : {c.batch, c.in_channels, c.out_channels, c.groups}) put(value);
    put(omp_get_max_threads());
    for (int d = 0; d < c.spatial; d++)
        for (const Sizes3* s : {&c.in, &c.kernel, &c.out, &c.stride, &c.dilation, &c.padding})
            put((*s)[d]);
    for (int d = 0; d < c.spatial + 2; d++)
        for (const Strides5* s : {&c.in_strides, &c.weight_strides, &c.out_strides}) put((*s)[d]);
    return key;
}

using Six = std::array<int64_t, 6>;

// Sizes or strides as oneDNN takes them; the weight has a dimension of its own for groups.
std::pair<Six, size_t> image_sizes(const Conv& c, int64_t channels, const Sizes3& spatial) {
    Six sizes{c.batch, channels};
    for (int d = 0; d < c.spatial; d++) sizes[2 + d] = spatial[d];
    return {sizes, size_t(c.spatial + 2)};
}

std::pair<Six, size_t> weight_sizes(const Conv& c) {
    Six sizes{c.groups, c.out_channels / c.groups, c.in_channels / c.groups};
    for (int d = 0; d < c.spatial; d++) sizes[3 + d] = c.kernel[d];
    return {sizes, size_t(c.spatial + 3)};
}

std::pair<Six, size_t> weight_strides(const Conv& c) {
    Six strides{c.weight_strides[0] * (c.out_channels / c.groups)};
    for (int d = 0; d < c.spatial + 2; d++) strides[1 + d] = c.weight_strides[d];
    return {strides, size_t(c.spatial + 3)};
}

std::span<const int64_t> span(const std::pair<Six, size_t>& values, size_t skip = 0) {
    return {values.first.data() + skip, values.second - skip};
}

// Channels side by side: such images are computed on as they are, without a reorder.
bool channels_last(const Strides5& strides, const Conv& c, int64_t channels,
                   const Sizes3& spatial) {
    int64_t expected = channels;
    if (strides[1] != 1 || channels == 1) return false;
    for (int d = c.spatial - 1; d >= 0; d--) {
        if (strides[2 + d] != expected) return false;
        expected *= spatial[d];
    }
    return strides[0] == expected || c.batch == 1;
}

struct Descriptors {
    Descriptor in, weight, out, bias;        // as the caller has them
    Descriptor any_in, any_weight, any_out;  // as oneDNN is asked
};

Descriptors describe(const Conv& c, bool bias) {
    auto in = image_sizes(c, c.in_channels, c.in), out = image_sizes(c, c.out_channels, c.out);
    auto weight = weight_sizes(c), strides = weight_strides(c);
    size_t skip = c.groups == 1 ? 1 : 0, rank = size_t(c.spatial + 2);
    Descriptors d;
    d.in = strided(c.dtype, span(in), {c.in_strides.data(), rank});
    d.out = strided(c.dtype, span(out), {c.out_strides.data(), rank});
    d.weight = strided(c.dtype, span(weight, skip), span(strides, skip));
    if (bias) {
        int64_t one = 1;
        d.bias = strided(c.dtype, {&c.out_channels, 1}, {&one, 1});
    }
    bool last = channels_last(c.in_strides, c, c.in_channels, c.in) &&
                channels_last(c.out_strides, c, c.out_channels, c.out);
    d.any_in = last ? strided(c.dtype, span(in), {c.in_strides.data(), rank})
                    : any_layout(c.dtype, span(in));
    d.any_out = last ? strided(c.dtype, span(out), {c.out_strides.data(), rank})
                     : any_layout(c.dtype, span(out));
    d.any_weight = any_layout(c.dtype, span(weight, skip));
    return d;
}

struct Geometry {
    Sizes3 dilation, left, right;  // oneDNN counts a dense kernel as dilation 0
};

Geometry geometry(const Conv& c) {
    Geometry g{};
    for (int d = 0; d < c.spatial; d++) {
        g.dilation[d] = c.dilation[d] - 1;
        g.left[d] = c.padding[d];
        g.right[d] = (c.out[d] - 1) * c.stride[d] + (c.kernel[d] - 1) * c.dilation[d] + 1 -
                     c.in[d] - c.padding[d];
    }
    return g;
}

PrimitiveDescriptor forward(const Conv& c, const Descriptors& d) {
    const Functions& f = functions();
    Geometry g = geometry(c);
    dnnl_primitive_desc_t made = nullptr;
    check_status(f.convolution_forward_primitive_desc_create(
                     &made, f.engine, dnnl_forward_training, dnnl_convolution_direct,
                     d.any_in.get(), d.any_weight.get(), d.bias.get(), d.any_out.get(),
                     c.stride.data(), g.dilation.data(), g.left.data(), g.right.data(), nullptr),
                 "convolution forward");
    return PrimitiveDescriptor(made);
}

PrimitiveDescriptor backward_input(const Conv& c, const Descriptors& d) {
    const Functions& f = functions();
    Geometry g = geometry(c);
    PrimitiveDescriptor hint = forward(c, d);
    dnnl_primitive_desc_t made = nullptr;
    check_status(f.convolution_backward_data_primitive_desc_create(
                     &made, f.engine, dnnl_convolution_direct, d.any_in.get(), d.any_weight.get(),
                     d.any_out.get(), c.stride.data(), g.dilation.data(), g.left.data(),
                     g.right.data(), hint.get(), nullptr),
                 "convolution backward, input");
    return PrimitiveDescriptor(made);
}

PrimitiveDescriptor backward_weight(const Conv& c, const Descriptors& d) {
    const Functions& f = functions();
    Geometry g = geometry(c);
    PrimitiveDescriptor hint = forward(c, d);
    dnnl_primitive_desc_t made = nullptr;
    check_status(f.convolution_backward_weights_primitive_desc_create(
                     &made, f.engine, dnnl_convolution_direct, d.any_in.get(), d.any_weight.get(),
                     nullptr, d.any_out.get(), c.stride.data(), g.dilation.data(), g.left.data(),
                     g.right.data(), hint.get(), nullptr),
                 "convolution backward, weight");
    return PrimitiveDescriptor(made);
}

Argument argument(int id, const Descriptor& outer, Descriptor inner, bool inward) {
    Argument a;
    a.id = id;
    a.outer = memory(outer);
    a.bytes = byte_size(inner);
    if (equal(outer, inner)) return a;
    a.inner = memory(inner);
    a.reorder = primitive(inward ? reorder(outer, inner) : reorder(inner, outer));
    return a;
}

Prepared prepare(const Conv& c, ConvPass pass, bool bias) {
    Descriptors d = describe(c, bias);
    Prepared p;
    PrimitiveDescriptor pd;
    if (pass == ConvPass::Forward) {
        pd = forward(c, d);
        p.left = argument(DNNL_ARG_SRC, d.in, queried(pd, dnnl_query_src_md), true);
        p.right = argument(DNNL_ARG_WEIGHTS, d.weight, queried(pd, dnnl_query_weights_md), true);
        p.result = argument(DNNL_ARG_DST, d.out, queried(pd, dnnl_query_dst_md), false);
        if (bias) p.bias = memory(d.bias);
    } else if (pass == ConvPass::BackwardInput) {
        pd = backward_input(c, d);
        p.left = argument(DNNL_ARG_DIFF_DST, d.out, queried(pd, dnnl_query_diff_dst_md), true);
        p.right = argument(DNNL_ARG_WEIGHTS, d.weight, queried(pd, dnnl_query_weights_md), true);
        p.result = argument(DNNL_ARG_DIFF_SRC, d.in, queried(pd, dnnl_query_diff_src_md), false);
    } else {
        pd = backward_weight(c, d);
        p.left = argument(DNNL_ARG_SRC, d.in, queried(pd, dnnl_query_src_md), true);
        p.right = argument(DNNL_ARG_DIFF_DST, d.out, queried(pd, dnnl_query_diff_dst_md), true);
        p.result = argument(DNNL_ARG_DIFF_WEIGHTS, d.weight,
                            queried(pd, dnnl_query_diff_weights_md), false);
    }
    p.primitive = primitive(pd);
    return p;
}

Prepared& prepared(const Conv& conv, ConvPass pass, bool bias) {
    thread_local std::unordered_map<Key, Prepared, KeyHash> kept;
    Key key = key_of(conv, pass, bias);
    auto found = kept.find(key);
    if (found != kept.end()) return found->second;
    if (kept.size() >= kKept) kept.clear();
    return kept.emplace(key, prepare(conv, pass, bias)).first->second;
}

void run_reorder(const Argument& a, dnnl_memory_t from, dnnl_memory_t to) {
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    check_status(functions().primitive_execute(a.reorder.get(), stream(), 2, arguments), "reorder");
}

// Binds the caller's memory; where layouts differ, the returned scratch holds the inner form.
std::optional<Scratch> bind(Argument& a, const void* data, bool inward) {
    const Functions& f = functions();
    f.memory_set_data_handle(a.outer.get(), const_cast<void*>(data));
    if (!a.reorder) return {};
    std::optional<Scratch> scratch(std::in_place, a.bytes);
    f.memory_set_data_handle(a.inner.get(), scratch->data());
    if (inward) run_reorder(a, a.outer.get(), a.inner.get());
    return scratch;
}

dnnl_exec_arg_t bound(const Argument& a) {
    return {a.id, a.reorder ? a.inner.get() : a.outer.get()};
}

}  // namespace

void conv_onednn(const Conv& conv, ConvPass pass, const void* left, const void* right,
                 const void* bias, void* result) {
    const Functions& f = functions();
    Prepared& p = prepared(conv, pass, bias != nullptr);
    auto left_scratch = bind(p.left, left, true), right_scratch = bind(p.right, right, true);
    auto result_scratch = bind(p.result, result, false);
    if (bias) f.memory_set_data_handle(p.bias.get(), const_cast<void*>(bias));
    dnnl_exec_arg_t arguments[4] = {
        bound(p.left), bound(p.right), bound(p.result), {DNNL_ARG_BIAS, p.bias.get()}};
    check_status(f.primitive_execute(p.primitive.get(), stream(), bias ? 4 : 3, arguments),
                 "convolution");
    if (p.result.reorder) run_reorder(p.result, p.result.inner.get(), p.result.outer.get());
}

}  // namespace kagari::cpu
