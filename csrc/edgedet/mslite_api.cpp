#include "edgedet/mslite_api.hpp"

#include <dlfcn.h>

namespace edgedet::mslite {

namespace {

std::string loader_error() {
    const char* text = dlerror();
    return text == nullptr ? "no reason from the loader" : text;
}

template <class Function>
void resolve(void* library, const std::string& name, Function& function) {
    void* symbol = dlsym(library, name.c_str());
    if (symbol == nullptr) {
        throw Error("a library without " + name);
    }
    function = reinterpret_cast<Function>(symbol);
}

std::string find_prefix(void* library) {
    for (const char* prefix : {"MS", "OH_AI_"}) {
        if (dlsym(library, (prefix + std::string("ModelCreate")).c_str()) != nullptr) {
            return prefix;
        }
    }
    throw Error("a library without MSModelCreate or OH_AI_ModelCreate");
}

std::string file_of(void* symbol, const std::string& otherwise) {
    Dl_info info;
    return dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : otherwise;
}

}  // namespace

Library::Library(const std::string& wanted) {
    // Local: another library in this process may have symbols of the same names.
    void* library = dlopen(wanted.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw Error(loader_error());
    }
    prefix = find_prefix(library);
#define EDGEDET_RESOLVE(result, name, arguments) resolve(library, prefix + #name, api.name);
    EDGEDET_MSLITE_FUNCTIONS(EDGEDET_RESOLVE)
#undef EDGEDET_RESOLVE
    path = file_of(reinterpret_cast<void*>(api.ModelCreate), wanted);
}

}  // namespace edgedet::mslite
