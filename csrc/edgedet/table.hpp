#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/detect.hpp"

namespace edgedet {

/// Numbers of a table as float32: where they lie, or converted into a buffer.
class TableReader {
  public:
    explicit TableReader(const NetworkTable& table) : table_(table) {}

    /// `count` numbers in the order of memory.
    const float* run(std::size_t first, std::size_t count);

    /// Rows one after another, however they lie.
    const float* rows(std::size_t first, std::size_t count);

  private:
    const NetworkTable& table_;
    std::vector<float> converted_, turned_;
};

/// The question which runs of a table hold an entry greater than a cutoff, asked in the table's own numbers.
class Gate {
  public:
    Gate(const NetworkTable& table, float cutoff);

    /// As bits, of `rows` runs (at most 32) of `count` entries, the first from entry `first` on in the order of memory,
    /// and `stride` entries apart. NaN and infinities may be let through.
    std::uint32_t passing(std::size_t first, std::size_t count, std::size_t stride, std::size_t rows) const;

    /// Has entries read into the cache: memory need not rest while others are looked at closely.
    void expect(std::size_t first, std::size_t count) const;

  private:
    const NetworkTable& table_;
    float cutoff_;
    std::int16_t code_;  ///< the same as ordered_half(), for a table of float16
};

}  // namespace edgedet
