#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// What `count_instructions` can run. Adding a job is adding it to its file's list.

/// A kernel on arrays that are ready.
using Work = std::function<void()>;

struct Job {
    std::string name;
    std::function<Work()> prepare;  ///< makes the arrays, which are not counted
};

std::vector<Job> box_jobs();
std::vector<Job> detect_jobs();
std::vector<Job> pixel_jobs();
std::vector<Job> spp_jobs();

/// Numbers that are the same with every compiler and library (Marsaglia 2003, xorshift32).
class Numbers {
  public:
    /// Any 24 bits.
    std::uint32_t bits() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        return state_ >> 8;
    }

    float between(float low, float high) { return low + (high - low) * static_cast<float>(bits()) * 0x1p-24f; }
    std::size_t below(std::size_t end) { return bits() % end; }

    std::vector<float> many(std::size_t count, float low, float high) {
        std::vector<float> values(count);
        for (float& value : values) {
            value = between(low, high);
        }
        return values;
    }

  private:
    std::uint32_t state_ = 2463534242u;
};

/// A kernel on data of its own; what it gives is kept until the end, so that nothing can be left out.
template <class Data, class Call>
Work work(Data data, Call call) {
    auto held = std::make_shared<Data>(std::move(data));
    return [held, call] { call(*held); };
}
