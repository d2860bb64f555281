#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "edgedet/mslite_api.hpp"

namespace edgedet::mslite {

using Shape = std::vector<std::int64_t>;

/// How the CPU runs a network.
struct Options {
    std::int32_t threads = 0;         ///< 0 leaves the number to the library
    int affinity_mode = 0;            ///< 0 none, 1 big cores first, 2 middle cores first
    std::vector<std::int32_t> cores;  ///< the cores to run on; empty: any
    bool fp16 = false;                ///< half precision where the processor has it
};

/// NumPy's name of a data type and the size of an element; null and 0 for a type that no array has.
struct DataType {
    const char* name;
    std::size_t size;
};

/// A tensor at a network's edge, as the library described it when it was asked.
struct Tensor {
    std::string name;
    Shape shape;  ///< -1 is a dimension that is not known yet
    DataType type;
    int format;
    void* data = nullptr;  ///< the library's own; null when only described
};

/// One built network. Not safe for several threads: see Model.
///
/// Nothing that the library says is taken on trust: counts, handles, names, types and sizes that contradict each other
/// are an Error. Pointers are asked for anew each time, as the library may move its buffers.
class Graph {
  public:
    Graph(std::shared_ptr<const Library> library, const std::string& path, const Options& options);
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    std::vector<Tensor> inputs() const;
    std::vector<Tensor> outputs() const;
    /// Where the network reads input number `index`, to be written before predict.
    Tensor input(std::size_t index) const;
    /// One shape for each input. After an Error the graph is of no more use.
    void resize(const std::vector<Shape>& shapes);
    /// The outputs in the library's own buffers; the next predict overwrites them.
    std::vector<Tensor> predict();

  private:
    const Api& api() const { return library_->api; }

    std::shared_ptr<const Library> library_;
    Handle model_ = nullptr;
};

}  // namespace edgedet::mslite
