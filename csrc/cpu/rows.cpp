// The loops of gather_rows and scatter_rows, and how they are split over threads.
#include "cpu/rows.h"

#include <algorithm>
#include <cstring>

#include "runtime/parallel.h"

namespace kagari::cpu {

RowLayout::RowLayout(IntSpan outer_sizes, IntSpan outer_strides, IntSpan inner_sizes,
                     IntSpan inner_strides) {
    Collapsed front(outer_sizes, outer_strides), back(inner_sizes, inner_strides);
    outer = offsets_of(front.sizes, front.strides);
    run = back.count();
    if (!back.is_run()) inner = offsets_of(back.sizes, back.strides);
}

void gather_rows(void* to, const void* from, const RowLayout& layout, const int64_t* offsets,
                 int64_t count, size_t item) {
    int64_t run = layout.run, rows = static_cast<int64_t>(layout.outer.size()) * count;
    if (rows == 0 || run == 0) return;
    int64_t grain = std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(item) / run);
    visit_item(item, [&](auto tag) {
        using T = decltype(tag);
        const int64_t* inner = layout.inner.empty() ? nullptr : layout.inner.data();
        // rows c .. last of one outer position
        auto copy = [&](T* out, const T* in, int64_t c, int64_t last) {
            if (inner)
                for (; c < last; ++c, out += run)
                    for (int64_t k = 0; k < run; ++k) out[k] = in[offsets[c] + inner[k]];
            else if (run == 1)
                for (; c < last; ++c) *out++ = in[offsets[c]];
            else
                for (; c < last; ++c, out += run)
                    std::memcpy(out, in + offsets[c], sizeof(T) * static_cast<size_t>(run));
        };
        parallel_for(0, rows, grain, [&](int64_t b, int64_t e) {
            while (b < e) {
                int64_t o = b / count, end = std::min(e, (o + 1) * count);
                copy(static_cast<T*>(to) + b * run,
                     static_cast<const T*>(from) + layout.outer[static_cast<size_t>(o)],
                     b - o * count, end - o * count);
                b = end;
            }
        });
    });
}

// Rows with equal offsets must meet in order, so threads share out what never collides: outer
// positions if there are several, else columns.
void scatter_rows(Combine combine, DType dtype, void* to, const void* from, const RowLayout& layout,
                  const int64_t* offsets, int64_t count) {
    int64_t run = layout.run, outer = static_cast<int64_t>(layout.outer.size());
    if (outer * count == 0 || run == 0) return;
    visit_combined(combine, dtype, [&](auto tag, auto how) {
        using T = decltype(tag);
        T* out = static_cast<T*>(to);
        const T* in = static_cast<const T*>(from);
        auto block = [&](int64_t o, int64_t first, int64_t last) {
            const T* source = in + o * count * run;
            T* base = out + layout.outer[static_cast<size_t>(o)];
            for (int64_t c = 0; c < count; ++c, source += run) {
                T* row = base + offsets[c];
                if (layout.inner.empty())
                    for (int64_t k = first; k < last; ++k)
                        combine_into<decltype(how)::value>(row[k], source[k]);
                else
                    for (int64_t k = first; k < last; ++k)
                        combine_into<decltype(how)::value>(
                            row[layout.inner[static_cast<size_t>(k)]], source[k]);
            }
        };
        int64_t bytes = count * static_cast<int64_t>(sizeof(T));
        if (outer > 1)
            return parallel_for(0, outer, std::max<int64_t>(1, kGrainBytes / (bytes * run)),
                                [&](int64_t b, int64_t e) {
                                    for (int64_t o = b; o < e; ++o) block(o, 0, run);
                                });
        // few wide pieces: each walks all rows
        int64_t pieces = bytes * run > kGrainBytes ? num_threads() : 1;
        int64_t columns = std::max<int64_t>(64, (run + pieces - 1) / pieces);
        parallel_for(0, run, columns, [&](int64_t b, int64_t e) { block(0, b, e); });
    });
}

}  // namespace kagari::cpu
