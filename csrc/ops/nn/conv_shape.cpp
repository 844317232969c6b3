// The shape rule of convolutions, and the errors of calls that break it.
#include "ops/nn/conv_shape.h"

#include "ops/bounds.h"

namespace kagari::ops {

static Dims repeated(IntSpan values, size_t spatial, const char* what) {
    check<RuntimeError>(values.size() == 1 || values.size() == spatial, "convolution: expected ",
                        what, " to be a single integer value or a list of ", spatial,
                        " values to match the convolution dimensions, but got ", what, "=", values);
    check_bounded("convolution", what, values);
    return values.size() == spatial ? Dims(values) : Dims(spatial, values[0]);
}

ConvWindow conv_window(size_t spatial, IntSpan stride, IntSpan padding, IntSpan dilation,
                       bool transposed, IntSpan output_padding, int64_t groups) {
    check<RuntimeError>(spatial >= 1 && spatial <= 3,
                        "convolution: expected weight to have 3 to 5 ", "dimensions, got ",
                        spatial + 2);
    ConvWindow w{repeated(stride, spatial, "stride"),
                 repeated(padding, spatial, "padding"),
                 repeated(dilation, spatial, "dilation"),
                 repeated(output_padding, spatial, "output_padding"),
                 transposed,
                 groups};
    check<RuntimeError>(groups > 0, "convolution: non-positive groups is not supported, got ",
                        groups);
    for (size_t d = 0; d < spatial; d++) {
        check<RuntimeError>(w.stride[d] > 0, "convolution: non-positive stride is not supported, ",
                            "got ", IntSpan(w.stride));
        check<RuntimeError>(w.padding[d] >= 0, "convolution: negative padding is not supported, ",
                            "got ", IntSpan(w.padding));
        check<RuntimeError>(w.dilation[d] > 0,
                            "convolution: dilation should be greater than zero, ", "but got ",
                            IntSpan(w.dilation));
        int64_t extra = w.output_padding[d];
        check<RuntimeError>(extra >= 0, "convolution: negative output_padding is not supported");
        check<RuntimeError>(!transposed || extra < std::max(w.stride[d], w.dilation[d]),
                            "convolution: output padding must be smaller than either stride or ",
                            "dilation, but got output_padding=", IntSpan(w.output_padding),
                            " stride=", IntSpan(w.stride), " dilation=", IntSpan(w.dilation));
    }
    return w;
}

static void check_channels(const Tensor& input, const Tensor& weight, const ConvWindow& w) {
    IntSpan in = input.sizes(), k = weight.sizes();
    if (w.transposed) {
        check<RuntimeError>(in[1] == k[0], "convolution: Given transposed=1, weight of size ", k,
                            ", expected input", in, " to have ", k[0], " channels, but got ", in[1],
                            " channels instead");
        check<RuntimeError>(k[0] % w.groups == 0, "convolution: ", k[0],
                            " input channels are not divisible by groups=", w.groups);
        return;
    }
    check<RuntimeError>(k[0] >= w.groups && k[0] % w.groups == 0,
                        "convolution: Given groups=", w.groups, ", expected weight to be at least ",
                        w.groups, " at dimension 0 and divisible by it, but got weight of size ",
                        k);
    check<RuntimeError>(in[1] == k[1] * w.groups, "convolution: Given groups=", w.groups,
                        ", weight of size ", k, ", expected input", in, " to have ",
                        k[1] * w.groups, " channels, but got ", in[1], " channels instead");
}

void check_conv(const Tensor& input, const Tensor& weight, const Tensor& bias,
                const ConvWindow& w) {
    size_t rank = weight.sizes().size();
    check<RuntimeError>(input.sizes().size() == rank, "convolution: Expected ", rank - 1,
                        "D "
                        "(unbatched) or ",
                        rank, "D (batched) input to conv", rank - 2,
                        "d, but got "
                        "input of size: ",
                        input.sizes());
    check<RuntimeError>(input.dtype() == weight.dtype(), "convolution: Input type (",
                        name(input.dtype()), ") and weight type (", name(weight.dtype()),
                        ") should be the same");
    check<NotImplementedError>(input.dtype() != DType::Bool,
                               "\"convolution\" not implemented for 'Bool'");
    check_channels(input, weight, w);
    if (!bias.defined()) return;
    int64_t outs = w.transposed ? weight.sizes()[1] * w.groups : weight.sizes()[0];
    check<RuntimeError>(bias.dim() == 1 && bias.numel() == outs,
                        "convolution: Given weight of size ", weight.sizes(),
                        ", expected bias to be 1-dimensional with ", outs,
                        " elements, but got bias of size ", bias.sizes(), " instead");
    check<RuntimeError>(bias.dtype() == input.dtype(), "convolution: Input type (",
                        name(input.dtype()), ") and bias type (", name(bias.dtype()),
                        ") should be the same");
}

Dims conv_output_size(IntSpan input, IntSpan weight, const ConvWindow& w) {
    Dims out(input);
    out[1] = w.transposed ? weight[1] * w.groups : weight[0];
    for (size_t d = 0; d < w.stride.size(); d++) {
        int64_t window = w.dilation[d] * (weight[2 + d] - 1) + 1, in = input[2 + d];
        if (w.transposed) {
            out[2 + d] = (in - 1) * w.stride[d] - 2 * w.padding[d] + window + w.output_padding[d];
            check<RuntimeError>(out[2 + d] > 0 || in == 0, "convolution: Given input size per ",
                                "channel: ", input.subspan(2), ". Calculated output size per ",
                                "channel: dimension ", d, " is ", out[2 + d],
                                ". Output size is too small");
            continue;
        }
        int64_t padded = in + 2 * w.padding[d];
        check<RuntimeError>(weight[2 + d] > 0 && padded >= window,
                            "convolution: Calculated padded input size per channel: ", padded,
                            " in dimension ", d, ". Kernel size: ", window,
                            ". Kernel size can't be greater than actual input size");
        out[2 + d] = (padded - window) / w.stride[d] + 1;
    }
    checked_numel(out, "convolution");
    return out;
}

Dims missing_output(IntSpan wanted, IntSpan grad, IntSpan weight, const ConvWindow& w) {
    Dims missing(w.stride.size());
    for (size_t d = 0; d < missing.size(); d++)
        missing[d] = wanted[2 + d] - ((grad[2 + d] - 1) * w.stride[d] - 2 * w.padding[d] +
                                      w.dilation[d] * (weight[2 + d] - 1) + 1);
    return missing;
}

}  // namespace kagari::ops
