// Checks and resizing of tensors that are written to.
#include "ops/output.h"

#include "autograd/record.h"
#include "ops/movement/copy.h"

namespace kagari {

void (*warn)(const std::string&) = nullptr;

void resize(const Tensor& t, IntSpan sizes) {
    check<RuntimeError>(!has_tangent(t),
                        "resize_: cannot resize variables that has a forward grad");
    int64_t count = checked_numel(sizes, "resize_");
    TensorBody& body = *t.body();
    int64_t end;
    bool overflow = __builtin_add_overflow(count, body.offset, &end) ||
                    __builtin_mul_overflow(end, static_cast<int64_t>(t.itemsize()), &end);
    check<RuntimeError>(!overflow, "resize_: Storage size calculation overflowed with sizes ",
                        sizes);
    if (count && static_cast<size_t>(end) > body.storage->bytes())
        body.storage->resize(static_cast<size_t>(end));
    body.sizes = Dims(sizes);
    body.strides = contiguous_strides(sizes);
    body.update_layout();
}

void check_out_dtype(DType result, DType out, bool exact, const char* op) {
    check<RuntimeError>(can_cast(result, out), op, ": result type ", result,
                        " can't be cast to the desired output type ", out);
    check<RuntimeError>(!exact || result == out, op, ": Expected out tensor to have dtype ", result,
                        ", but got ", out, " instead");
}

void fit_out(const Tensor& out, IntSpan sizes, const char* op) {
    if (same_sizes(out.sizes(), sizes)) return;
    if (out.numel() != 0 && warn) {
        std::ostringstream os;
        os << op << ": an output with one or more elements was resized since it had shape "
           << out.sizes() << ", which does not match the required output shape " << IntSpan(sizes)
           << ". Resize it to zero elements first, with out.resize_(0), to reuse it.";
        warn(os.str());
    }
    resize(out, sizes);
}

void check_out(const Tensor& out, const Tensor& result, const char* op) {
    check<RuntimeError>(!grad_enabled() || !(out.requires_grad() || result.requires_grad()), op,
                        "(): functions with out=... arguments don't support automatic "
                        "differentiation, but one of the arguments requires grad.");
    check<RuntimeError>(out.device() == result.device(), op,
                        ": Expected all tensors to be on the same "
                        "device, but found at least two devices, ",
                        result.device(), " and ", out.device(), "!");
    check_inplace(out, op);
}

void write_out(const Tensor& out, const Tensor& result, const char* op) {
    fit_out(out, result.sizes(), op);
    ops::copy_elements(out, result);
    out.bump_version();
}

/// Where the elements lie: addresses or, on a device without memory, places in the storage.
static std::pair<uintptr_t, uintptr_t> extent(const Tensor& t) {
    auto item = static_cast<uintptr_t>(t.itemsize());
    uintptr_t first = t.is_meta() ? static_cast<uintptr_t>(t.offset()) * item
                                  : reinterpret_cast<uintptr_t>(t.data());
    int64_t last = 0;
    for (int64_t i = 0; i < t.dim(); ++i) last += (t.sizes()[i] - 1) * t.strides()[i];
    return {first, first + static_cast<uintptr_t>(last + 1) * item};
}

bool may_share_memory(const Tensor& a, const Tensor& b) {
    if (a.numel() == 0 || b.numel() == 0) return false;
    if (a.is_meta() || b.is_meta()) {
        if (a.storage() != b.storage()) return false;
    } else if (!a.data() || !b.data()) {
        return false;
    }
    auto [a0, a1] = extent(a);
    auto [b0, b1] = extent(b);
    return a0 < b1 && b0 < a1;
}

bool same_window(const Tensor& a, const Tensor& b) {
    bool same_place = a.storage() == b.storage()
                          ? a.offset() == b.offset()
                          : !a.is_meta() && !b.is_meta() && a.data() == b.data();
    return same_place && a.itemsize() == b.itemsize() && same_sizes(a.sizes(), b.sizes()) &&
           same_sizes(a.strides(), b.strides());
}

void check_partial_overlap(const Tensor& out, const Tensor& in, const char* op) {
    if (!same_window(out, in)) check_disjoint(out, in, op);
}

void check_disjoint(const Tensor& out, const Tensor& in, const char* op) {
    if (out.storage() != in.storage() || !(out.is(in) || may_share_memory(out, in))) return;
    // windows with gaps may interleave without meeting
    check<RuntimeError>(!out.is(in) && (!is_dense(out) || !is_dense(in)), op,
                        ": unsupported operation: some elements of the input tensor and the "
                        "written-to tensor refer to a single memory location. Please clone() the "
                        "tensor before performing the operation.");
}

}  // namespace kagari
