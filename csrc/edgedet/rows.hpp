#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/pixels.hpp"

namespace edgedet {

/// The three channels of a row, each sample beside the next, with room behind the last that may be read.
using Planes = std::array<std::uint8_t*, 3>;

/// A picture that is read row by row as planes: blue, green and red, or red, green and blue, as it has them.
class PictureRows {
  public:
    PictureRows(std::size_t width, std::size_t height);
    virtual ~PictureRows() = default;
    PictureRows(const PictureRows&) = delete;
    PictureRows& operator=(const PictureRows&) = delete;

    std::size_t width() const { return width_; }
    std::size_t height() const { return height_; }

    /// From now on a row holds only these samples and their right neighbours, pair by pair; false: it still holds all.
    /// The firsts are below width() - 1, and there are fewer than half as many.
    virtual bool pick(const std::vector<std::size_t>& firsts);

    /// Valid until the next call.
    const Planes& row(std::size_t y) {
        read(y);
        return planes_;
    }

  protected:
    virtual void read(std::size_t y) = 0;
    const Planes& planes() const { return planes_; }

  private:
    std::size_t width_, height_;
    std::vector<std::uint8_t> room_;
    Planes planes_;
};

/// Pixels, whatever their strides.
class PixelRows : public PictureRows {
  public:
    explicit PixelRows(const ImageView& image) : PictureRows(image.width, image.height), image_(image) {}

    bool pick(const std::vector<std::size_t>& firsts) override;

  private:
    void read(std::size_t y) override;

    ImageView image_;
    std::vector<std::size_t> picked_;
    std::vector<std::uint8_t> pixels_;  ///< those picked, side by side
};

}  // namespace edgedet
