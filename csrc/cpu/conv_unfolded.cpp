// Convolutions of float64, complex and integer numbers, which oneDNN does not compute: windows are
// unfolded into the columns of a matrix, and gemm does the rest.
#include <algorithm>

#include "cpu/conv.h"
#include "cpu/gemm.h"
#include "cpu/scratch.h"
#include "runtime/libraries_openblas.h"
#include "runtime/parallel.h"
#include "tensor/error.h"

namespace kagari::cpu {
namespace {

/// One image and one group, as three spatial dimensions.
struct Window {
    int64_t channels = 0;
    Sizes3 in{1, 1, 1}, kernel{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1},
        padding{0, 0, 0};

    explicit Window(const Conv& c) : channels(c.in_channels / c.groups) {
        int skip = 3 - c.spatial;
        for (int d = 0; d < c.spatial; d++) {
            in[skip + d] = c.in[d], kernel[skip + d] = c.kernel[d], out[skip + d] = c.out[d];
            stride[skip + d] = c.stride[d], dilation[skip + d] = c.dilation[d];
            padding[skip + d] = c.padding[d];
        }
    }
    static int64_t volume(const Sizes3& s) { return s[0] * s[1] * s[2]; }
    int64_t rows() const { return channels * volume(kernel); }
    int64_t cols() const { return volume(out); }

    /// f(image index or -1 for padding, column) for every output place, for row `row`.
    template <class F>
    void walk(int64_t row, F&& f) const {
        int64_t kw = row % kernel[2], kh = row / kernel[2] % kernel[1];
        int64_t kd = row / (kernel[2] * kernel[1]) % kernel[0], c = row / volume(kernel);
        int64_t column = 0;
        for (int64_t od = 0; od < out[0]; od++) {
            int64_t d = od * stride[0] - padding[0] + kd * dilation[0];
            for (int64_t oh = 0; oh < out[1]; oh++) {
                int64_t h = oh * stride[1] - padding[1] + kh * dilation[1];
                bool inside = d >= 0 && d < in[0] && h >= 0 && h < in[1];
                int64_t line = ((c * in[0] + d) * in[1] + h) * in[2];
                int64_t w = kw * dilation[2] - padding[2];
                for (int64_t ow = 0; ow < out[2]; ow++, w += stride[2])
                    f(inside && w >= 0 && w < in[2] ? line + w : -1, column++);
            }
        }
    }
};

template <class T>
void unfold(const Window& window, const T* image, T* columns) {
    int64_t cols = window.cols();
    for (int64_t row = 0; row < window.rows(); row++) {
        T* line = columns + row * cols;
        window.walk(row,
                    [&](int64_t from, int64_t to) { line[to] = from < 0 ? T(0) : image[from]; });
    }
}

template <class T>
void fold(const Window& window, const T* columns, T* image) {
    int64_t cols = window.cols();
    std::fill_n(image, window.channels * Window::volume(window.in), T(0));
    for (int64_t row = 0; row < window.rows(); row++) {
        const T* line = columns + row * cols;
        window.walk(row, [&](int64_t to, int64_t from) {
            if (to >= 0) image[to] = T(image[to] + line[from]);
        });
    }
}

template <class T>
struct Unfolded {
    const Conv& conv;
    Window window{conv};
    int64_t outs = conv.out_channels / conv.groups;
    int64_t in_size = window.channels * Window::volume(window.in), out_size = outs * window.cols();
    int64_t weight_size = outs * window.rows();

    Gemm product(const T* a, const T* b, T* c) const {
        Gemm g;
        g.dtype = conv.dtype;
        g.a = a, g.b = b, g.c = c;
        return g;
    }

    void forward(int64_t image, const T* input, const T* weight, const T* bias, T* output) const {
        Scratch columns(size_t(window.rows() * window.cols()) * sizeof(T));
        int64_t group = image % conv.groups, cols = window.cols();
        unfold(window, input + image * in_size, columns.as<T>());
        T* out = output + image * out_size;
        Gemm g = product(weight + group * weight_size, columns.as<T>(), out);
        g.m = outs, g.n = cols, g.k = window.rows();
        g.a_layout = {0, g.k, 1}, g.b_layout = {0, cols, 1}, g.c_layout = {0, cols, 1};
        if (bias) {
            for (int64_t o = 0; o < outs; o++)
                std::fill_n(out + o * cols, cols, bias[group * outs + o]);
            g.beta = 1;
        }
        gemm(g);
    }

    void backward_input(int64_t image, const T* grad, const T* weight, T* result) const {
        Scratch columns(size_t(window.rows() * window.cols()) * sizeof(T));
        int64_t group = image % conv.groups, cols = window.cols();
        Gemm g = product(weight + group * weight_size, grad + image * out_size, columns.as<T>());
        g.m = window.rows(), g.n = cols, g.k = outs;
        g.a_layout = {0, 1, g.m}, g.b_layout = {0, cols, 1}, g.c_layout = {0, cols, 1};
        gemm(g);
        fold(window, columns.as<T>(), result + image * in_size);
    }

    // The images of one group in order, so that the sum has one order.
    void backward_weight(int64_t group, const T* input, const T* grad, T* result) const {
        Scratch columns(size_t(window.rows() * window.cols()) * sizeof(T));
        int64_t cols = window.cols();
        for (int64_t n = 0; n < conv.batch; n++) {
            int64_t image = n * conv.groups + group;
            unfold(window, input + image * in_size, columns.as<T>());
            Gemm g =
                product(grad + image * out_size, columns.as<T>(), result + group * weight_size);
            g.m = outs, g.n = window.rows(), g.k = cols;
            g.a_layout = {0, cols, 1}, g.b_layout = {0, 1, cols}, g.c_layout = {0, g.n, 1};
            g.beta = n == 0 ? 0 : 1;
            gemm(g);
        }
    }
};

template <class T>
void run(const Conv& conv, ConvPass pass, const void* left, const void* right, const void* bias,
         void* result) {
    Unfolded<T> u{conv};
    auto l = static_cast<const T*>(left), r = static_cast<const T*>(right);
    auto b = static_cast<const T*>(bias);
    auto out = static_cast<T*>(result);
    int64_t tasks = pass == ConvPass::BackwardWeight ? conv.groups : conv.batch * conv.groups;
    int64_t per_task = std::max<int64_t>(1, conv.macs() / std::max<int64_t>(1, tasks));
    openblas::library();  // opened here, not by a thread of the loop
    parallel_for(0, tasks, std::max<int64_t>(1, (1 << 16) / per_task),
                 [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; i++) {
                         if (pass == ConvPass::Forward) u.forward(i, l, r, b, out);
                         if (pass == ConvPass::BackwardInput) u.backward_input(i, l, r, out);
                         if (pass == ConvPass::BackwardWeight) u.backward_weight(i, l, r, out);
                     }
                 });
}

}  // namespace

void conv_unfolded(const Conv& conv, ConvPass pass, const void* left, const void* right,
                   const void* bias, void* result) {
    visit(conv.dtype, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_arithmetic_v<T> ? !std::is_same_v<T, bool>
                                              : kIsComplex<T> && !std::is_same_v<T, c32>)
            run<T>(conv, pass, left, right, bias, result);
        else
            fail<NotImplementedError>("convolution: not implemented for ", name(conv.dtype));
    });
}

}  // namespace kagari::cpu
