// Runs one kernel once, for callgrind to count: count_instructions JOB.
// Without an argument it says what compiled it and lists the jobs.

#include <gnu/libc-version.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "edgedet/vector_level.hpp"
#include "job.hpp"

/// What callgrind looks for by name (--toggle-collect).
extern "C" __attribute__((noinline)) void counted(const Work& work) { work(); }

namespace {

#ifdef __clang__
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

std::vector<Job> all_jobs() {
    std::vector<Job> jobs;
    for (const auto& list : {box_jobs(), detect_jobs(), pixel_jobs(), spp_jobs()}) {
        jobs.insert(jobs.end(), list.begin(), list.end());
    }
    return jobs;
}

/// A level that this machine lacks would be replaced in silence, and its count would be another's.
bool has_wanted_level() {
    const char* wanted = std::getenv("EDGEDET_VECTOR_LEVEL");
    return wanted == nullptr || std::string(wanted) == edgedet::vector_level().name;
}

}  // namespace

int main(int argc, char** argv) try {
    if (!has_wanted_level()) {
        std::fprintf(stderr, "this machine's best vector level is %s\n", edgedet::vector_level().name);
        return 3;
    }
    if (argc < 2) {
        std::printf("%s, glibc %s\n", kCompiler, gnu_get_libc_version());
    }
    for (const Job& job : all_jobs()) {
        if (argc < 2) {
            std::puts(job.name.c_str());
        } else if (job.name == argv[1]) {
            counted(job.prepare());
            return EXIT_SUCCESS;
        }
    }
    return argc < 2 ? EXIT_SUCCESS : 2;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
}
