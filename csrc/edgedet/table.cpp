#include "edgedet/table.hpp"

#include <algorithm>

#include "edgedet/half.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// The largest float16 that is no greater, as ordered_half(), which undoes itself.
std::int16_t code_below(float cutoff) {
    int low = -0x7C01, high = 0x7C00;  // the infinities
    while (low < high) {
        const int middle = low + (high - low + 1) / 2;
        const auto half = static_cast<std::uint16_t>(ordered_half(static_cast<std::uint16_t>(middle)));
        if (widen_half(half) <= cutoff) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return static_cast<std::int16_t>(low);
}

}  // namespace

const float* TableReader::run(std::size_t first, std::size_t count) {
    if (!table_.is_half) {
        return static_cast<const float*>(table_.data) + first;
    }
    converted_.resize(std::max(converted_.size(), count));
    loops().widen(static_cast<const std::uint16_t*>(table_.data) + first, count, converted_.data());
    return converted_.data();
}

const float* TableReader::rows(std::size_t first, std::size_t count) {
    const std::size_t columns = table_.columns;
    if (!table_.column_by_column) {
        return run(first * columns, count * columns);
    }
    turned_.resize(std::max(turned_.size(), count * columns));
    for (std::size_t c = 0; c < columns; ++c) {
        const float* column = run(c * table_.rows + first, count);
        for (std::size_t i = 0; i < count; ++i) {
            turned_[i * columns + c] = column[i];
        }
    }
    return turned_.data();
}

Gate::Gate(const NetworkTable& table, float cutoff) : table_(table), cutoff_(cutoff), code_(code_below(cutoff)) {}

std::uint32_t Gate::passing(std::size_t first, std::size_t count, std::size_t stride, std::size_t rows) const {
    if (table_.is_half) {
        const auto* data = static_cast<const std::int16_t*>(table_.data);
        return loops().exceeding_halves({data + first, count, stride, rows}, code_);
    }
    return loops().exceeding({static_cast<const float*>(table_.data) + first, count, stride, rows}, cutoff_);
}

void Gate::expect(std::size_t first, std::size_t count) const {
    constexpr std::size_t kLine = 64;
    const std::size_t size = table_.is_half ? sizeof(std::uint16_t) : sizeof(float);
    const char* begin = static_cast<const char*>(table_.data) + first * size;
    for (std::size_t i = 0; i < count * size; i += kLine) {
        __builtin_prefetch(begin + i);
    }
}

}  // namespace edgedet
