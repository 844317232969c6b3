// The windows along a dimension as tables, so that the loops over planes hold no division.
#pragma once
#include <vector>

#include "cpu/pool.h"

namespace kagari::cpu {

/// What an axis comes to for every plane: computed once per call.
struct Places {
    struct Run {
        int64_t low, high, start;  // outputs [low, high) take `start`, `start + stride`, ...
    };
    std::vector<int64_t> begin, end;  // of each window
    std::vector<Run> runs;            // one for each place of a fixed window, if any is inside

    explicit Places(const PoolAxis& axis) {
        for (int64_t o = 0; o < axis.out; o++) {
            begin.push_back(axis.begin(o));
            end.push_back(axis.end(o));
        }
        for (int64_t k = 0; k < axis.kernel && !axis.adaptive; k++) {
            auto [low, high] = axis.inside(k);
            if (low < high)
                runs.push_back({low, high, low * axis.stride - axis.padding + k * axis.dilation});
        }
    }
};

}  // namespace kagari::cpu
