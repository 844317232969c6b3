// A reduction in at most two steps: one dimension, or blocks of it, into states; all states into
// results. Where rows are cut depends on sizes and strides alone, never on the threads.
#include "ops/reduce/reduction.h"

#include "ops/movement/copy.h"

namespace kagari {

Reduced reduced_dims(const Tensor& x, const std::optional<Dims>& dims, const char* op) {
    size_t rank = x.sizes().size();
    if (!dims || dims->empty()) return Reduced(rank, true);
    Reduced gone(std::max<size_t>(rank, 1), false);
    for (int64_t d : *dims) {
        int64_t at = wrap_dim(d, x.dim(), op);
        check<RuntimeError>(!gone[at], op, "(): dim ", at,
                            " appears multiple times in the list of dims ", IntSpan(*dims));
        gone[at] = true;
    }
    gone.resize(rank);
    return gone;
}

Dims reduced_sizes(const Tensor& x, const Reduced& gone, bool keepdim) {
    Dims sizes;
    for (size_t i = 0; i < gone.size(); ++i)
        if (!gone[i] || keepdim) sizes.push_back(gone[i] ? 1 : x.sizes()[i]);
    return sizes;
}

int64_t reduced_count(const Tensor& x, const Reduced& gone) {
    int64_t count = 1;
    for (size_t i = 0; i < gone.size(); ++i)
        if (gone[i]) count *= x.sizes()[i];
    return count;
}

DType dtype_of_kind(char kind, DType input) {
    DType summed = input < DType::F16 ? DType::I64 : input;
    switch (kind) {
        case 's':
            return summed;
        case 'w':
            return is_complex(summed) ? DType::C128 : is_floating(summed) ? DType::F64 : summed;
        case 'r':
            return real_counterpart(input);
        case 'd':
            return DType::F64;
        case 'i':
            return DType::I64;
        case 'b':
            return input == DType::U8 ? DType::U8 : DType::Bool;
        case '1':
            return DType::Bool;
        default:
            return input;
    }
}

namespace {

struct Dimension {
    int64_t size, stride;  // of the input, in elements
};

/// Largest stride first; neighbours that are one run of memory become one.
void sort_and_merge(std::vector<Dimension>& dims) {
    std::erase_if(dims, [](const Dimension& d) { return d.size == 1; });
    std::stable_sort(dims.begin(), dims.end(),
                     [](const Dimension& a, const Dimension& b) { return a.stride > b.stride; });
    size_t kept = 0;
    for (size_t i = 1; i < dims.size(); ++i) {
        if (dims[kept].stride == dims[i].size * dims[i].stride)
            dims[kept] = {dims[kept].size * dims[i].size, dims[i].stride};
        else
            dims[++kept] = dims[i];
    }
    if (!dims.empty()) dims.resize(kept + 1);
}

constexpr int64_t kLongRow = 2048;  // elements of a block of a row that lanes go along
constexpr int64_t kTallRow = 128;   // and of one that lanes go across
constexpr int64_t kShort = 16;      // below this, lanes along a row are mostly empty

}  // namespace

/// Strides of a dense result of these sizes that keeps the input's order of dimensions.
static Dims dense_like(IntSpan sizes, IntSpan input_strides) {
    std::vector<size_t> order(sizes.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return input_strides[a] > input_strides[b]; });
    Dims strides(sizes.size(), 1);
    int64_t run = 1;
    for (size_t i = order.size(); i-- > 0;) {
        strides[order[i]] = run;
        run *= std::max<int64_t>(1, sizes[order[i]]);
    }
    return strides;
}

/// The reduced dimension that is taken first, cut into blocks if it is long, and the others.
struct Reduction::Plan {
    std::vector<Dimension> others;
    Dimension row{1, 1};
    bool across = false;  // lanes are rows
    int64_t block = 0, blocks = 0, tail = 0;
    Dims kept_sizes, kept_strides;  // of the input
    Dims result_strides;
    int64_t results = 1;

