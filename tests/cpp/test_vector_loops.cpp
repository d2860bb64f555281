#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "edgedet/half.hpp"
#include "edgedet/vector_level.hpp"

using edgedet::ordered_half;
using edgedet::VectorLevel;
using edgedet::VectorLoops;
using edgedet::widen_half;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
    std::mt19937 engine(seed);
    std::vector<float> values(count);
    for (float& value : values) {
        value = static_cast<float>(engine() % 2000) / 100.0f - 10.0f;
        value = engine() % 50 == 0 ? kNan : engine() % 50 == 0 ? kInfinity : engine() % 50 == 0 ? -kInfinity : value;
    }
    return values;
}

/// The plain loops, and for each level and many lengths the question whether its loops agree with them.
void scans(const VectorLoops& loops) {
    for (std::size_t count = 0; count < 200; ++count) {
        const std::vector<float> values = numbers(count, static_cast<std::uint32_t>(count));
        for (const float cutoff : {-kInfinity, -9.0f, 0.0f, 9.9f, kInfinity}) {
            bool some = false;
            float top = -kInfinity;
            std::vector<std::uint32_t> expected;
            for (std::size_t i = 0; i < count; ++i) {
                some = some || values[i] > cutoff;
                top = values[i] > top ? values[i] : top;
                if (values[i] > cutoff && values[i] < kInfinity) {
                    expected.push_back(static_cast<std::uint32_t>(i));
                }
            }
            std::vector<std::uint32_t> found(count + 1);
            found.resize(loops.above(values.data(), count, cutoff, found.data()));
            CHECK(found == expected);
            CHECK(loops.exceeding({values.data(), count, 0, 1}, cutoff) == (some ? 1u : 0u));
            CHECK(loops.largest(values.data(), count) == top);
        }
    }
}

/// All float16 numbers but NaN, in pieces of many lengths, against some of them.
void halves(const VectorLoops& loops) {
    for (const int low : {0xFC00, 0xC000, 0x8001, 0x8000, 0x0000, 0x0001, 0x3C00, 0x7BFF, 0x7C00}) {
        const auto cutoff = static_cast<std::uint16_t>(low);
        for (std::uint32_t first = 0; first < 0x10000; first += first % 301 + 1) {
            std::vector<std::uint16_t> values;
            bool some = false;
            for (std::uint32_t i = first; i < std::min<std::uint32_t>(first + first % 301 + 1, 0x10000); ++i) {
                const auto value = static_cast<std::uint16_t>(i * 40503u);
                if ((value & 0x7FFF) <= 0x7C00) {
                    values.push_back(value);
                    some = some || ordered_half(value) > ordered_half(cutoff);
                    CHECK((ordered_half(value) > ordered_half(cutoff)) || !(widen_half(value) > widen_half(cutoff)));
                }
            }
            const auto* bits = reinterpret_cast<const std::int16_t*>(values.data());
            CHECK(loops.exceeding_halves({bits, values.size(), 0, 1}, ordered_half(cutoff)) == (some ? 1u : 0u));
        }
    }
}

/// Runs within rows, so that what lies beside them would be noticed.
void rows(const VectorLoops& loops) {
    for (std::size_t count = 0; count < 70; ++count) {
        for (const std::size_t many : {1, 16, 31, 32}) {
            const std::size_t stride = count + 3;
            const std::vector<float> values = numbers(many * stride, static_cast<std::uint32_t>(count));
            for (const float cutoff : {-kInfinity, 0.0f, 9.0f, 9.9f}) {
                std::uint32_t expected = 0;
                for (std::size_t i = 0; i < many * stride; ++i) {
                    const bool inside = i % stride >= 2 && i % stride < 2 + count;
                    expected |= std::uint32_t{inside && values[i] > cutoff} << i / stride;
                }
                CHECK(loops.exceeding({values.data() + 2, count, stride, many}, cutoff) == expected);
            }
        }
    }
}

void sums(const VectorLoops& loops, const VectorLoops& twin) {
    for (std::size_t count = 0; count < 100; ++count) {
        const std::vector<float> values = numbers(count, 7);
        std::vector<float> a(count), b(count);
        const float one = loops.exponentials(values.data(), count, 3.0f, a.data());
        const float other = twin.exponentials(values.data(), count, 3.0f, b.data());
        CHECK(std::memcmp(&one, &other, sizeof one) == 0 || (std::isnan(one) && std::isnan(other)));
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])));
        }
    }
}

void transposes(const VectorLoops& loops) {
    for (std::size_t rows = 0; rows < 11; ++rows) {
        for (std::size_t columns = 0; columns < 11; ++columns) {
            const std::size_t in_stride = columns + 3, out_stride = rows + 2;
            std::vector<float> in(rows * in_stride + 1), out(columns * out_stride + 1, -1.0f);
            for (std::size_t i = 0; i < in.size(); ++i) {
                in[i] = static_cast<float>(i);
            }
            loops.transpose(in.data(), in_stride, rows, columns, out.data(), out_stride);
            for (std::size_t c = 0; c < columns; ++c) {
                for (std::size_t r = 0; r < out_stride; ++r) {
                    CHECK(out[c * out_stride + r] == (r < rows ? in[r * in_stride + c] : -1.0f));
                }
            }
        }
    }
}

void names() {
    CHECK(std::string(edgedet::vector_levels().front().name) == "scalar");
    CHECK(edgedet::find_vector_level("").name == edgedet::vector_levels().back().name);
    CHECK(std::string(edgedet::find_vector_level("scalar").name) == "scalar");
    CHECK_THROWS(edgedet::find_vector_level("sse9"), std::invalid_argument, "expected scalar, ");
}

}  // namespace

int main() {
    names();
    for (const VectorLevel& level : edgedet::vector_levels()) {
        scans(*level.loops);
        rows(*level.loops);
        halves(*level.loops);
        sums(*level.loops, *edgedet::vector_levels().front().loops);
        transposes(*level.loops);
    }
    return finish();
}
