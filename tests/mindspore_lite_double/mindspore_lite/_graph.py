"""Model files of the tests: read, and computed. See `mindspore_lite_double` and `mslite_double`."""

import numpy
from mindspore_lite.tensor import NUMPY, DataType, Format, MSTensor

HEADER = 72


def read(path, *, lite):
    """What the file says, by key, or None if it is not whole or of the other kind."""
    with open(path, "rb") as stream:  # noqa: PTH123
        data = stream.read()
    text = data[HEADER:]
    if (data[4:8] == b"MSL2") != lite or not text.startswith(b"double 1\n") or not text.endswith(b"\nend\n"):
        return None
    told = {"inputs": []}
    for line in text.decode().splitlines():
        key, _, value = line.partition(" ")
        if key == "input":
            told["inputs"].append(value.split())
        else:
            told[key] = value
    return told


def inputs(told):
    """The input tensors."""
    made = []
    for name, dtype, layout, *shape in told["inputs"]:
        kind = DataType(int(told.get("report_type", dtype)))
        tensor = MSTensor(name, kind, map(int, shape), Format(int(told.get("report_format", layout))))
        tensor.deaf = "no_data" in told
        made.append(tensor)
    return made


def twin(tensor):
    """What a caller holds: the model's memory until it sets its own."""
    if tensor.dtype in NUMPY and all(size >= 0 for size in tensor.shape):
        tensor.buffer()
    other = MSTensor(tensor.name, tensor.dtype, tensor.shape, tensor.format, tensor.data)
    other.deaf = tensor.deaf
    return other


def _planes_first(tensor):
    n, *rest = tensor.shape
    return [n, rest[2], rest[0], rest[1]] if len(rest) == 3 and tensor.format is Format.NHWC else [n, *rest]


def outputs(told, given):
    """The output tensors, by the graph and the shape of the first input."""
    first, (graph, *numbers) = given[0], told["graph"].split()
    dims = _planes_first(first)
    shapes = {
        "identity": lambda: {"y": first.shape},
        "affine": lambda: {"y": dims},
        "contract": lambda: {"same": dims, "twice": dims, "total": dims[:2]},
        "ssd": lambda: {"deltas": [1, int(numbers[0]), 4], "logits": [1, int(numbers[0]), int(numbers[1])]},
    }[graph]()
    dtype = DataType.FLOAT16 if "half_outputs" in told else DataType.FLOAT32 if graph == "ssd" else first.dtype
    return [MSTensor(name, dtype, shape) for name, shape in shapes.items()]


def compute(told, given, own, outs):
    """Fills the outputs, whose memory stays where it is."""
    graph, *numbers = told["graph"].split()
    x = given[0].buffer().reshape(own[0].shape)
    if graph != "identity" and x.ndim == 4 and own[0].format is Format.NHWC:
        x = x.transpose(0, 3, 1, 2)
    flat = numpy.ascontiguousarray(x).reshape(-1)
    for number, out in enumerate(outs):
        kind = NUMPY[out.dtype]
        if graph == "identity":
            values = flat
        elif graph == "affine":
            values = kind(numbers[0]) * flat + kind(numbers[1])
        elif graph == "contract":
            values = x.sum(axis=(2, 3)).reshape(-1) if number == 2 else kind(number + 1) * flat
        else:
            places = numpy.arange(out.count, dtype=numpy.int64) * 7919 % flat.size
            values = flat[places] - numpy.float32(0 if number == 0 else 2)
        out.buffer()[:] = values
