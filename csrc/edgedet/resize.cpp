#include "edgedet/resize.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "edgedet/taps.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

/// Part of an axis of the result.
struct Extent {
    std::size_t begin, count;
};

/// The part of the result on which the resized picture lies.
Extent covered(std::size_t canvas, std::size_t resized, std::ptrdiff_t at) {
    const auto size = static_cast<std::ptrdiff_t>(canvas);
    const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(at, 0, size);
    const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(at + static_cast<std::ptrdiff_t>(resized), begin, size);
    return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)};
}

/// So many times more columns in the picture than in the result, and it is quicker to pick those that count.
constexpr std::size_t kSparse = 3;

/// The columns' taps after the picture's rows were told to hold only what those need, if that is worth it.
std::vector<Tap> picked(PictureRows& picture, std::vector<Tap> columns) {
    const std::size_t last = picture.width() - 1;
    if (picture.width() <= kSparse * columns.size() || last == 0) {
        return columns;
    }
    std::vector<std::size_t> firsts;
    std::vector<Tap> pairs;
    for (const Tap& tap : columns) {
        // The last column has no neighbour: it is one.
        const bool is_last = tap.first == last;
        const std::size_t at = 2 * firsts.size();
        firsts.push_back(tap.first - (is_last ? 1 : 0));
        pairs.push_back({at, at + 1, is_last ? tap.second_weight : tap.first_weight,
                         is_last ? tap.first_weight : tap.second_weight});
    }
    return picture.pick(firsts) ? pairs : columns;
}

/// Rows that are already blended along their columns: the two that the next row of the result needs.
class BlendedRows {
  public:
    BlendedRows(PictureRows& picture, const std::vector<Tap>& columns)
        : picture_(picture), plan_(picked(picture, columns)), taps_(plan_.taps()), room_(6 * plan_.padded()) {}

    /// The channels of row y. Of two neighbours, neither takes the other's place.
    std::array<const std::int16_t*, 3> row(std::size_t y) {
        const std::size_t slot = y % 2, stride = plan_.padded();
        std::int16_t* sums = room_.data() + 3 * slot * stride;
        if (held_[slot] != y) {
            const Planes& planes = picture_.row(y);
            for (std::size_t c = 0; c < 3; ++c) {
                loops().blend_columns(planes[c], taps_, sums + c * stride);
            }
            held_[slot] = y;
        }
        return {sums, sums + stride, sums + 2 * stride};
    }

  private:
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    PictureRows& picture_;
    ColumnPlan plan_;
    ColumnTaps taps_;
    std::vector<std::int16_t> room_;
    std::array<std::size_t, 2> held_{kNone, kNone};
};

/// Two rows of one channel and their weights.
struct RowPair {
    const std::int16_t *top, *bottom;
    const Tap& tap;
};

/// float32 planes, each row written once.
class FloatPlanes {
  public:
    FloatPlanes(const Canvas& canvas, const Normalization& how, float* out) : canvas_(canvas), how_(how), out_(out) {}

    void row(std::size_t y, Extent columns, const std::array<RowPair, 3>& channels) {
        for (std::size_t c = 0; c < 3; ++c) {
            const RowPair& pair = channels[how_.swap_rb ? 2 - c : c];
            float* out = at(c, y);
            std::fill(out, out + columns.begin, border(c));
            loops().blend_normalized(pair.top, pair.bottom, pair.tap.first_weight, pair.tap.second_weight,
                                     columns.count, how_.mean[c], how_.std[c], out + columns.begin);
            std::fill(out + columns.begin + columns.count, out + canvas_.width, border(c));
        }
    }

    void border_row(std::size_t y) {
        for (std::size_t c = 0; c < 3; ++c) {
            std::fill(at(c, y), at(c, y) + canvas_.width, border(c));
        }
    }

