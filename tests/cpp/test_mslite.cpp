#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "edgedet/mslite.hpp"

// Against the double in tests/mslite_double, which is told by the model file what to be and how to misbehave.

using edgedet::mslite::Error;
using edgedet::mslite::Library;
using edgedet::mslite::Model;
using edgedet::mslite::Options;
using edgedet::mslite::Shape;
using edgedet::mslite::Slot;
using edgedet::mslite::Tensor;

namespace {

const std::string kInput = "input x 43 0 1 2 2 2";  // eight float32

std::shared_ptr<const Library> library() {
    static const auto opened = std::make_shared<const Library>(MSLITE_DOUBLE);
    return opened;
}

long ask_double(const char* function) {
    void* handle = dlopen(MSLITE_DOUBLE, RTLD_NOW | RTLD_NOLOAD);
    const long answer = reinterpret_cast<long (*)()>(dlsym(handle, function))();
    dlclose(handle);
    return answer;
}

/// A model file that is gone at the end of the test.
class File {
  public:
    explicit File(const std::string& graph, const std::string& behaviour = "", const std::string& input = kInput) {
        path = (std::filesystem::temp_directory_path() / "edgedet-mslite-XXXXXX").string();
        close(mkstemp(path.data()));
        std::ofstream(path) << "    MSL2" << std::string(64, ' ') << "double 1\ngraph " << graph << '\n'
                            << input << '\n'
                            << behaviour << "\nend\n";
    }
    ~File() { std::remove(path.c_str()); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string path;
};

std::shared_ptr<Model> open(const File& file, const Options& options = {}) {
    return std::make_shared<Model>(library(), file.path, options);
}

void write(Slot& slot, float value, std::size_t count = 8) {
    float* data = static_cast<float*>(slot.input(0).data);
    for (std::size_t i = 0; i < count; ++i) {
        data[i] = value + static_cast<float>(i);
    }
}

float first(const Tensor& tensor) { return *static_cast<const float*>(tensor.data); }

float answer(Model& model, float value) {
    const auto slot = model.borrow();
    write(*slot, value);
    return first(slot->predict().at(0));
}

template <class Call>
std::string complaint_of(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

void describes_and_runs() {
    const File file("affine 2 1");
    const auto model = open(file, {2, 1, {0}, true});
    CHECK(model->inputs().size() == 1 && model->inputs()[0].name == "x");
    CHECK((model->inputs()[0].shape == Shape{1, 2, 2, 2}));
    CHECK(std::string(model->outputs()[0].type.name) == "float32");
    CHECK(answer(*model, 3) == 7);
    CHECK(answer(*model, 4) == 9);
}

void libraries_that_are_none() {
    CHECK_THROWS(Library("/no/such/library.so"), Error, "/no/such/library.so");
    CHECK_THROWS(Library("libc.so.6"), Error, "a library without MSModelCreate");
    CHECK(library()->prefix == "MS" && library()->path == MSLITE_DOUBLE);
}

void refused_files() {
    CHECK_THROWS(open(File("identity", "build_status 0xFFFFFF38")), Error, "graph file error (0xFFFFFF38)");
    CHECK_THROWS(open(File("identity", "build_status 0xFFFFFED4")), Error, "operator not found (0xFFFFFED4)");
    CHECK_THROWS(open(File("identity", "build_status 7")), Error, "unknown status (0x00000007)");
    const File gone("identity");
    std::remove(gone.path.c_str());
    CHECK_THROWS(open(gone), Error, "No such file");
    const File text("identity");
    std::ofstream(text.path) << "a text";
    CHECK_THROWS(open(text), Error, "common error (0xFFFFFFFF)");
}

void null_handles() {
    const File file("identity");
    for (const std::string what : {"Context", "Device", "Model"}) {
        setenv("MSLITE_DOUBLE_NULL", what.c_str(), 1);
        CHECK_THROWS(open(file), Error, "a null ");
        unsetenv("MSLITE_DOUBLE_NULL");
    }
}

void lies_at_load() {
    const std::vector<std::pair<std::string, std::string>> lies{
        {"inputs_count 0", "a list of 0 inputs"},          {"inputs_count 99999999999", "a list of 99999999999 inputs"},
        {"outputs_null_list", "a null list of 1 outputs"}, {"inputs_null_handle", "a null input"},
        {"outputs_null_handle", "a null output"},          {"null_name", "input without a name"},
        {"null_shape", "input x without a shape"},         {"report_rank 33", "input x without a shape"},
        {"report_type 12", "input x of type 12"},
    };
    for (const auto& [lie, complaint] : lies) {
        const File file("identity", lie);
        CHECK(complaint_of([&file] { open(file); }).find(complaint) == 0);
    }
    CHECK_THROWS(open(File("identity", "", "input x 43 0 1 -7")), Error, "input x with a negative size");
}

void lies_at_run() {
    const std::vector<std::pair<std::string, std::string>> lies{
        {"extra_bytes 4", "36 bytes in tensor x where its shape needs 32"},
        {"null_input_data", "tensor x without data"},
        {"null_data", "tensor y without data"},
        {"predicted_count 0", "a list of 0 outputs"},
        {"predicted_null_list", "a null list"},
        {"predicted_null_handle", "a null output"},
        {"rename_outputs", "output renamed float32 in place of y float32"},
        {"predict_status 0xFFFFFED1", "operator execution failure (0xFFFFFED1)"},
    };
    for (const auto& [lie, complaint] : lies) {
        const auto model = open(File("identity", lie));
        CHECK(complaint_of([&model] { answer(*model, 1); }).find(complaint) == 0);
    }
    const auto fewer = open(File("contract", "predicted_count 2"));
    CHECK_THROWS(answer(*fewer, 1), Error, "2 outputs where the model has 3");
}

void failed_predict_is_followed_by_a_good_one() {
    const File file("affine 1 0", "refuse_value 5");
    const auto model = open(file);
    CHECK_THROWS(answer(*model, 5), Error, "operator execution failure");
    CHECK(answer(*model, 6) == 6);
}

void buffers_that_move() {
    const File file("affine 1 0", "move_outputs");
    const auto model = open(file);
    for (int i = 0; i < 20; ++i) {
        CHECK(answer(*model, static_cast<float>(i)) == static_cast<float>(i));
    }
}

void resizes_only_when_it_must() {
    const File file("affine 1 0", "refuse_size 13", "input x 43 0 1 -1");
    const auto model = open(file);
    CHECK((model->inputs()[0].shape == Shape{1, -1}));
    {
        const auto slot = model->borrow();
        CHECK_THROWS(slot->input(0), Error, "tensor x of unknown size");
        CHECK_THROWS(slot->predict(), Error, "an input of unknown size");
        CHECK_THROWS(slot->resize({{1, 0}}), std::invalid_argument, "sizes above 0");
        CHECK_THROWS(slot->resize({}), std::invalid_argument, "one of sizes above 0 for each input");
    }
    const long before = ask_double("mslite_double_resizes");
    for (const std::int64_t size : {4, 4, 4, 9, 9, 4}) {
        const auto slot = model->borrow();
        slot->resize({{1, size}});
        write(*slot, 2, static_cast<std::size_t>(size));
        CHECK((slot->predict()[0].shape == Shape{1, size}));
    }
    CHECK(ask_double("mslite_double_resizes") - before == 3);
    {
        const auto slot = model->borrow();
        CHECK_THROWS(slot->resize({{1, 13}}), Error, "common error");
        slot->resize({{1, 5}});  // the model was of no more use: this is a new one
        write(*slot, 1, 5);
        CHECK(first(slot->predict()[0]) == 1);
    }
    CHECK_THROWS(open(File("affine 1 0", "resize_lies"))->borrow()->resize({{2, 2, 2, 2}}), Error, "of another shape");
}

void views_outlive_everything() {
    const File file("affine 1 0", "", "input x 43 0 1 -1");
    std::vector<Tensor> outputs;
    std::shared_ptr<const void> memory;
    const auto model = open(file);
    {
        const auto slot = model->borrow();
        slot->resize({{1, 4}});
        write(*slot, 3, 4);
        outputs = slot->predict();
        memory = slot->memory();
    }
    model->borrow()->resize({{1, 6}});
    CHECK(first(outputs[0]) == 3);
    model->close();
    CHECK(first(outputs[0]) == 3);
}

void changed_file_is_not_loaded_again() {
    const File file("affine 1 0", "refuse_value 5");
    const auto model = open(file);
    CHECK_THROWS(answer(*model, 5), Error, "operator execution failure");
    std::ofstream(file.path, std::ios::app) << "more";
    CHECK_THROWS(answer(*model, 6), Error, "a file that has changed");
}

void closed_model() {
    const File file("identity");
    const auto model = open(file);
    auto slot = model->borrow();
    CHECK_THROWS(model->close(), Error, "a call from inside a slot");
    CHECK_THROWS(model->borrow(), Error, "a call from inside a slot");
    slot->release();
    CHECK_THROWS(slot->predict(), Error, "a slot that was given back");
    model->close();
    model->close();
    CHECK(model->borrow() == nullptr);
}

void threads_take_turns() {
    const File file("affine 2 0");
    const auto model = open(file);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&wrong, &model, t] {
            for (int i = 0; i < 300; ++i) {
                const auto value = static_cast<float>(1000 * t + i);
                wrong += answer(*model, value) == 2 * value ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
}

void close_waits_for_predict() {
    const File file("affine 2 0", "predict_sleep 50");
    const auto model = open(file);
    std::atomic<bool> inside{false};
    std::thread other([&] {
        const auto slot = model->borrow();
        write(*slot, 4);
        inside = true;
        CHECK(first(slot->predict()[0]) == 8);
    });
    while (!inside) {
        std::this_thread::yield();
    }
    model->close();
    other.join();
}

void slot_given_back_by_another_thread() {
    const File file("affine 2 0");
    const auto model = open(file);
    auto slot = model->borrow();
    std::thread([&slot] { slot.reset(); }).join();
    CHECK(answer(*model, 1) == 2);
}

}  // namespace

int main() {
    describes_and_runs();
    libraries_that_are_none();
    refused_files();
    null_handles();
    lies_at_load();
    lies_at_run();
    failed_predict_is_followed_by_a_good_one();
    buffers_that_move();
    resizes_only_when_it_must();
    views_outlive_everything();
    changed_file_is_not_loaded_again();
    closed_model();
    threads_take_turns();
    close_waits_for_predict();
    slot_given_back_by_another_thread();
    CHECK(ask_double("mslite_double_live") == 0);
    return finish();
}