    Plan(const Tensor& x, const Reduced& gone) {
        std::vector<Dimension> reduced;
        bool unit_kept = false;
        for (size_t i = 0; i < gone.size(); ++i) {
            int64_t size = x.sizes()[i], stride = x.strides()[i];
            if (gone[i]) {
                reduced.push_back({size, stride});
                continue;
            }
            kept_sizes.push_back(size);
            kept_strides.push_back(stride);
            results *= size;
            unit_kept |= stride == 1 && size >= kShort / 2;
        }
        bool nothing = std::any_of(reduced.begin(), reduced.end(),
                                   [](const Dimension& d) { return d.size == 0; });
        if (nothing) reduced.assign(1, {0, 1});
        result_strides = dense_like(kept_sizes, kept_strides);
        sort_and_merge(reduced);
        choose(std::move(reduced), unit_kept);
    }

    void choose(std::vector<Dimension> reduced, bool unit_kept) {
        if (!reduced.empty()) {
            auto first = reduced.end() - 1;
            bool along = first->stride == 1 && (first->size >= kShort || reduced.size() == 1);
            if (!along && !unit_kept)
                first = std::max_element(
                    reduced.begin(), reduced.end(),
                    [](const Dimension& a, const Dimension& b) { return a.size < b.size; });
            row = *first;
            reduced.erase(first);
        }
        across = unit_kept && row.stride != 1;
        others = std::move(reduced);
        int64_t limit = across ? kTallRow : kLongRow;
        block = row.size > 2 * limit ? limit : std::max<int64_t>(row.size, 1);
        blocks = row.size / block;
        tail = row.size % block;
    }
    bool in_one() const { return others.empty() && blocks + (tail > 0) <= 1; }
    /// States per result.
    int64_t rest() const {
        int64_t count = blocks + (tail > 0);
        for (const Dimension& d : others) count *= d.size;
        return count;
    }
    /// Distances between states: of neighbouring results, and of one result.
    int64_t result_step() const { return across ? 1 : rest(); }
    int64_t state_step() const { return across ? results : 1; }
};

static Tensor make_result(const Tensor& x, const Reduced& gone, bool keepdim, IntSpan kept,
                          DType dtype) {
    if (!keepdim) return empty_strided(reduced_sizes(x, gone, false), kept, dtype, x.device());
    Dims strides;
    for (size_t i = 0, k = 0; i < gone.size(); ++i) strides.push_back(gone[i] ? 1 : kept[k++]);
    return empty_strided(reduced_sizes(x, gone, true), strides, dtype, x.device());
}

/// What the first step reads.
struct Reduction::Inputs {
    const Tensor& x;
    const Tensors& elements;
    const Tensors& rows;
    std::vector<Dims> row_steps;  // of `rows`, along the kept dimensions

    Inputs(const Tensor& input, const Tensors& more, const Tensors& per_row, const Reduced& gone)
        : x(input), elements(more), rows(per_row) {
        for (const Tensor& t : rows) {
            Dims steps;
            for (size_t i = 0; i < gone.size(); ++i)
                if (!gone[i]) steps.push_back(t.strides()[i]);
            row_steps.push_back(steps);
        }
    }
    DType dtype() const { return x.dtype(); }
    /// Adds them to a walk, starting `skip` elements into `x`.
    void add_to(RowWalk& walk, const Dims& steps, int64_t inner, int64_t skip) const {
        auto add = [&](const Tensor& t) {
            auto bytes = skip * static_cast<int64_t>(t.itemsize());
            walk.add(t.data<char>() + bytes, t.itemsize(), steps, inner);
        };
        add(x);
        for (const Tensor& t : elements) add(t);
        for (size_t i = 0; i < rows.size(); ++i)
            walk.add(rows[i].data(), rows[i].itemsize(), row_steps[i], 0);
    }
};

