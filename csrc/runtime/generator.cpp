// Word streams of the generators and their saved states, the Mersenne Twister's in PyTorch's
// layout.
#include "runtime/generator.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace kagari {

uint64_t Generator::seed() {
    std::random_device device;
    // PyTorch keeps its seeds below 2^53 so that they survive a double
    uint64_t seed = (uint64_t{device()} << 32 | device()) & ((uint64_t{1} << 53) - 1);
    manual_seed(seed);
    return seed;
}

uint32_t Generator::random() {
    uint32_t word;
    fill(&word, 1);
    return word;
}

uint64_t Generator::random64() {
    uint32_t words[2];
    fill(words, 2);
    return uint64_t{words[0]} << 32 | words[1];
}

const Ref<Generator>& default_generator() {
    static const Ref<Generator> generator = [] {
        Ref<Generator> made(new MersenneTwister);
        made->seed();
        return made;
    }();
    return generator;
}

// ---- Mersenne Twister ----

MersenneTwister::MersenneTwister(uint64_t seed) { manual_seed(seed); }

void MersenneTwister::manual_seed(uint64_t seed) {
    seed_ = seed;
    state_[0] = static_cast<uint32_t>(seed);
    for (int i = 1; i < kWords; ++i)
        state_[i] =
            1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + static_cast<uint32_t>(i);
    next_ = 0;
    left_ = 1;
    next_normal.reset();
    next_normal_float_.reset();
}

static inline uint32_t twisted(uint32_t high, uint32_t low, uint32_t far) {
    uint32_t mixed = (high & 0x80000000u) | (low & 0x7fffffffu);
    return far ^ (mixed >> 1) ^ (-(low & 1u) & 0x9908b0dfu);
}

// The distance between what a step writes and what a later step reads is at least 227 words, so
// both loops may run in vectors.
void MersenneTwister::twist() {
    constexpr int kFar = 397, kNear = kWords - kFar;
    uint32_t* s = state_.data();
#pragma GCC ivdep
    for (int i = 0; i < kNear; ++i) s[i] = twisted(s[i], s[i + 1], s[i + kFar]);
#pragma GCC ivdep
    for (int i = kNear; i < kWords - 1; ++i) s[i] = twisted(s[i], s[i + 1], s[i - kNear]);
    s[kWords - 1] = twisted(s[kWords - 1], s[0], s[kFar - 1]);
    next_ = 0;
    left_ = kWords + 1;
}

static void temper(const uint32_t* from, uint32_t* to, int count) {
    for (int i = 0; i < count; ++i) {
        uint32_t y = from[i];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680u;
        y ^= (y << 15) & 0xefc60000u;
        to[i] = y ^ (y >> 18);
    }
}

void MersenneTwister::fill(uint32_t* words, int64_t count) {
    while (count > 0) {
        if (left_ == 1) twist();
        int run = static_cast<int>(std::min<int64_t>(count, left_ - 1));
        temper(state_.data() + next_, words, run);
        next_ += run;
        left_ -= run;
        words += run;
        count -= run;
    }
}

/// The bytes of torch.get_rng_state().
struct TorchState {
    uint64_t seed;
    int32_t left;
    int32_t seeded;
    uint64_t next;
    uint64_t words[MersenneTwister::kWords];
    double normal_x, normal_y, normal_rho;
    int32_t normal_is_valid;
    int32_t padding;
    float next_normal_float;
    uint8_t next_normal_float_is_valid;
    uint8_t padding2[3];
};
static_assert(sizeof(TorchState) == 5056);
static constexpr size_t kLegacySize = 5048;  // older states end before next_normal_float

std::vector<uint8_t> MersenneTwister::get_state() const {
    TorchState state{};
    state.seed = seed_;
    state.left = left_;
    state.seeded = 1;
    state.next = static_cast<uint64_t>(next_);
    std::copy(state_.begin(), state_.end(), state.words);
    if (next_normal) {
        state.normal_is_valid = 1;
        state.normal_y = *next_normal;
    }
    if (next_normal_float_) {
        state.next_normal_float_is_valid = 1;
        state.next_normal_float = *next_normal_float_;
    }
    std::vector<uint8_t> bytes(sizeof state);
    std::memcpy(bytes.data(), &state, sizeof state);
    return bytes;
}

void MersenneTwister::set_state(const std::vector<uint8_t>& bytes) {
    check(bytes.size() == sizeof(TorchState) || bytes.size() == kLegacySize,
          "Expected either a CPUGeneratorImplStateLegacy of size ", kLegacySize,
          " or a CPUGeneratorImplState of size ", sizeof(TorchState),
          " but found the input RNG state size to be ", bytes.size());
    TorchState state{};
    std::memcpy(&state, bytes.data(), bytes.size());
    check(state.seeded == 1 && state.left > 0 && state.left <= kWords && state.next <= kWords &&
              (state.left == 1 || state.left + state.next <= kWords + 1),
          "RNG state is wrong: left is ", state.left, " and next is ", state.next, ", with ",
          kWords, " words");
    seed_ = state.seed;
    left_ = state.left;
    next_ = static_cast<int>(state.next);
    std::copy(std::begin(state.words), std::end(state.words), state_.begin());
    next_normal = state.normal_is_valid ? std::optional(state.normal_y) : std::nullopt;
    next_normal_float_ =
        state.next_normal_float_is_valid ? std::optional(state.next_normal_float) : std::nullopt;
}

Ref<Generator> MersenneTwister::clone() const {
    Ref<Generator> copy(new MersenneTwister(seed_));
    copy->set_state(get_state());
    return copy;
}

// ---- Philox ----

std::array<uint32_t, 4> philox_block(uint64_t key, uint64_t stream, uint64_t block) {
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    std::array<uint32_t, 4> c = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                 static_cast<uint32_t>(stream),
                                 static_cast<uint32_t>(stream >> 32)};
    for (int round = 0; round < 10; ++round) {
        uint64_t a = uint64_t{0xD2511F53u} * c[0], b = uint64_t{0xCD9E8D57u} * c[2];
        c = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(b),
             static_cast<uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(a)};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

Philox::Philox(uint64_t seed, uint64_t stream) : stream_(stream) { manual_seed(seed); }

void Philox::manual_seed(uint64_t seed) {
    seed_ = seed;
    position_ = 0;
    next_normal.reset();
}

void Philox::fill(uint32_t* words, int64_t count) {
    while (count > 0) {
        auto block = philox_block(seed_, stream_, position_ / 4);
        int from = static_cast<int>(position_ % 4);
        int run = static_cast<int>(std::min<int64_t>(count, 4 - from));
        std::copy_n(block.begin() + from, run, words);
        position_ += static_cast<uint64_t>(run);
        words += run;
        count -= run;
    }
}

std::vector<uint8_t> Philox::get_state() const {
    const uint64_t fields[3] = {seed_, stream_, position_};
    std::vector<uint8_t> bytes(sizeof fields);
    std::memcpy(bytes.data(), fields, sizeof fields);
    return bytes;
}

void Philox::set_state(const std::vector<uint8_t>& bytes) {
    uint64_t fields[3];
    check(bytes.size() == sizeof fields, "a Philox state has ", sizeof fields, " bytes, got ",
          bytes.size());
    std::memcpy(fields, bytes.data(), sizeof fields);
    seed_ = fields[0];
    stream_ = fields[1];
    position_ = fields[2];
    next_normal.reset();
}

Ref<Generator> Philox::clone() const {
    Ref<Generator> copy(new Philox(seed_, stream_));
    copy->set_state(get_state());
    return copy;
}

}  // namespace kagari
