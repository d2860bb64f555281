#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "edgedet/detect.hpp"
#include "errors.hpp"

// The arrays that cross the border, by name; `_core.pyi` repeats the names. This is the only file that includes
// pybind11's NumPy part: a type caster seen in some files only would break the one-definition rule.

namespace edgedet::bindings {

inline constexpr py::ssize_t kAny = -1;

struct ListShape {
    static constexpr const char* kText = "(N,)";
    static constexpr std::array<py::ssize_t, 1> kSizes{kAny};
};
struct RowsOf4Shape {
    static constexpr const char* kText = "(N, 4)";
    static constexpr std::array<py::ssize_t, 2> kSizes{kAny, 4};
};
struct TableShape {
    static constexpr const char* kText = "(N, C)";
    static constexpr std::array<py::ssize_t, 2> kSizes{kAny, kAny};
};
struct MapShape {
    static constexpr const char* kText = "(C, H, W)";
    static constexpr std::array<py::ssize_t, 3> kSizes{kAny, kAny, kAny};
};
struct ImageShape {
    static constexpr const char* kText = "(H, W, 3)";
    static constexpr std::array<py::ssize_t, 3> kSizes{kAny, kAny, 3};
};

struct FrameShape {
    static constexpr const char* kText = "(H·3/2, W)";
    static constexpr std::array<py::ssize_t, 2> kSizes{kAny, kAny};
};
struct PairsShape {
    static constexpr const char* kText = "(H, W, 2)";
    static constexpr std::array<py::ssize_t, 3> kSizes{kAny, kAny, 2};
};

/// As NumPy prints a shape: (5, 3), or (5,).
inline std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t size : shape) {
        text += (text.empty() ? "" : ", ") + std::to_string(size);
    }
    return "(" + text + (shape.size() == 1 ? ",)" : ")");
}

inline std::vector<std::size_t> shape_of(const py::array& array) {
    return {array.shape(), array.shape() + array.ndim()};
}

// These ask NumPy's Python code, which takes as long as a small kernel: for refusals only.
inline std::string dtype_text(const py::dtype& dtype) { return py::str(dtype).cast<std::string>(); }
inline std::string array_text(const py::array& array) {
    return shape_text(shape_of(array)) + " " + dtype_text(array.dtype());
}

template <class Shape>
bool has_shape(const py::array& array) {
    bool same = array.ndim() == static_cast<py::ssize_t>(Shape::kSizes.size());
    for (std::size_t i = 0; same && i < Shape::kSizes.size(); ++i) {
        same = Shape::kSizes[i] == kAny || Shape::kSizes[i] == array.shape(static_cast<py::ssize_t>(i));
    }
    return same;
}

/// An argument that was checked: an ndarray of this dtype and shape. Strides may be anything.
template <class T, class Shape>
class Strided {
  public:
    Strided(py::handle value, const std::string& name) {
        if (!py::isinstance<py::array>(value)) {
            throw refusal(name, type_name(value),
                          "np.asarray(" + name + ", np." + dtype_text(py::dtype::of<T>()) + ")");
        }
        array_ = py::reinterpret_borrow<py::array>(value);
        if (!has_shape<Shape>(array_)) {
            throw refusal(name, array_text(array_), "reshape " + name);
        }
        if (!py::isinstance<py::array_t<T>>(array_)) {
            throw refusal(name, array_text(array_), name + ".astype(np." + dtype_text(py::dtype::of<T>()) + ")");
        }
    }

    const T* data() const { return static_cast<const T*>(array_.data()); }
    std::size_t size(int axis) const { return static_cast<std::size_t>(array_.shape(axis)); }
    py::ssize_t stride(int axis) const { return array_.strides(axis); }

  protected:
    py::array array_;

  private:
    static py::value_error refusal(const std::string& name, const std::string& got, const std::string& remedy) {
        const std::string expected = std::string(Shape::kText) + " " + dtype_text(py::dtype::of<T>());
        return py::value_error(complaint(name, expected, got, remedy));
    }
};

/// The same, and C-contiguous and aligned: copied when the caller's is not.
template <class T, class Shape>
class Packed : public Strided<T, Shape> {
  public:
    Packed(py::handle value, const std::string& name) : Strided<T, Shape>(value, name) {
        constexpr int kNeeded = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
        if ((this->array_.flags() & kNeeded) != kNeeded) {
            this->array_ = py::array(this->array_.attr("copy")("C"));
        }
    }
};

/// A network's own output: float32, or float16 as some accelerators give it.
template <class Shape>
class FloatOrHalf {
  public:
    FloatOrHalf(py::handle value, const std::string& name) {
        if (!py::isinstance<py::array>(value)) {
            throw refusal(name, type_name(value), "np.asarray(" + name + ", np.float32)");
        }
        array_ = py::reinterpret_borrow<py::array>(value);
        if (!has_shape<Shape>(array_)) {
            throw refusal(name, array_text(array_), "reshape " + name);
        }
        is_half_ = !py::isinstance<py::array_t<float>>(array_);
        if (is_half_ && !array_.dtype().equal(py::dtype("float16"))) {
            throw refusal(name, array_text(array_), name + ".astype(np.float32)");
        }
    }

