#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"

// Numbers at the door. pybind11's own conversion would refuse a wrong one without naming it.

namespace edgedet::bindings {

inline double finite_number(py::handle value, const std::string& name) {
    const double number = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        throw py::type_error(complaint(name, "a number", type_name(value), "give a float or an int"));
    }
    if (!std::isfinite(number)) {
        throw py::value_error(complaint(name, "a finite number", py::repr(value), "give one"));
    }
    return number;
}

inline double positive_number(py::handle value, const std::string& name) {
    const double number = finite_number(value, name);
    if (number <= 0.0) {
        throw py::value_error(complaint(name, "a number above 0", py::repr(value), "give one"));
    }
    return number;
}

inline double fraction(py::handle value, const std::string& name) {
    const double number = finite_number(value, name);
    if (number < 0.0 || number > 1.0) {
        throw py::value_error(complaint(name, "a number from 0 to 1", py::repr(value), "give one"));
    }
    return number;
}

inline std::size_t whole_number(py::handle value, const std::string& name, std::size_t least) {
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    const std::string expected = "a whole number from " + std::to_string(least) + " up";
    if (!index) {
        PyErr_Clear();
        throw py::type_error(complaint(name, expected, type_name(value), "give an int"));
    }
    const long long number = PyLong_AsLongLong(index.ptr());
    if (PyErr_Occurred() != nullptr || number < static_cast<long long>(least)) {
        PyErr_Clear();
        throw py::value_error(complaint(name, expected, py::repr(value), "give one"));
    }
    return static_cast<std::size_t>(number);
}

/// -1 for what is no sequence of numbers; arrays without axes claim to be one.
inline py::ssize_t length_of(py::handle value) {
    if (!PySequence_Check(value.ptr()) || PyUnicode_Check(value.ptr())) {
        return -1;
    }
    const py::ssize_t length = PySequence_Size(value.ptr());
    PyErr_Clear();
    return length;
}

/// The elements of any sequence or array, or an error that names it; `count` 0 means one or more.
inline std::vector<py::object> elements(py::handle value, const std::string& name, py::ssize_t count) {
    const std::string expected = count == 0 ? "one number or more" : std::to_string(count) + " numbers";
    const py::ssize_t length = length_of(value);
    if (length < 0) {
        throw py::type_error(complaint(name, expected, type_name(value), "give a tuple"));
    }
    if (count == 0 ? length == 0 : length != count) {
        throw py::value_error(complaint(name, expected, py::repr(value), "give as many"));
    }
    std::vector<py::object> found;
    for (py::ssize_t i = 0; i < length; ++i) {
        found.push_back(py::reinterpret_steal<py::object>(PySequence_GetItem(value.ptr(), i)));
        if (!found.back()) {
            throw py::error_already_set();
        }
    }
    return found;
}

/// Applies one of the checks above to both of a pair.
template <class Check>
std::pair<double, double> pair_of(py::handle value, const std::string& name, Check check) {
    const std::vector<py::object> both = elements(value, name, 2);
    return {check(both[0], name), check(both[1], name)};
}

/// A number stands for a pair of itself.
template <class Check>
std::pair<double, double> number_or_pair(py::handle value, const std::string& name, Check check) {
    if (length_of(value) >= 0) {
        return pair_of(value, name, check);
    }
    const double number = check(value, name);
    return {number, number};
}

template <class Check>
std::array<float, 3> triple_of(py::handle value, const std::string& name, Check check) {
    const std::vector<py::object> all = elements(value, name, 3);
    return {static_cast<float>(check(all[0], name)), static_cast<float>(check(all[1], name)),
            static_cast<float>(check(all[2], name))};
}

/// None is `otherwise`.
inline std::size_t optional_whole_number(py::handle value, const std::string& name, std::size_t otherwise) {
    return value.is_none() ? otherwise : whole_number(value, name, 0);
}

}  // namespace edgedet::bindings
