#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace edgedet::mslite {

using Status = std::uint32_t;

inline constexpr Status kSuccess = 0;

/// The library's own name of a status and its number: "operator not found (0xFFFFFED4)".
std::string status_text(Status status);

/// What the library did instead of what was asked. `what()` is the middle of a sentence: "expected …, got <what>; …".
class Error : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace edgedet::mslite
