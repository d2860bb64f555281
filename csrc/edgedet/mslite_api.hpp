#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "edgedet/mslite_status.hpp"

// MindSpore Lite's plain C API, declared here so that nothing of MindSpore is needed to build.

namespace edgedet::mslite {

using Handle = void*;  ///< a model, a context, a device or a tensor of the library

struct HandleArray {
    std::size_t count;
    Handle* list;  ///< the library's own
};

inline constexpr std::size_t kMaxRank = 32;

struct ShapeInfo {
    std::size_t rank;
    std::int64_t dims[kMaxRank];
};

inline constexpr int kModelMindIR = 0;  ///< what `.ms` is loaded as, too
inline constexpr int kDeviceCpu = 0;
inline constexpr int kFormatNchw = 0;
inline constexpr int kFormatNhwc = 1;

// F(result, name without its prefix, arguments). A context owns the devices added to it, a model the context it was
// built with, even when that failed. Destroy functions take the address of the handle.
#define EDGEDET_MSLITE_FUNCTIONS(F)                                                       \
    F(Handle, ContextCreate, ())                                                          \
    F(void, ContextDestroy, (Handle*))                                                    \
    F(void, ContextSetThreadNum, (Handle, std::int32_t))                                  \
    F(void, ContextSetThreadAffinityMode, (Handle, int))                                  \
    F(void, ContextSetThreadAffinityCoreList, (Handle, const std::int32_t*, std::size_t)) \
    F(void, ContextAddDeviceInfo, (Handle, Handle))                                       \
    F(Handle, DeviceInfoCreate, (int))                                                    \
    F(void, DeviceInfoSetEnableFP16, (Handle, bool))                                      \
    F(Handle, ModelCreate, ())                                                            \
    F(void, ModelDestroy, (Handle*))                                                      \
    F(Status, ModelBuildFromFile, (Handle, const char*, int, Handle))                     \
    F(HandleArray, ModelGetInputs, (Handle))                                              \
    F(HandleArray, ModelGetOutputs, (Handle))                                             \
    F(Status, ModelResize, (Handle, HandleArray, ShapeInfo*, std::size_t))                \
    F(Status, ModelPredict, (Handle, HandleArray, HandleArray*, void*, void*))            \
    F(const char*, TensorGetName, (Handle))                                               \
    F(int, TensorGetDataType, (Handle))                                                   \
    F(int, TensorGetFormat, (Handle))                                                     \
    F(const std::int64_t*, TensorGetShape, (Handle, std::size_t*))                        \
    F(std::size_t, TensorGetDataSize, (Handle))                                           \
    F(const void*, TensorGetData, (Handle))                                               \
    F(void*, TensorGetMutableData, (Handle))

struct Api {
#define EDGEDET_DECLARE(result, name, arguments) result(*name) arguments = nullptr;
    EDGEDET_MSLITE_FUNCTIONS(EDGEDET_DECLARE)
#undef EDGEDET_DECLARE
};

/// The library, loaded for the rest of the process: it has threads and exit handlers of its own.
class Library {
  public:
    /// path: a file, or a bare name for the loader's own search. Throws Error: not loadable, or a symbol is missing.
    explicit Library(const std::string& path);

    Api api;
    std::string path;    ///< the file that the loader took
    std::string prefix;  ///< "MS", or "OH_AI_" in OpenHarmony's build
};

}  // namespace edgedet::mslite
