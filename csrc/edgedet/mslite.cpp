#include "edgedet/mslite.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace edgedet::mslite {

namespace {

FileStamp stamp_of(const std::string& path) {
    struct stat found;
    if (stat(path.c_str(), &found) != 0) {
        throw Error(std::strerror(errno));
    }
    return {found.st_dev, found.st_ino, static_cast<std::uint64_t>(found.st_size), found.st_mtim.tv_sec,
            found.st_mtim.tv_nsec};
}

std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors) {
    std::vector<Shape> shapes;
    for (const Tensor& tensor : tensors) {
        shapes.push_back(tensor.shape);
    }
    return shapes;
}

void check_sizes(const std::vector<Shape>& shapes, const std::vector<Tensor>& inputs) {
    bool fit = shapes.size() == inputs.size();
    for (const Shape& shape : shapes) {
        fit = fit && shape.size() <= kMaxRank &&
              std::all_of(shape.begin(), shape.end(), [](std::int64_t dim) { return dim > 0; });
    }
    if (!fit) {
        throw std::invalid_argument("shapes: expected one of sizes above 0 for each input, got others; correct them");
    }
}

bool all_known(const std::vector<Shape>& shapes) {
    return std::all_of(shapes.begin(), shapes.end(), [](const Shape& shape) {
        return std::all_of(shape.begin(), shape.end(), [](std::int64_t dim) { return dim >= 0; });
    });
}

/// Outputs are told apart by their places: these must be what they were.
void check_same(const std::vector<Tensor>& found, const std::vector<Tensor>& described) {
    if (found.size() != described.size()) {
        throw Error(std::to_string(found.size()) + " outputs where the model has " + std::to_string(described.size()));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i].name != described[i].name || found[i].type.name != described[i].type.name) {
            throw Error("output " + found[i].name + " " + found[i].type.name + " in place of " + described[i].name +
                        " " + described[i].type.name);
        }
    }
}

}  // namespace

void Turn::take() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (taken_ && owner_ == std::this_thread::get_id()) {
        throw Error("a call from inside a slot of the same model");
    }
    given_.wait(lock, [this] { return !taken_; });
    taken_ = true;
    owner_ = std::this_thread::get_id();
}

void Turn::give() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        taken_ = false;
    }
    given_.notify_one();
}

bool FileStamp::operator==(const FileStamp& other) const {
    return device == other.device && inode == other.inode && size == other.size && seconds == other.seconds &&
           nanoseconds == other.nanoseconds;
}

Model& Slot::model() {
    if (model_ == nullptr) {
        throw Error("a slot that was given back");
    }
    return *model_;
}

void Slot::resize(const std::vector<Shape>& shapes) {
    check_sizes(shapes, model().inputs_);
    model().graph();
    if (shapes == model().shapes_) {
        return;
    }
    // Somebody still looks at the old buffers: they keep their graph, and the model gets another.
    if (model().graph_.use_count() > 1) {
        model().build();
    }
    try {
        model().graph_->resize(shapes);
    } catch (const Error&) {
        model().graph_.reset();
        throw;
    }
    model().shapes_ = shapes;
}

Tensor Slot::input(std::size_t index) { return model().graph().input(index); }

std::vector<Tensor> Slot::predict() {
    Graph& graph = model().graph();
    if (!all_known(model().shapes_)) {
        throw Error("an input of unknown size");
    }
    try {
        std::vector<Tensor> outputs = graph.predict();
        check_same(outputs, model().outputs_);
        return outputs;
    } catch (const Error&) {
        model().graph_.reset();
        throw;
    }
}

std::shared_ptr<const void> Slot::memory() {
    model().graph();
    return model().graph_;
}

void Slot::release() {
    if (model_ != nullptr) {
        model_->turn_.give();
        model_.reset();
    }
}

Model::Model(std::shared_ptr<const Library> library, std::string path, Options options)
    : library_(std::move(library)), path_(std::move(path)), options_(std::move(options)), stamp_(stamp_of(path_)) {
    build();
    inputs_ = graph_->inputs();
    outputs_ = graph_->outputs();
}

void Model::build() {
    if (!(stamp_of(path_) == stamp_)) {
        throw Error("a file that has changed since it was opened");
    }
    graph_.reset();  // never two networks in memory at once
    graph_ = std::make_shared<Graph>(library_, path_, options_);
    shapes_ = shapes_of(graph_->inputs());
}

Graph& Model::graph() {
    if (graph_ == nullptr) {
        build();
    }
    return *graph_;
}

std::unique_ptr<Slot> Model::borrow() {
    turn_.take();
    auto slot = std::make_unique<Slot>(shared_from_this());
    return closed_ ? nullptr : std::move(slot);
}

void Model::close() {
    turn_.take();
    closed_ = true;
    graph_.reset();
    turn_.give();
}

}  // namespace edgedet::mslite
