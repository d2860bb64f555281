#include "edgedet/mslite_graph.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace edgedet::mslite {

namespace {

// Far above what a network has; a count beyond it is rubbish, and would be read.
constexpr std::size_t kMaxTensors = 4096;

DataType data_type(int code) {
    switch (code) {
        case 30:
            return {"bool", 1};
        case 32:
            return {"int8", 1};
        case 33:
            return {"int16", 2};
        case 34:
            return {"int32", 4};
        case 35:
            return {"int64", 8};
        case 37:
            return {"uint8", 1};
        case 38:
            return {"uint16", 2};
        case 39:
            return {"uint32", 4};
        case 40:
            return {"uint64", 8};
        case 42:
            return {"float16", 2};
        case 43:
            return {"float32", 4};
        case 44:
            return {"float64", 8};
        default:
            return {nullptr, 0};
    }
}

/// The handle of a new thing, or an error: the library answers null when it has no memory.
Handle made(Handle handle, const char* what) {
    if (handle == nullptr) {
        throw Error(std::string("a null ") + what);
    }
    return handle;
}

void check(Status status) {
    if (status != kSuccess) {
        throw Error(status_text(status));
    }
}

/// A context until a model takes it over.
class Context {
  public:
    Context(const Api& api, const Options& options) : api_(api), handle_(made(api.ContextCreate(), "context")) {
        if (options.threads > 0) {
            api.ContextSetThreadNum(handle_, options.threads);
        }
        if (options.affinity_mode > 0) {
            api.ContextSetThreadAffinityMode(handle_, options.affinity_mode);
        }
        if (!options.cores.empty()) {
            api.ContextSetThreadAffinityCoreList(handle_, options.cores.data(), options.cores.size());
        }
    }
    ~Context() {
        if (handle_ != nullptr) {
            api_.ContextDestroy(&handle_);
        }
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void add_cpu(bool fp16) {
        const Handle device = made(api_.DeviceInfoCreate(kDeviceCpu), "device");
        api_.DeviceInfoSetEnableFP16(device, fp16);
        api_.ContextAddDeviceInfo(handle_, device);
    }
    Handle release() { return std::exchange(handle_, nullptr); }

  private:
    const Api& api_;
    Handle handle_;
};

const HandleArray& checked(const HandleArray& array, const char* what) {
    if (array.count == 0 || array.count > kMaxTensors || array.list == nullptr) {
        throw Error((array.list == nullptr ? "a null list of " : "a list of ") + std::to_string(array.count) + " " +
                    what);
    }
    return array;
}

Tensor describe(const Api& api, Handle handle, const char* what) {
    made(handle, what);
    const char* name = api.TensorGetName(handle);
    if (name == nullptr) {
        throw Error(std::string(what) + " without a name");
    }
    std::size_t rank = 0;
    const std::int64_t* dims = api.TensorGetShape(handle, &rank);
    if (rank > kMaxRank || (rank > 0 && dims == nullptr)) {
        throw Error(std::string(what) + " " + name + " without a shape");
    }
    Tensor tensor{name, {}, data_type(api.TensorGetDataType(handle)), api.TensorGetFormat(handle)};
    if (rank > 0) {
        tensor.shape.assign(dims, dims + rank);
    }
    if (std::any_of(tensor.shape.begin(), tensor.shape.end(), [](std::int64_t dim) { return dim < -1; })) {
        throw Error(std::string(what) + " " + name + " with a negative size");
    }
    if (tensor.type.name == nullptr) {
        throw Error(std::string(what) + " " + name + " of type " + std::to_string(api.TensorGetDataType(handle)));
    }
    return tensor;
}

std::vector<Tensor> describe_all(const Api& api, const HandleArray& array, const char* what, const char* plural) {
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < checked(array, plural).count; ++i) {
        tensors.push_back(describe(api, array.list[i], what));
    }
    return tensors;
}

/// Bytes of a tensor by its shape, or an error when that is no size yet, or none that memory has.
std::size_t byte_count(const Tensor& tensor) {
    std::size_t bytes = tensor.type.size;
    for (const std::int64_t dim : tensor.shape) {
        if (dim < 0) {
            throw Error("tensor " + tensor.name + " of unknown size");
        }
        const auto factor = static_cast<std::size_t>(dim);
        if (factor > 0 && bytes > std::numeric_limits<std::size_t>::max() / 2 / factor) {
            throw Error("tensor " + tensor.name + " larger than memory");
        }
        bytes *= factor;
    }
    return bytes;
}

/// Gives the tensor its data. The pointer will be read or written as far as the shape goes: both must agree.
void attach(const Api& api, Handle handle, Tensor& tensor, void* data) {
    const std::size_t expected = byte_count(tensor);
    const std::size_t bytes = api.TensorGetDataSize(handle);
    if (bytes != expected) {
        throw Error(std::to_string(bytes) + " bytes in tensor " + tensor.name + " where its shape needs " +
                    std::to_string(expected));
    }
    if (data == nullptr && bytes > 0) {
        throw Error("tensor " + tensor.name + " without data");
    }
    tensor.data = data;
}

}  // namespace

Graph::Graph(std::shared_ptr<const Library> library, const std::string& path, const Options& options)
    : library_(std::move(library)) {
    Context context(api(), options);
    context.add_cpu(options.fp16);
    model_ = made(api().ModelCreate(), "model");
    const Status status = api().ModelBuildFromFile(model_, path.c_str(), kModelMindIR, context.release());
    if (status != kSuccess) {
        api().ModelDestroy(&model_);
        throw Error(status_text(status));
    }
}

Graph::~Graph() { api().ModelDestroy(&model_); }

std::vector<Tensor> Graph::inputs() const {
    return describe_all(api(), api().ModelGetInputs(model_), "input", "inputs");
}

std::vector<Tensor> Graph::outputs() const {
    return describe_all(api(), api().ModelGetOutputs(model_), "output", "outputs");
}

Tensor Graph::input(std::size_t index) const {
    const HandleArray array = api().ModelGetInputs(model_);
    if (index >= checked(array, "inputs").count) {
        throw Error(std::to_string(array.count) + " inputs");
    }
    Tensor tensor = describe(api(), array.list[index], "input");
    attach(api(), array.list[index], tensor, api().TensorGetMutableData(array.list[index]));
    return tensor;
}

void Graph::resize(const std::vector<Shape>& shapes) {
    std::vector<ShapeInfo> infos;
    for (const Shape& shape : shapes) {
        ShapeInfo info{shape.size(), {}};
        std::copy(shape.begin(), shape.end(), info.dims);
        infos.push_back(info);
    }
    const HandleArray array = api().ModelGetInputs(model_);
    checked(array, "inputs");
    check(api().ModelResize(model_, array, infos.data(), infos.size()));
    const std::vector<Tensor> resized = inputs();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        if (resized.at(i).shape != shapes[i]) {
            throw Error("input " + resized[i].name + " of another shape after success");
        }
    }
}

std::vector<Tensor> Graph::predict() {
    HandleArray outputs{0, nullptr};
    const HandleArray given = api().ModelGetInputs(model_);
    checked(given, "inputs");
    check(api().ModelPredict(model_, given, &outputs, nullptr, nullptr));
    std::vector<Tensor> tensors = describe_all(api(), outputs, "output", "outputs");
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        // Only read from here on.
        attach(api(), outputs.list[i], tensors[i], const_cast<void*>(api().TensorGetData(outputs.list[i])));
    }
    return tensors;
}

}  // namespace edgedet::mslite
