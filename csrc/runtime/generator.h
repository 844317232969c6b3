// Random generators: MT19937 with PyTorch's numbers and state bytes (the default), and Philox for
// parallel streams. What distribution is drawn from the words is left to cpu/random.
#pragma once
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "tensor/device.h"
#include "tensor/ref.h"

namespace kagari {

/// A stream of 32-bit words with a saved and restored state.
class Generator : public Counted {
  public:
    explicit Generator(Device device = kCPU) : device_(device) {}

    virtual void manual_seed(uint64_t seed) = 0;
    virtual void fill(uint32_t* words, int64_t count) = 0;
    virtual std::vector<uint8_t> get_state() const = 0;
    /// RuntimeError when the bytes are not a state of this kind of generator.
    virtual void set_state(const std::vector<uint8_t>& state) = 0;
    virtual Ref<Generator> clone() const = 0;

    Device device() const { return device_; }
    uint64_t initial_seed() const { return seed_; }
    /// Seeds from the operating system and tells the seed.
    uint64_t seed();
    uint32_t random();
    /// Two words, the first one high.
    uint64_t random64();

    /// The second value of a Box-Muller pair, waiting to be drawn.
    std::optional<double> next_normal;
    std::mutex mutex;

  protected:
    uint64_t seed_ = 0;

  private:
    Device device_;
};

/// Matsumoto and Nishimura's MT19937.
class MersenneTwister final : public Generator {
  public:
    static constexpr int kWords = 624;

    explicit MersenneTwister(uint64_t seed = 67280421310721);
    void manual_seed(uint64_t seed) override;
    void fill(uint32_t* words, int64_t count) override;
    std::vector<uint8_t> get_state() const override;
    void set_state(const std::vector<uint8_t>& state) override;
    Ref<Generator> clone() const override;

  private:
    void twist();

    std::array<uint32_t, kWords> state_{};
    int next_ = 0;  // first word of state_ not drawn yet
    int left_ = 1;  // PyTorch's counter: words until the next twist, plus one
    std::optional<float> next_normal_float_;  // only carried through saved states
};

/// Salmon et al.'s Philox4x32-10: the word at any position is a function of key and position.
class Philox final : public Generator {
  public:
    explicit Philox(uint64_t seed = 67280421310721, uint64_t stream = 0);
    void manual_seed(uint64_t seed) override;
    void fill(uint32_t* words, int64_t count) override;
    std::vector<uint8_t> get_state() const override;
    void set_state(const std::vector<uint8_t>& state) override;
    Ref<Generator> clone() const override;
    /// Moves on by `words` words without making them.
    void skip(uint64_t words) { position_ += words; }

  private:
    uint64_t stream_, position_ = 0;  // position in words
};

/// Four words at `block` of the stream (key, stream).
std::array<uint32_t, 4> philox_block(uint64_t key, uint64_t stream, uint64_t block);

/// The generator used where none is given.
const Ref<Generator>& default_generator();

}  // namespace kagari
