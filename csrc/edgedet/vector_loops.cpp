#include "edgedet/vector_loops.hpp"

// Compiled once for each vector level, as EDGEDET_LEVEL, with the compiler's options for it. Whatever is included below
// here must be static, and must not use inline functions of the standard library: the linker keeps one copy of such for
// the whole program, and it may be one that needs AVX-512.
#include "edgedet/loops/pixels.hpp"
#include "edgedet/loops/pool.hpp"
#include "edgedet/loops/resize.hpp"
#include "edgedet/loops/scan.hpp"
#include "edgedet/loops/transpose.hpp"
#include "edgedet/loops/yuv.hpp"

namespace edgedet::EDGEDET_LEVEL {

extern const VectorLoops kLoops;
const VectorLoops kLoops{
    exceeding_floats,
    exceeding_halves,
    above,
    widen,
    largest,
    exponentials,
    {widen_windows<float, false>, pool<float, false>},
    {widen_windows<float, true>, pool<float, true>},
    {widen_windows<std::int16_t, false>, pool<std::int16_t, false>},
    transpose<float>,
    split_pixels,
    merge_pixels,
    normalize_run,
    blend_columns,
    blend_rows,
    blend_normalized,
    split_pairs,
    merge_pairs,
    yuv_to_planes,
};

}  // namespace edgedet::EDGEDET_LEVEL
