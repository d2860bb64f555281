"""Tensors: NumPy's memory borrowed, its shape never looked at, refusals that only the log knows of."""

import sys
from enum import Enum

import numpy


def log_error(function, text):
    """A line of the library's log."""
    print(f"[ERROR] LITE(1,double,double):2025-01-01-00:00:00 [double.cc:1] {function}] {text}", file=sys.stderr)
    sys.stderr.flush()


class DataType(Enum):
    """As the real one."""

    UNKNOWN = 0
    BOOL = 30
    INT8 = 32
    INT16 = 33
    INT32 = 34
    INT64 = 35
    UINT8 = 37
    UINT16 = 38
    UINT32 = 39
    UINT64 = 40
    FLOAT16 = 42
    FLOAT32 = 43
    FLOAT64 = 44
    INVALID = 2147483647


class Format(Enum):
    """As the real one."""

    DEFAULT = -1
    NCHW = 0
    NHWC = 1
    NHWC4 = 2
    HWKC = 3
    HWCK = 4
    KCHW = 5
    CKHW = 6
    KHWC = 7
    CHWK = 8
    HW = 9
    HW4 = 10
    NC = 11
    NC4 = 12
    NC4HW4 = 13
    NCDHW = 15
    NWC = 16
    NCW = 17
    NDHWC = 18
    NC8HW8 = 19


NUMPY = {
    kind: getattr(numpy, kind.name.lower()) for kind in DataType if kind.name not in ("UNKNOWN", "INVALID", "BOOL")
}
NUMPY[DataType.BOOL] = numpy.bool_
KINDS = {kind: name for name, kind in NUMPY.items()}


class MSTensor:
    """What the compiled part of the real package holds: a description and a flat buffer."""

    def __init__(self, name="", dtype=DataType.FLOAT32, shape=(), layout=Format.NCHW, data=None):
        self.name, self.dtype, self.shape, self.format = name, dtype, list(shape), layout
        self.data = data  # flat, in C order; None until first needed
        self.deaf = False

    @property
    def count(self):
        return int(numpy.prod([max(size, 0) for size in self.shape], dtype=numpy.int64))

    def buffer(self):
        """The memory, made when first needed."""
        if self.data is None:
            self.data = numpy.zeros(self.count, NUMPY[self.dtype])
        return self.data

    def set_data_from_numpy(self, array):
        """Whether the array was taken. The wrapper does not ask."""
        if not array.flags.c_contiguous:
            log_error("SetTensorNumpyData", "Numpy array is not C Contiguous")
            return False
        if not array.dtype.isnative:
            log_error("SetTensorNumpyData", "Expect data type 43, but got 0")
            return False
        if not self.deaf:
            self.data = array.reshape(-1)  # no copy
            self.format = Format.NCHW  # whatever it was
        return True


class TensorMeta:
    """What is known of an output before there is one."""

    def __init__(self):
        self.name, self.dtype, self.shape, self.format = "", DataType.UNKNOWN, [], Format.DEFAULT
        self.element_num = self.data_size = 0


class Tensor:
    """As the real one; properties with setters are those that the tests need."""

    def __init__(self, tensor=None, shape=None, dtype=None, device=None):
        if isinstance(tensor, MSTensor):
            self._tensor = tensor
        elif isinstance(tensor, numpy.ndarray):
            if not tensor.flags["FORC"]:
                tensor = numpy.ascontiguousarray(tensor)
            # None, as in the real one, of an array in Fortran's order.
            made = MSTensor("", KINDS[tensor.dtype.type], tensor.shape)
            self._tensor = made if made.set_data_from_numpy(tensor) else None
        elif tensor is None:
            self._tensor = MSTensor("", dtype or DataType.FLOAT32, shape or ())
        else:
            raise TypeError(f"tensor must be MindSpore Lite's Tensor._tensor or numpy ndarray, but got {type(tensor)}.")

    @property
    def name(self):
        return self._tensor.name

    @property
    def dtype(self):
        return self._tensor.dtype

    @property
    def shape(self):
        return list(self._tensor.shape)

    @property
    def format(self):
        return self._tensor.format

    @property
    def element_num(self):
        return self._tensor.count

    @property
    def data_size(self):
        return self._tensor.count * numpy.dtype(NUMPY[self._tensor.dtype]).itemsize

    def set_data_from_numpy(self, numpy_obj):
        """Compares type and number of bytes, and nothing else."""
        if not isinstance(numpy_obj, numpy.ndarray):
            raise TypeError(f"numpy_obj must be numpy.ndarray, but got {type(numpy_obj)}.")
        if not numpy_obj.flags["FORC"]:  # true of Fortran's order too
            numpy_obj = numpy.ascontiguousarray(numpy_obj)
        if KINDS.get(numpy_obj.dtype.type) != self.dtype:
            raise RuntimeError(f"data type not equal! Numpy type: {numpy_obj.dtype.type}, Tensor type: {self.dtype}")
        if numpy_obj.nbytes != self.data_size:
            raise RuntimeError(f"data size not equal! Numpy size: {numpy_obj.nbytes}, Tensor size: {self.data_size}")
        self._tensor.set_data_from_numpy(numpy_obj)

    def get_data_to_numpy(self):
        """A view."""
        if any(size <= 0 for size in self._tensor.shape):
            log_error("get_data_to_numpy", f"Tensor shape {self._tensor.shape} is invalid")
            return numpy.array([])
        return self._tensor.buffer().reshape(self._tensor.shape)
