#pragma once

#include <string>
#include <vector>

#include "edgedet/vector_loops.hpp"

namespace edgedet {

/// A set of instructions that the loops were compiled for.
struct VectorLevel {
    const char* name;  ///< scalar, baseline (x86-64's SSE2) or neon, avx2, avx512
    const VectorLoops* loops;
};

/// Those that this machine can run, slowest first; the last is chosen unless the environment says otherwise.
const std::vector<VectorLevel>& vector_levels();

/// The level of that name; one that this machine lacks is the best that it has. Empty: the best.
/// Throws std::invalid_argument at a name that is none.
const VectorLevel& find_vector_level(const std::string& name);

/// The level in use: what EDGEDET_VECTOR_LEVEL says, read once.
const VectorLevel& vector_level();

inline const VectorLoops& loops() { return *vector_level().loops; }

}  // namespace edgedet
