#pragma once

#include <cstdio>
#include <cstdlib>

// Enough of a test framework: a failed check says where, and the program's exit code says how many failed.

inline int& failures() {
    static int count = 0;
    return count;
}

inline void report(bool passed, const char* what, const char* file, int line) {
    if (!passed) {
        std::printf("%s:%d: failed: %s\n", file, line, what);
        ++failures();
    }
}

#define CHECK(condition) report((condition), #condition, __FILE__, __LINE__)

/// Passes when `call` throws `Type` with `text` in its message.
#define CHECK_THROWS(call, Type, text)                                            \
    do {                                                                          \
        bool thrown = false;                                                      \
        try {                                                                     \
            call;                                                                 \
        } catch (const Type& error) {                                             \
            thrown = std::string(error.what()).find(text) != std::string::npos;   \
        }                                                                         \
        report(thrown, #call " throws " #Type " with " text, __FILE__, __LINE__); \
    } while (false)

inline int finish() { return failures() == 0 ? EXIT_SUCCESS : EXIT_FAILURE; }