    std::size_t size(int axis) const { return static_cast<std::size_t>(array_.shape(axis)); }
    bool is_half() const { return is_half_; }
    const py::array& array() const { return array_; }

  protected:
    bool has(int flags) const { return (array_.flags() & flags) == flags; }

    py::array array_;

  private:
    static py::value_error refusal(const std::string& name, const std::string& got, const std::string& remedy) {
        return py::value_error(complaint(name, std::string(Shape::kText) + " float16 or float32", got, remedy));
    }

    bool is_half_;
};

/// The same, C-contiguous and aligned: copied when the caller's is not.
template <class Shape>
class PackedFloatOrHalf : public FloatOrHalf<Shape> {
  public:
    PackedFloatOrHalf(py::handle value, const std::string& name) : FloatOrHalf<Shape>(value, name) {
        if (!this->has(py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
            this->array_ = py::array(this->array_.attr("copy")("C"));
        }
    }
};

/// A table with rows in either order of memory: the transposed view of a (C, N) array costs no copy.
template <class Shape>
class Network : public FloatOrHalf<Shape> {
  public:
    Network(py::handle value, const std::string& name) : FloatOrHalf<Shape>(value, name) {
        const int aligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
        const bool by_row = this->has(aligned | py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_);
        column_by_column_ = !by_row && this->has(aligned | py::detail::npy_api::NPY_ARRAY_F_CONTIGUOUS_);
        if (!by_row && !column_by_column_) {
            this->array_ = py::array(this->array_.attr("copy")("C"));
        }
    }

    NetworkTable table() const {
        return {this->array_.data(), this->size(0), this->size(1), this->is_half(), column_by_column_};
    }

  private:
    bool column_by_column_;
};

using DeltaArray = Packed<float, RowsOf4Shape>;          // ty tx th tw
using AnchorArray = Packed<float, RowsOf4Shape>;         // cy cx h w, normalised
using BoxArray = Packed<float, RowsOf4Shape>;            // x1 y1 x2 y2
using ScoreArray = Packed<float, ListShape>;             //
using ClassIdArray = Packed<std::int32_t, ListShape>;    //
using LogitArray = Network<TableShape>;                  // raw, one column for each class and the background
using RawDeltaArray = Network<RowsOf4Shape>;             // ty tx th tw
using FeatureArray = PackedFloatOrHalf<MapShape>;        //
using RegionArray = Packed<std::int32_t, RowsOf4Shape>;  // x0 y0 x1 y1, half-open feature cells
using ImageArray = Strided<std::uint8_t, ImageShape>;    //
using FrameArray = Packed<std::uint8_t, FrameShape>;     // 4:2:0: luma above chroma
using PairsArray = Packed<std::uint8_t, PairsShape>;     // 4:2:2: luma beside U or V

template <class Array, class Other>
void check_same_rows(const Array& array, const std::string& name, const Other& other, const std::string& other_name) {
    if (array.size(0) != other.size(0)) {
        throw py::value_error(complaint(name, std::to_string(other.size(0)) + " rows as in " + other_name,
                                        std::to_string(array.size(0)), "give one for each row"));
    }
}

template <class T>
py::array_t<T> new_array(const std::vector<std::size_t>& shape) {
    return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

/// A new array of `shape` with a copy of `data`.
template <class T, class Source>
py::array_t<T> to_array(const std::vector<Source>& data, const std::vector<std::size_t>& shape) {
    py::array_t<T> array = new_array<T>(shape);
    if (!data.empty()) {
        std::memcpy(array.mutable_data(), data.data(), data.size() * sizeof(Source));
    }
    return array;
}

/// A new array, or `out` when it can take the result as it is, else an error: a copy would leave the caller's as is.
inline py::array output_array(py::handle out, const py::dtype& dtype, const std::vector<std::size_t>& shape) {
    if (out.is_none()) {
        return py::array(dtype, std::vector<py::ssize_t>(shape.begin(), shape.end()));
    }
    constexpr int kNeeded = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_ |
                            py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    const std::string expected = shape_text(shape) + " " + dtype_text(dtype) + ", C-contiguous and writable";
    if (!py::isinstance<py::array>(out)) {
        throw py::value_error(complaint("out", expected, type_name(out), "leave it out"));
    }
    const auto array = py::reinterpret_borrow<py::array>(out);
    const bool in_place = (array.flags() & kNeeded) == kNeeded;
    if (!array.dtype().equal(dtype) || shape_of(array) != shape || !in_place) {
        const std::string got = array_text(array) + (in_place ? "" : ", not C-contiguous and writable");
        throw py::value_error(complaint("out", expected, got, "np.empty of that shape, or leave it out"));
    }
    return array;
}

template <class T>
py::array_t<T> output_array(py::handle out, const std::vector<std::size_t>& shape) {
    return py::reinterpret_borrow<py::array_t<T>>(output_array(out, py::dtype::of<T>(), shape));
}

}  // namespace edgedet::bindings
