// Statistics and limits of the CPU allocator, and how many threads there are and why.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "python/bindings.h"
#include "runtime/parallel.h"
#include "tensor/allocator.h"
#include "tensor/tensor.h"

namespace nb = nanobind;

namespace kagari {

static nb::dict statistics() {
    MemoryStats s = memory_stats();
    nb::dict d;
    d["allocated"] = s.allocated;
    d["peak_allocated"] = s.peak_allocated;
    d["cached"] = s.cached;
    d["allocations"] = s.allocations;
    d["cache_hits"] = s.cache_hits;
    d["limit"] = s.limit;
    d["live_tensors"] = live_tensors();
    return d;
}

void bind_memory(nb::module_& m) {
    m.def("_memory_stats", statistics);
    m.def("_reset_peak_memory", reset_peak_memory);
    m.def("_empty_cache", empty_cache);
    m.def("_set_memory_limit", [](int64_t bytes) {
        check<ValueError>(bytes >= 0, "set_memory_limit: expected bytes >= 0, got ", bytes);
        set_memory_limit(bytes);
    });
    m.def("get_num_threads", num_threads, "The number of threads that work on one op.");
    m.def(
        "set_num_threads",
        [](int64_t count) {
            check<RuntimeError>(count > 0 && count < 65536,
                                "set_num_threads: expects a positive integer, got ", count);
            set_num_threads(static_cast<int>(count));
        },
        nb::arg("num"));
    m.def("_explain_threads", [] { return std::string(explain_threads()); });
}

}  // namespace kagari
