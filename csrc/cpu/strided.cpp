// Offset lists, collapsing of dimensions, strided copies.
#include "cpu/strided.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/parallel.h"

namespace kagari::cpu {

Collapsed::Collapsed(IntSpan from_sizes, IntSpan from_strides) {
    for (size_t d = 0; d < from_sizes.size(); ++d) {
        if (from_sizes[d] == 1) continue;
        if (!sizes.empty() && strides.back() == from_strides[d] * from_sizes[d]) {
            sizes.back() *= from_sizes[d];
            strides.back() = from_strides[d];
        } else {
            sizes.push_back(from_sizes[d]);
            strides.push_back(from_strides[d]);
        }
    }
}

int64_t Collapsed::count() const {
    int64_t n = 1;
    for (int64_t s : sizes) n *= s;
    return n;
}

std::vector<int64_t> offsets_of(IntSpan sizes, IntSpan strides) {
    std::vector<int64_t> offsets{0};
    for (size_t d = 0; d < sizes.size(); ++d) {
        std::vector<int64_t> finer;
        finer.reserve(offsets.size() * static_cast<size_t>(sizes[d]));
        for (int64_t base : offsets)
            for (int64_t i = 0; i < sizes[d]; ++i) finer.push_back(base + i * strides[d]);
        offsets = std::move(finer);
    }
    return offsets;
}

void copy_strided(void* to, const void* from, IntSpan sizes, IntSpan strides, size_t item) {
    Collapsed window(sizes, strides);
    if (window.sizes.empty()) {
        window.sizes.push_back(1);
        window.strides.push_back(1);
    }
    int64_t run = window.sizes.back(), step = window.strides.back();
    IntSpan outer(window.sizes.data(), window.sizes.size() - 1);
    IntSpan outer_strides(window.strides.data(), outer.size());
    if (window.count() == 0) return;
    std::vector<int64_t> rows = offsets_of(outer, outer_strides);
    visit_item(item, [&](auto tag) {
        using T = decltype(tag);
        T* out = static_cast<T*>(to);
        const T* in = static_cast<const T*>(from);
        int64_t grain = std::max<int64_t>(1, kGrainBytes / static_cast<int64_t>(item) / run);
        parallel_for(0, static_cast<int64_t>(rows.size()), grain, [&](int64_t b, int64_t e) {
            for (int64_t r = b; r < e; ++r) {
                const T* row = in + rows[static_cast<size_t>(r)];
                T* line = out + r * run;
                if (step == 1)
                    std::memcpy(line, row, sizeof(T) * static_cast<size_t>(run));
                else if (step == -1)
                    for (int64_t k = 0; k < run; ++k) line[k] = row[-k];
                else
                    for (int64_t k = 0; k < run; ++k) line[k] = row[k * step];
            }
        });
    });
}

}  // namespace kagari::cpu
