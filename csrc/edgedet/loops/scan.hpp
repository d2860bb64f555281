#pragma once

#include "edgedet/exp.hpp"
#include "edgedet/half.hpp"
#include "edgedet/loops/vector.hpp"
#include "edgedet/vector_loops.hpp"

// See vector_loops.cpp: static functions only.

namespace edgedet::EDGEDET_LEVEL {

/// No wider: what is scanned begins anywhere, and nearly every load of 64 bytes would touch two cache lines.
constexpr std::size_t kScanBytes = kVectorBytes < 32 ? kVectorBytes : 32;

template <class T, std::size_t kBytes>
struct ScanVector {
    static constexpr std::size_t kSize = kBytes / sizeof(T);
    typedef T Type __attribute__((vector_size(kBytes)));
};

/// What is compared of a number: itself, or of float16, as std::int16_t, its place in the order of numbers.
template <class Vector>
static inline Vector ordered(Vector values) {
    if constexpr (sizeof(values[0]) == sizeof(std::int16_t)) {
        return values ^ ((values >> 15) & 0x7FFF);
    } else {
        return values;
    }
}

/// The largest so far, lane by lane; NaN, which is never greater, is no float32 maximum.
template <class T, std::size_t kBytes>
struct Tops {
    using Vector = typename ScanVector<T, kBytes>::Type;
    static constexpr std::size_t kSize = ScanVector<T, kBytes>::kSize;

    Vector a, b, c, d;  // four, since one would wait for itself

    explicit Tops(T lowest) : a(Vector{} + lowest), b(a), c(a), d(a) {}

    static inline void raise(Vector& top, const T* from) {
        const Vector values = ordered(load<Vector>(from));
        top = values > top ? values : top;
    }

    /// Takes a run of at least kSize numbers; its last vector may overlap the one before.
    inline void take(const T* run, std::size_t count) {
        std::size_t i = 0;
        for (; i + 4 * kSize <= count; i += 4 * kSize) {
            raise(a, run + i);
            raise(b, run + i + kSize);
            raise(c, run + i + 2 * kSize);
            raise(d, run + i + 3 * kSize);
        }
        if (i + 2 * kSize <= count) {
            raise(a, run + i);
            raise(b, run + i + kSize);
            i += 2 * kSize;
        }
        if (i + kSize <= count) {
            raise(c, run + i);
            i += kSize;
        }
        if (i < count) {
            raise(d, run + count - kSize);
        }
    }

    inline T largest() {
        a = a > b ? a : b;
        c = c > d ? c : d;
        a = a > c ? a : c;
        T top = a[0];
        for (std::size_t k = 1; k < kSize; ++k) {
            top = a[k] > top ? a[k] : top;
        }
        return top;
    }
};

template <class T, std::size_t kBytes>
static inline std::uint32_t exceeding_rows(const RowRuns<T>& runs, T cutoff, T lowest) {
    Tops<T, kBytes> tops(lowest);
    for (std::size_t row = 0; row < runs.rows; ++row) {
        tops.take(runs.first + row * runs.stride, runs.count);
    }
    if (!(tops.largest() > cutoff)) {
        return 0;  // nearly always
    }
    std::uint32_t found = 0;
    for (std::size_t row = 0; row < runs.rows; ++row) {
        Tops<T, kBytes> own(lowest);
        own.take(runs.first + row * runs.stride, runs.count);
        found |= std::uint32_t{own.largest() > cutoff} << row;
    }
    return found;
}

template <class T>
static inline std::uint32_t exceeding(const RowRuns<T>& runs, T cutoff, T lowest) {
    if (runs.count >= kScanBytes / sizeof(T)) {
        return exceeding_rows<T, kScanBytes>(runs, cutoff, lowest);
    }
    if (kScanBytes > 16 && runs.count >= 16 / sizeof(T)) {
        return exceeding_rows<T, 16>(runs, cutoff, lowest);
    }
    return exceeding_rows<T, sizeof(T)>(runs, cutoff, lowest);
}

static std::uint32_t exceeding_floats(const RowRuns<float>& runs, float cutoff) {
    return exceeding(runs, cutoff, -__builtin_huge_valf());
}

static std::uint32_t exceeding_halves(const RowRuns<std::int16_t>& runs, std::int16_t cutoff) {
    return exceeding(runs, cutoff, static_cast<std::int16_t>(-0x8000));
}

static std::size_t above(const float* values, std::size_t count, float cutoff, std::uint32_t* out) {
    constexpr float kInfinity = __builtin_huge_valf();
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        // Written always and counted when it passes: no branch, so none that is mispredicted.
        out[found] = static_cast<std::uint32_t>(i);
        found += static_cast<std::size_t>((values[i] > cutoff) & (values[i] < kInfinity));
    }
    return found;
}

/// Lanes, so that sums become vectors without leave to reorder: the order is ours, on every machine.
constexpr std::size_t kLanes = 8;

static void widen(const std::uint16_t* halves, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = widen_half(halves[i]);
    }
}

static float largest(const float* values, std::size_t count) {
    constexpr std::size_t kSize = kScanBytes / sizeof(float);
    float top = -__builtin_huge_valf();
    if (count >= kSize) {
        Tops<float, kScanBytes> tops(top);
        tops.take(values, count);
        return tops.largest();
    }
    for (std::size_t i = 0; i < count; ++i) {
        top = values[i] > top ? values[i] : top;
    }
    return top;
}

static float exponentials(const float* values, std::size_t count, float top, float* out) {
    for (std::size_t j = 0; j < count; ++j) {
        out[j] = portable_exp(values[j] - top);
    }
    float lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t k = 0; k < kLanes; ++k) {
            lanes[k] += out[i + k];
        }
    }
    for (; i < count; ++i) {
        lanes[0] += out[i];
    }
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace edgedet::EDGEDET_LEVEL
