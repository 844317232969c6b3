// Which way a convolution is computed, and how a weight gradient is cut into parts that do not
// depend on the number of threads.
#include "cpu/conv.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/scratch.h"
#include "runtime/libraries_onednn.h"
#include "runtime/parallel.h"

namespace kagari::cpu {
namespace {

// Note [Weight gradients and the number of threads]
// oneDNN sums a weight gradient over as many parts of the batch as there are threads, so its last
// bits change with their number. So the work is cut here, by shape alone, into parts that run on
// one thread each: along groups or output channels where every part owns its share of the result,
// or along the batch, with the parts' results added in order.
enum class Cut { None, Groups, Channels, Batch };

struct Parts {
    Cut cut = Cut::None;
    int64_t length = 0, step = 0;  // of the dimension that is cut
    int64_t count() const { return cut == Cut::None ? 1 : (length + step - 1) / step; }
};

constexpr int64_t kPartMacs = 4 << 20;  // about 30 microseconds on one core
constexpr int64_t kMaxParts = 16;
constexpr int64_t kChannelBlock = 16;  // channels that oneDNN's blocked layouts keep together

int64_t product(const Sizes3& sizes, int spatial) {
    int64_t result = 1;
    for (int i = 0; i < spatial; i++) result *= sizes[i];
    return result;
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

Parts plan(const Conv& c) {
    int64_t wanted = std::min(kMaxParts, c.macs() / kPartMacs);
    if (wanted < 2) return {};
    if (c.groups >= 4) return {Cut::Groups, c.groups, ceil_div(c.groups, wanted)};
    int64_t weights = c.out_channels * (c.in_channels / c.groups) * product(c.kernel, c.spatial);
    int64_t images = c.batch * (c.in_channels * product(c.in, c.spatial) +
                                c.out_channels * product(c.out, c.spatial));
    bool cheap_to_add = weights * 2 * std::min(wanted, c.batch) <= images;
    if (c.groups == 1 && c.out_channels >= 2 * kChannelBlock && !cheap_to_add) {
        int64_t step = ceil_div(ceil_div(c.out_channels, wanted), kChannelBlock) * kChannelBlock;
        return {Cut::Channels, c.out_channels, step};
    }
    if (c.batch >= 2) return {Cut::Batch, c.batch, ceil_div(c.batch, wanted)};
    return {};
}

const char* shift(const void* data, int64_t elements, DType dtype) {
    return static_cast<const char*>(data) + elements * int64_t(itemsize(dtype));
}

struct Part {
    Conv conv;
    int64_t in_offset = 0, out_offset = 0, weight_offset = 0;  // in elements
};

Part part(const Conv& conv, const Parts& parts, int64_t index) {
    Part p{conv};
    if (parts.cut == Cut::None) return p;
    int64_t first = index * parts.step, length = std::min(parts.step, parts.length - first);
    int64_t in_per = conv.in_channels / conv.groups, out_per = conv.out_channels / conv.groups;
    if (parts.cut == Cut::Batch) {
        p.conv.batch = length;
        p.in_offset = first * conv.in_strides[0];
        p.out_offset = first * conv.out_strides[0];
    } else if (parts.cut == Cut::Channels) {
        p.conv.out_channels = length;
        p.out_offset = first * conv.out_strides[1];
        p.weight_offset = first * conv.weight_strides[0];
    } else {
        p.conv.groups = length;
        p.conv.in_channels = length * in_per;
        p.conv.out_channels = length * out_per;
        p.in_offset = first * in_per * conv.in_strides[1];
        p.out_offset = first * out_per * conv.out_strides[1];
        p.weight_offset = first * out_per * conv.weight_strides[0];
    }
    return p;
}

// oneDNN asks OpenMP how many threads a primitive may use when it is made and when it runs.
class OneThread {
  public:
    OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
    ~OneThread() { omp_set_num_threads(before_); }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

  private:
    int before_;
};

// Partial sums are kept in float32, also for a bfloat16 result.
template <class T>
void add_parts(const std::vector<Scratch>& parts, int64_t count, void* result) {
    parallel_for(0, count, 1 << 14, [&](int64_t begin, int64_t end) {
        for (int64_t first = begin; first < end; first += 256) {
            float sums[256] = {};
            int64_t length = std::min<int64_t>(256, end - first);
            for (const Scratch& part : parts) {
                const T* values = static_cast<const T*>(part.data()) + first;
                for (int64_t i = 0; i < length; i++) sums[i] += float(values[i]);
            }
            for (int64_t i = 0; i < length; i++) static_cast<T*>(result)[first + i] = T(sums[i]);
        }
    });
}

void weight_gradient(const Conv& conv, const void* input, const void* grad, void* result) {
    Parts parts = plan(conv);
    int64_t count =
        conv.out_channels * (conv.in_channels / conv.groups) * product(conv.kernel, conv.spatial);
    std::vector<Scratch> partial;
    if (parts.cut == Cut::Batch)
        for (int64_t i = 0; i < parts.count(); i++)
            partial.emplace_back(size_t(count) * itemsize(conv.dtype));
    onednn::functions();  // opened here, not by a thread of the loop
    parallel_for(0, parts.count(), 1, [&](int64_t begin, int64_t end) {
        OneThread guard;
        for (int64_t i = begin; i < end; i++) {
            Part p = part(conv, parts, i);
            void* out = partial.empty()
                            ? const_cast<char*>(shift(result, p.weight_offset, conv.dtype))
                            : partial[size_t(i)].data();
            conv_onednn(p.conv, ConvPass::BackwardWeight, shift(input, p.in_offset, conv.dtype),
                        shift(grad, p.out_offset, conv.dtype), nullptr, out);
        }
    });
    if (partial.empty()) return;
    if (conv.dtype == DType::BF16)
        add_parts<BFloat16>(partial, count, result);
    else
        add_parts<float>(partial, count, result);
}

// Places at the end of the input that no window reaches: a transposed convolution with a large
// output_padding has them. oneDNN does not take them for granted, so they are left out.
Conv without_unreached(const Conv& conv) {
    Conv c = conv;
    for (int d = 0; d < c.spatial; d++) {
        int64_t reached =
            (c.out[d] - 1) * c.stride[d] + (c.kernel[d] - 1) * c.dilation[d] + 1 - c.padding[d];
        if (c.in[d] - reached >= c.stride[d]) c.in[d] = reached;
    }
    return c;
}

bool by_onednn(DType dtype) { return dtype == DType::F32 || dtype == DType::BF16; }

}  // namespace

int64_t Conv::macs() const {
    return batch * out_channels * (in_channels / groups) * product(kernel, spatial) *
           product(out, spatial);
}

void conv_forward(const Conv& conv, const void* input, const void* weight, const void* bias,
                  void* output) {
    if (by_onednn(conv.dtype))
        conv_onednn(without_unreached(conv), ConvPass::Forward, input, weight, bias, output);
    else
        conv_unfolded(conv, ConvPass::Forward, input, weight, bias, output);
}

void conv_backward_input(const Conv& conv, const void* grad_output, const void* weight,
                         void* grad_input) {
    constexpr ConvPass pass = ConvPass::BackwardInput;
    if (!by_onednn(conv.dtype))
        return conv_unfolded(conv, pass, grad_output, weight, nullptr, grad_input);
    Conv reached = without_unreached(conv);
    if (reached.in != conv.in) {
        int64_t size = conv.batch * conv.in_channels * product(conv.in, conv.spatial);
        std::memset(grad_input, 0, size_t(size) * itemsize(conv.dtype));  // dense, in any order
    }
    conv_onednn(reached, pass, grad_output, weight, nullptr, grad_input);
}

void conv_backward_weight(const Conv& conv, const void* input, const void* grad_output,
                          void* grad_weight) {
    if (by_onednn(conv.dtype))
        return weight_gradient(without_unreached(conv), input, grad_output, grad_weight);
    conv_unfolded(conv, ConvPass::BackwardWeight, input, grad_output, nullptr, grad_weight);
}

}  // namespace kagari::cpu
