#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "edgedet/mslite_graph.hpp"

namespace edgedet::mslite {

/// A lock that any thread may give back, and that says so when the thread that has it asks for it again.
class Turn {
  public:
    void take();
    void give();

  private:
    std::mutex mutex_;
    std::condition_variable given_;
    bool taken_ = false;
    std::thread::id owner_;
};

/// Tells whether a file is still the one that was looked at.
struct FileStamp {
    std::uint64_t device, inode, size;
    std::int64_t seconds, nanoseconds;

    bool operator==(const FileStamp& other) const;
};

class Model;

/// The sole use of a model until it is given back (or destroyed).
///
/// One lock from the first byte of input to the last of output: the library's own covers predict only, and its output
/// buffers are shared. Not itself for several threads at once.
class Slot {
  public:
    explicit Slot(std::shared_ptr<Model> model) : model_(std::move(model)) {}
    ~Slot() { release(); }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    /// One shape for each input, all sizes above 0; nothing happens when the network has them.
    void resize(const std::vector<Shape>& shapes);
    Tensor input(std::size_t index);
    std::vector<Tensor> predict();
    /// Keeps the memory of the tensors above: hold it as long as their data.
    std::shared_ptr<const void> memory();
    void release();

  private:
    Model& model();

    std::shared_ptr<Model> model_;
};

/// A network that several threads may use: they take turns.
///
/// After a failed resize or predict the network is built again at its next use, from the same file, which must not have
/// changed meanwhile.
class Model : public std::enable_shared_from_this<Model> {
  public:
    /// Throws Error.
    Model(std::shared_ptr<const Library> library, std::string path, Options options);

    const std::vector<Tensor>& inputs() const { return inputs_; }    ///< as described when it was loaded
    const std::vector<Tensor>& outputs() const { return outputs_; }  ///< likewise

    /// Waits for its turn; null when the model is closed. Throws Error when this thread has a slot already.
    std::unique_ptr<Slot> borrow();
    /// Waits for its turn, then frees the network; may be called twice.
    void close();

  private:
    friend class Slot;

    Graph& graph();
    void build();

    const std::shared_ptr<const Library> library_;
    const std::string path_;
    const Options options_;
    FileStamp stamp_;
    std::vector<Tensor> inputs_;
    std::vector<Tensor> outputs_;

    // What only the one whose turn it is may touch.
    Turn turn_;
    bool closed_ = false;
    std::shared_ptr<Graph> graph_;  ///< null: to be built at its next use
    std::vector<Shape> shapes_;     ///< the graph's
};

}  // namespace edgedet::mslite
