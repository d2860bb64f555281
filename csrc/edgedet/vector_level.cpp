#include "edgedet/vector_level.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace edgedet {

namespace {

#ifdef __aarch64__
constexpr const char* kBaseline = "neon";
#else
constexpr const char* kBaseline = "baseline";
#endif

constexpr std::array<const char*, 5> kNames{"scalar", "baseline", "neon", "avx2", "avx512"};

std::vector<VectorLevel> supported() {
    std::vector<VectorLevel> levels{{"scalar", &scalar::kLoops}, {kBaseline, &baseline::kLoops}};
#ifdef EDGEDET_X86_LEVELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) {
        levels.push_back({"avx2", &avx2::kLoops});
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
            levels.push_back({"avx512", &avx512::kLoops});
        }
    }
#endif
    return levels;
}

}  // namespace

const std::vector<VectorLevel>& vector_levels() {
    static const std::vector<VectorLevel> levels = supported();
    return levels;
}

const VectorLevel& find_vector_level(const std::string& name) {
    const std::vector<VectorLevel>& levels = vector_levels();
    for (const VectorLevel& level : levels) {
        if (level.name == name) {
            return level;
        }
    }
    if (!name.empty() && std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
        throw std::invalid_argument("EDGEDET_VECTOR_LEVEL: expected scalar, baseline, neon, avx2 or avx512, got " +
                                    name + "; do unset it to have the best");
    }
    return levels.back();
}

const VectorLevel& vector_level() {
    static const VectorLevel& level = []() -> const VectorLevel& {
        const char* name = std::getenv("EDGEDET_VECTOR_LEVEL");
        return find_vector_level(name == nullptr ? "" : name);
    }();
    return level;
}

}  // namespace edgedet
