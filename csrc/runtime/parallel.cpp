// How many threads there are, and handing chunks of work to them.
#include "runtime/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace kagari {

LockHooks lock_hooks;

namespace {

std::string explanation;

int affinity_count() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

/// The container's quota in cores from cgroup v2 or v1, or 0 where there is none.
double cgroup_quota() {
    std::string quota, period;
    if (std::ifstream("/sys/fs/cgroup/cpu.max") >> quota >> period) {
        if (quota == "max") return 0;
        return std::atof(quota.c_str()) / std::max(1.0, std::atof(period.c_str()));
    }
    std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (q >> quota && p >> period && std::atof(quota.c_str()) > 0)
        return std::atof(quota.c_str()) / std::max(1.0, std::atof(period.c_str()));
    return 0;
}

int initial_count() {
    std::ostringstream why;
    int cores = affinity_count(), count = cores;
    why << "CPU affinity allows " << cores << " cores\n";
    if (double quota = cgroup_quota(); quota > 0) {
        int limit = std::max(1, static_cast<int>(std::ceil(quota)));
        count = std::min(count, limit);
        why << "the container's quota is " << quota << " cores\n";
    }
    for (const char* name : {"KAGARI_NUM_THREADS", "OMP_NUM_THREADS"})
        if (const char* text = std::getenv(name); text && std::atoi(text) > 0) {
            count = std::atoi(text);
            why << name << " asks for " << count << "\n";
            break;
        }
    explanation = why.str();
    return count;
}

/// A forked child must never enter a parallel region: GNU OpenMP's threads did not come along.
void after_fork_in_child();

std::atomic<int>& count() {
    static std::atomic<int> value = [] {
        pthread_atfork(nullptr, nullptr, after_fork_in_child);
        return initial_count();
    }();
    return value;
}

void after_fork_in_child() {
    count().store(1);
    omp_set_num_threads(1);
    explanation += "this is a forked child: one thread\n";
}

}  // namespace

int num_threads() { return count().load(std::memory_order_relaxed); }

void set_num_threads(int threads) {
    count().store(std::max(1, threads));
    omp_set_num_threads(std::max(1, threads));
    explanation += "set_num_threads(" + std::to_string(threads) + ")\n";
}

const char* explain_threads() {
    num_threads();
    return explanation.c_str();
}

bool in_parallel_region() { return omp_in_parallel(); }

namespace detail {

void run_parallel(int64_t chunks, void (*chunk)(void*, int64_t), void* context) {
    int threads = static_cast<int>(std::min<int64_t>(num_threads(), chunks));
    if (threads <= 1 || omp_in_parallel()) {
        for (int64_t i = 0; i < chunks; ++i) chunk(context, i);
        return;
    }
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < chunks; ++i) chunk(context, i);
}

}  // namespace detail
}  // namespace kagari
