#include "edgedet/mslite_status.hpp"

#include <array>
#include <cstdio>

namespace edgedet::mslite {

namespace {

struct Name {
    std::uint32_t code;
    const char* text;
};

// A status is component | (0x0FFFFFFF & -code); these are the codes of the component Lite.
constexpr Status kLite = 0xF0000000u;
constexpr std::array<Name, 24> kLiteNames{{
    {1, "common error"},
    {2, "null pointer"},
    {3, "invalid parameter"},
    {4, "no change"},
    {5, "exit without an error"},
    {6, "out of memory"},
    {7, "not supported"},
    {8, "thread pool error"},
    {9, "not initialised"},
    {10, "file error"},
    {11, "service denied"},
    {12, "already built"},
    {100, "tensor out of range"},
    {101, "input tensor error"},
    {102, "re-entered"},
    {200, "graph file error"},
    {300, "operator not found"},
    {301, "invalid operator name"},
    {302, "invalid operator attribute"},
    {303, "operator execution failure"},
    {400, "format error"},
    {500, "shape inference error"},
    {501, "shape inference invalid before run time"},
    {600, "invalid input"},
}};

}  // namespace

std::string status_text(Status status) {
    const char* text = status == kSuccess ? "success" : "unknown status";
    for (const Name& name : kLiteNames) {
        if (status == (kLite | (0x0FFFFFFFu & (0u - name.code)))) {
            text = name.text;
        }
    }
    std::array<char, 16> number;
    std::snprintf(number.data(), number.size(), " (0x%08X)", static_cast<unsigned>(status));
    return text + std::string(number.data());
}

}  // namespace edgedet::mslite
