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

void empty_images() { CHECK(run({nullptr, 0, 5, 15, 3, 1}, {{0, 0, 0}, {1, 1, 1}}).empty()); }

}  // namespace

int main() {
    layouts();
    mean_and_std_follow_the_swap();
    negative_strides();
    empty_images();
    return finish();
}
