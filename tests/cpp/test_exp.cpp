#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "edgedet/exp.hpp"

using edgedet::portable_exp;
using edgedet::sigmoid;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Units in the last place of the float nearest to the truth.
double ulps(float value, double truth) {
    const float nearest = static_cast<float>(truth);
    const double step = static_cast<double>(std::nextafter(nearest, kInfinity)) - static_cast<double>(nearest);
    return std::fabs(static_cast<double>(value) - truth) / step;
}

void exp_is_close_to_libm() {
    double worst = 0.0;
    for (int i = -103 * 4096; i < 88 * 4096; ++i) {
        const float x = static_cast<float>(i) / 4096.0f * 1.0003f;
        worst = std::max(worst, ulps(portable_exp(x), std::exp(static_cast<double>(x))));
    }
    std::printf("exp: at most %.3f ulp from libm in double precision\n", worst);
    CHECK(worst < 2.0);
}

void exp_at_the_ends() {
    CHECK(portable_exp(0.0f) == 1.0f);
    CHECK(portable_exp(-0.0f) == 1.0f);
    CHECK(std::isfinite(portable_exp(88.72f)));
    CHECK(portable_exp(88.73f) == kInfinity);
    CHECK(portable_exp(1e30f) == kInfinity);
    CHECK(portable_exp(kInfinity) == kInfinity);
    CHECK(portable_exp(-103.0f) > 0.0f);
    CHECK(portable_exp(-104.0f) == 0.0f);
    CHECK(portable_exp(-kInfinity) == 0.0f);
    CHECK(std::isnan(portable_exp(std::numeric_limits<float>::quiet_NaN())));
    CHECK(std::isnan(portable_exp(-std::numeric_limits<float>::quiet_NaN())));
}

void sigmoid_is_close_and_stable() {
    double worst = 0.0;
    for (int i = -80 * 4096; i < 80 * 4096; ++i) {
        const float x = static_cast<float>(i) / 4096.0f;
        const double e = std::exp(-std::fabs(static_cast<double>(x)));
        worst = std::max(worst, ulps(sigmoid(x), (x < 0.0f ? e : 1.0) / (1.0 + e)));
    }
    CHECK(worst < 3.0);
    CHECK(sigmoid(0.0f) == 0.5f);
    CHECK(sigmoid(kInfinity) == 1.0f);
    CHECK(sigmoid(-kInfinity) == 0.0f);
    CHECK(std::isnan(sigmoid(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace

int main() {
    exp_is_close_to_libm();
    exp_at_the_ends();
    sigmoid_is_close_and_stable();
    return finish();
}