static Tensor cast(const Tensor& t, DType dtype) {
    if (t.dtype() == dtype) return t;
    Tensor out = empty_like(t, dtype);
    ops::copy_elements(out, t);
    return out;
}

static Tensors widened(const Tensors& list) {
    Tensors wide;
    for (const Tensor& t : list) wide.push_back(cast(t, wide_counterpart(t.dtype())));
    return wide;
}

Tensors Reduction::operator()(const Tensor& x, const Reduced& gone, bool keepdim, double parameter,
                              const Tensors& elements, const Tensors& rows) const {
    if (wide_counterpart(x.dtype()) != x.dtype()) {
        Tensors results = (*this)(cast(x, wide_counterpart(x.dtype())), gone, keepdim, parameter,
                                  widened(elements), widened(rows));
        for (size_t i = 0; i < results.size(); ++i)
            results[i] = cast(results[i], dtype_of_kind(results_[i], x.dtype()));
        return results;
    }
    Plan plan(x, gone);
    Tensors results;
    for (const char* kind = results_; *kind; ++kind)
        results.push_back(
            make_result(x, gone, keepdim, plan.result_strides, dtype_of_kind(*kind, x.dtype())));
    if (!x.is_meta() && plan.results > 0)
        run(plan, Inputs(x, elements, rows, gone), results, parameter);
    return results;
}

void Reduction::run(const Plan& plan, const Inputs& in, const Tensors& results,
                    double parameter) const {
    Tensors states;
    RowWalk walk;
    bool one = plan.in_one();
    walk.set_sizes(plan.kept_sizes, one ? plan.row.size : plan.rest());
    for (const Tensor& r : results) walk.add(r.data(), r.itemsize(), plan.result_strides, 0);
    auto lead = static_cast<int>(results.size());
    if (one) {
        in.add_to(walk, plan.kept_strides, plan.row.stride, 0);
    } else {
        Dims steps = contiguous_strides(plan.kept_sizes);
        for (int64_t& s : steps) s *= plan.result_step();
        for (const char* kind = states_; *kind; ++kind)
            states.push_back(
                empty(Dims{plan.results * plan.rest()}, dtype_of_kind(*kind, in.dtype())));
        run_blocks(plan, in, states);
        for (const Tensor& s : states) walk.add(s.data(), s.itemsize(), steps, plan.state_step());
    }
    if (parameter_ == Block && !one) walk.add_scalar(plan.block);
    if (parameter_ == Finish) walk.add_scalar(parameter);
    walk.run((one ? whole_ : merge_)(in.dtype()), lead);
}

void Reduction::run_blocks(const Plan& plan, const Inputs& in, const Tensors& states) const {
    Dims sizes = plan.kept_sizes, from = plan.kept_strides;
    Dims to = contiguous_strides(plan.kept_sizes);
    for (int64_t& s : to) s *= plan.result_step();
    auto push = [&](int64_t size, int64_t source, int64_t target) {
        sizes.push_back(size);
        from.push_back(source);
        to.push_back(target);
    };
    int64_t step = plan.state_step() * (plan.blocks + (plan.tail > 0));
    for (size_t i = plan.others.size(); i-- > 0; step *= plan.others[i].size)
        push(plan.others[i].size, plan.others[i].stride, step);
    auto walk_part = [&](int64_t row, int64_t first_block) {
        RowWalk walk;
        walk.set_sizes(sizes, row);
        for (const Tensor& s : states) {
            int64_t skip = first_block * plan.state_step() * static_cast<int64_t>(s.itemsize());
            walk.add(s.data<char>() + skip, s.itemsize(), to, 0);
        }
        in.add_to(walk, from, plan.row.stride, first_block * plan.block * plan.row.stride);
        walk.run(part_(in.dtype()), static_cast<int>(states.size()));
    };
    if (plan.tail > 0) walk_part(plan.tail, plan.blocks);
    push(plan.blocks, plan.block * plan.row.stride, plan.state_step());
    walk_part(plan.block, 0);
}

}  // namespace kagari
