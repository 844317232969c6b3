// The shape rule of pooling, and the errors of calls that break it.
#include "ops/nn/pool_shape.h"

#include "ops/bounds.h"

namespace kagari::ops {

static Dims repeated(const char* op, const char* what, IntSpan values, int64_t spatial) {
    check<RuntimeError>(values.size() == 1 || int64_t(values.size()) == spatial, op, ": ", what,
                        " must either be a single int, or a tuple of ", spatial, " ints, got ",
                        values);
    check_bounded(op, what, values);
    return values.size() == 1 ? Dims(size_t(spatial), values[0]) : Dims(values);
}

static void check_input(const char* op, const Tensor& input, int64_t spatial) {
    int64_t rank = input.dim();
    bool fits = rank == spatial + 1 || rank == spatial + 2;
    for (int64_t d = rank == spatial + 2 ? 1 : 0; fits && d < rank; d++)
        fits = input.sizes()[d] > 0;
    check<RuntimeError>(
        fits, op, ": Expected ", spatial + 1, "D or ", spatial + 2,
        "D (batch mode) tensor with optional 0 dim batch size for input, but got: ", input.sizes());
}

static cpu::Pool planes_of(const Tensor& input, int64_t spatial) {
    cpu::Pool plan;
    plan.dtype = input.dtype();
    for (int64_t d = 0; d < input.dim() - spatial; d++) plan.planes *= input.sizes()[d];
    for (int64_t d = 0; d < spatial; d++)
        plan.axes[size_t(3 - spatial + d)].in = input.sizes()[input.dim() - spatial + d];
    return plan;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static void set_output(const char* op, cpu::PoolAxis& axis, bool ceil_mode) {
    int64_t window = axis.dilation * (axis.kernel - 1) + 1;
    int64_t room = axis.in + 2 * axis.padding - window + (ceil_mode ? axis.stride - 1 : 0);
    axis.out = floor_div(room, axis.stride) + 1;
    // the last window must start inside the input or its left padding
    if (ceil_mode && (axis.out - 1) * axis.stride >= axis.in + axis.padding) axis.out--;
    check<RuntimeError>(axis.out >= 1, op, ": Given input size: ", axis.in, ". Calculated output ",
                        "size: ", axis.out, ". Output size is too small");
}

cpu::Pool pool_plan(const char* op, const Tensor& input, int64_t spatial, const PoolWindow& w) {
    Dims kernel = repeated(op, "kernel_size", w.kernel, spatial);
    Dims stride = w.stride.empty() ? kernel : repeated(op, "stride", w.stride, spatial);
    Dims padding = repeated(op, "padding", w.padding, spatial);
    Dims dilation = repeated(op, "dilation", w.dilation, spatial);
    for (size_t d = 0; d < size_t(spatial); d++) {
        check<RuntimeError>(stride[d] != 0, op, ": stride should not be zero");
        check<RuntimeError>(
            kernel[d] > 0 && stride[d] > 0, op, ": kernel size and stride should be ",
            "greater than zero, but got kernel_size ", kernel, " and stride ", stride);
        check<RuntimeError>(dilation[d] > 0, op, ": dilation should be greater than zero, but got ",
                            dilation);
        check<RuntimeError>(padding[d] >= 0, op,
                            ": pad must be non-negative, but got pad: ", padding);
        check<RuntimeError>(padding[d] <= ((kernel[d] - 1) * dilation[d] + 1) / 2, op,
                            ": pad should ",
                            "be at most half of effective kernel size, but got pad=", padding[d],
                            ", kernel_size=", kernel[d], " and dilation=", dilation[d]);
    }
    check_input(op, input, spatial);
    cpu::Pool plan = planes_of(input, spatial);
    for (size_t d = 0; d < size_t(spatial); d++) {
        cpu::PoolAxis& axis = plan.axes[3 - size_t(spatial) + d];
        axis.kernel = kernel[d], axis.stride = stride[d];
        axis.padding = padding[d], axis.dilation = dilation[d];
        set_output(op, axis, w.ceil_mode);
    }
    return plan;
}

cpu::Pool adaptive_pool_plan(const char* op, const Tensor& input, IntSpan output_size) {
    auto spatial = int64_t(output_size.size());
    check_bounded(op, "output_size", output_size);
    check_input(op, input, spatial);
    cpu::Pool plan = planes_of(input, spatial);
    for (size_t d = 0; d < output_size.size(); d++) {
        check<RuntimeError>(output_size[d] >= 0, op,
                            ": elements of output_size must be greater than ",
                            "or equal to 0 but received ", output_size);
        cpu::PoolAxis& axis = plan.axes[3 - output_size.size() + d];
        axis.out = output_size[d];
        axis.adaptive = true;
    }
    for (cpu::PoolAxis& axis : plan.axes) axis.adaptive = true;  // a missing dimension has size 1
    return plan;
}

Dims pool_output_size(const Tensor& input, int64_t spatial, const cpu::Pool& plan) {
    Dims sizes(input.sizes());
    for (int64_t d = 0; d < spatial; d++)
        sizes[size_t(input.dim() - spatial + d)] = plan.axes[size_t(3 - spatial + d)].out;
    return sizes;
}

}  // namespace kagari::ops