  private:
    float* at(std::size_t c, std::size_t y) { return out_ + (c * canvas_.height + y) * canvas_.width; }
    float border(std::size_t c) const { return (static_cast<float>(canvas_.border) - how_.mean[c]) / how_.std[c]; }

    const Canvas& canvas_;
    const Normalization& how_;
    float* out_;
};

/// Pixels as bytes, written row by row by a function (y, bytes).
template <class Write>
class Pixels {
  public:
    Pixels(const Canvas& canvas, bool swap_rb, Write write)
        : width_(canvas.width),
          swap_rb_(swap_rb),
          write_(write),
          lines_(3 * width_, canvas.border),
          border_(3 * width_, canvas.border),
          pixels_(3 * width_) {}

    void row(std::size_t y, Extent columns, const std::array<RowPair, 3>& channels) {
        std::array<const std::uint8_t*, 3> lines;
        for (std::size_t c = 0; c < 3; ++c) {
            const RowPair& pair = channels[swap_rb_ ? 2 - c : c];
            std::uint8_t* line = lines_.data() + c * width_;
            loops().blend_rows(pair.top, pair.bottom, pair.tap.first_weight, pair.tap.second_weight, columns.count,
                               line + columns.begin);
            lines[c] = line;
        }
        loops().merge_pixels(lines.data(), width_, pixels_.data());
        write_(y, pixels_);
    }

    void border_row(std::size_t y) { write_(y, border_); }

  private:
    std::size_t width_;
    bool swap_rb_;
    Write write_;
    std::vector<std::uint8_t> lines_, border_, pixels_;
};

template <class Sink>
void fill(PictureRows& picture, const Canvas& canvas, Sink sink) {
    const Extent columns = covered(canvas.width, canvas.resized_width, canvas.left);
    const Extent rows = covered(canvas.height, canvas.resized_height, canvas.top);
    const bool any = columns.count > 0 && rows.count > 0;
    const std::size_t begin = any ? rows.begin : 0, end = any ? rows.begin + rows.count : 0;
    for (std::size_t y = 0; y < canvas.height; ++y) {
        if (y < begin || y >= end) {
            sink.border_row(y);
        }
    }
    if (!any) {
        return;
    }
    const auto first = [](std::size_t at, std::ptrdiff_t offset) {
        return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) - offset);
    };
    BlendedRows source(
        picture, column_taps(picture.width(), canvas.resized_width, first(columns.begin, canvas.left), columns.count));
    const std::vector<Tap> taps =
        row_taps(picture.height(), canvas.resized_height, first(rows.begin, canvas.top), rows.count);
    for (std::size_t i = 0; i < rows.count; ++i) {
        const auto top = source.row(taps[i].first), bottom = source.row(taps[i].second);
        sink.row(rows.begin + i, columns,
                 {{{top[0], bottom[0], taps[i]}, {top[1], bottom[1], taps[i]}, {top[2], bottom[2], taps[i]}}});
    }
}

}  // namespace

void resize(PictureRows& picture, const Canvas& canvas, bool swap_rb, std::uint8_t* out) {
    const auto write = [&](std::size_t y, const std::vector<std::uint8_t>& pixels) {
        std::copy(pixels.begin(), pixels.end(), out + y * pixels.size());
    };
    fill(picture, canvas, Pixels(canvas, swap_rb, write));
}

void resize_normalize(PictureRows& picture, const Canvas& canvas, const Normalization& how, float* out) {
    if (how.layout == Layout::chw) {
        fill(picture, canvas, FloatPlanes(canvas, how, out));
        return;
    }
    const RepeatedNormalization repeated(how);
    const auto write = [&](std::size_t y, const std::vector<std::uint8_t>& pixels) {
        loops().normalize_run(pixels.data(), pixels.size(), repeated.mean.data(), repeated.std.data(),
                              out + y * pixels.size());
    };
    fill(picture, canvas, Pixels(canvas, how.swap_rb, write));
}

}  // namespace edgedet
