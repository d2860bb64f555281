#include <cstdint>
#include <vector>

#include "check.hpp"
#include "edgedet/pixels.hpp"

using edgedet::ImageView;
using edgedet::Layout;
using edgedet::Normalization;

namespace {

const std::vector<std::uint8_t> kPixels{1, 2, 3, 4, 5, 6};  // two pixels side by side
const ImageView kImage{kPixels.data(), 1, 2, 6, 3, 1};

std::vector<float> run(const ImageView& image, const Normalization& how) {
    std::vector<float> out(3 * image.height * image.width, -1.0f);
    edgedet::normalize(image, how, out.data());
    return out;
}

void layouts() {
    const Normalization plain{{0, 0, 0}, {1, 1, 1}};
    Normalization hwc = plain;
    hwc.layout = Layout::hwc;
    CHECK((run(kImage, plain) == std::vector<float>{1, 4, 2, 5, 3, 6}));
    CHECK((run(kImage, hwc) == std::vector<float>{1, 2, 3, 4, 5, 6}));
}

void mean_and_std_follow_the_swap() {
    CHECK((run(kImage, {{1, 0, 0}, {2, 1, 1}, true}) == std::vector<float>{1, 2.5f, 2, 5, 1, 4}));
}

void negative_strides() {
    const ImageView mirrored{kPixels.data() + 3, 1, 2, 6, -3, 1};
    CHECK((run(mirrored, {{0, 0, 0}, {1, 1, 1}}) == std::vector<float>{4, 1, 5, 2, 6, 3}));
}

void vector_loops_equal_the_look_up() {
    for (std::size_t width = 1; width < 70; width += 4) {
        std::vector<std::uint8_t> bytes(2 * (3 * width + 5));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            bytes[i] = static_cast<std::uint8_t>(i * 37 % 256);
        }
        const auto stride = static_cast<std::ptrdiff_t>(3 * width + 5);
        for (const Layout layout : {Layout::chw, Layout::hwc}) {
            for (const bool swap : {false, true}) {
                const Normalization how{{1.5f, 20, 127}, {3, 58.1f, 0.7f}, swap, layout};
                const ImageView plain{bytes.data(), 2, width, stride, 3, 1};
                const ImageView turned{bytes.data() + 2, 2, width, stride, 3, -1};
                for (const ImageView& image : {plain, turned}) {
                    std::vector<float> twin(6 * width);
                    edgedet::normalize_any(image, how, twin.data());
                    CHECK(run(image, how) == twin);
                }
            }
        }
    }
}

void empty_images() { CHECK(run({nullptr, 0, 5, 15, 3, 1}, {{0, 0, 0}, {1, 1, 1}}).empty()); }

}  // namespace

int main() {
    layouts();
    mean_and_std_follow_the_swap();
    negative_strides();
    vector_loops_equal_the_look_up();
    empty_images();
    return finish();
}
