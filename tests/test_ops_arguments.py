"""What is the same for every kernel: the check at the door, strides, threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edgedet import _core, ops

F, I32 = np.float32, np.int32
RNG = np.random.default_rng(0)


def boxes(count=6):
    corner = RNG.uniform(0, 50, (count, 2))
    return np.concatenate([corner, corner + 20], axis=1).astype(F)


# Each kernel with good arrays by name, and the other arguments. A new kernel is tested by being listed here.
KERNELS = {
    "decode_boxes": ({"deltas": boxes() / 50, "anchors": boxes() / 100}, {}),
    "nms": (
        {"boxes": boxes(), "scores": RNG.random(6, F), "class_ids": np.array([0, 1, 0, 1, 0, 1], I32)},
        {"iou_threshold": 0.3},
    ),
    "soft_nms": (
        {"boxes": boxes(), "scores": RNG.random(6, F), "class_ids": np.array([0, 1, 0, 1, 0, 1], I32)},
        {},
    ),
    "detect": (
        {"deltas": boxes() / 50, "logits": RNG.normal(0, 1, (6, 4)).astype(F), "anchors": boxes() / 100},
        {"image_wh": (64, 48), "score_threshold": 0.4, "iou_threshold": 0.5},
    ),
    "spp_pool": (
        {
            "features": RNG.normal(0, 1, (3, 8, 9)).astype(F),
            "regions": np.array([[0, 0, 9, 8], [1, 2, 4, 3]], I32),
        },
        {},
    ),
    "project_regions": ({"boxes": boxes()}, {"stride": 16, "offset": 0, "feature_wh": (9, 8)}),
    "normalize": (
        {"image": RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)},
        {"mean": (1, 2, 3), "std": (4, 5, 6)},
    ),
    "resize": ({"image": RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)}, {"size_wh": (7, 3)}),
    "resize_normalize": (
        {"image": RNG.integers(0, 256, (5, 4, 3), dtype=np.uint8)},
        {"size_wh": (7, 3), "mean": (1, 2, 3), "std": (4, 5, 6)},
    ),
}
ROW_BY_ROW = ("decode_boxes", "nms", "soft_nms", "detect")  # all their arrays have as many rows
ARRAYS = [(kernel, name) for kernel, (arrays, _) in KERNELS.items() for name in arrays]


def call(kernel, **replaced):
    arrays, others = KERNELS[kernel]
    result = getattr(ops, kernel)(**{**arrays, **others, **replaced})
    return result if isinstance(result, tuple) else (result,)


def same(a, b):
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b))


def strided(array):
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def unaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def test_every_kernel_is_listed():
    assert set(KERNELS) == set(ops.__all__)


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
@pytest.mark.parametrize("lay_out", [strided, unaligned, read_only, np.asfortranarray, lambda a: a[::-1].copy()[::-1]])
def test_memory_layout_does_not_matter(kernel, name, lay_out):
    array = KERNELS[kernel][0][name]
    assert same(call(kernel, **{name: lay_out(array)}), call(kernel))


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_refuses_another_dtype(kernel, name):
    array = KERNELS[kernel][0][name]
    takes_half = (kernel == "detect" and name != "anchors") or name == "features"
    half = np.int16 if takes_half else np.float16
    for dtype in (np.float64, half, np.int64, array.dtype.newbyteorder() if array.itemsize > 1 else np.int8):
        wrong = array.astype(dtype)
        with pytest.raises(ValueError) as error:
            call(kernel, **{name: wrong})
        assert str(error.value).startswith(f"{name}: expected (")
        assert f"{array.dtype}, got {array.shape} {wrong.dtype}; do {name}.astype(np.{array.dtype})" in str(error.value)


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
def test_refuses_another_shape(kernel, name):
    array = KERNELS[kernel][0][name]
    for wrong in (array[None], array.reshape(-1)[0], array[..., :2] if array.ndim > 1 else array[:, None]):
        if kernel == "detect" and name == "logits" and wrong.ndim == 2:
            continue  # any number of columns will do
        if name == "features" and wrong.ndim == 3:
            continue  # any map will do
        with pytest.raises(ValueError, match=rf"^{name}: expected \(.*\) .*{array.dtype}, got .*; do "):
            call(kernel, **{name: wrong})


@pytest.mark.parametrize(("kernel", "name"), ARRAYS)
@pytest.mark.parametrize("as_what", [np.ndarray.tolist, lambda a: "boxes", lambda a: 5])
def test_refuses_what_is_no_array(kernel, name, as_what):
    wrong = as_what(KERNELS[kernel][0][name])
    with pytest.raises(ValueError, match=rf"^{name}: expected .*, got {type(wrong).__name__}; do np.asarray\({name}"):
        call(kernel, **{name: wrong})


@pytest.mark.parametrize(
    ("kernel", "name"), [(k, n) for k, n in ARRAYS if k in ("decode_boxes", "nms", "soft_nms", "detect")]
)
def test_refuses_different_numbers_of_rows(kernel, name):
    with pytest.raises(ValueError, match=r": expected \d rows as in \w+, got \d; do "):
        call(kernel, **{name: KERNELS[kernel][0][name][:-1]})


def test_the_message_in_full():
    with pytest.raises(ValueError) as error:
        ops.nms(np.zeros((5, 3)), np.zeros(5, F), 0.5)
    assert str(error.value) == "boxes: expected (N, 4) float32, got (5, 3) float64; do reshape boxes"
    with pytest.raises(ValueError) as error:
        ops.nms(np.zeros((5, 4)), np.zeros(5, F), 0.5)
    assert str(error.value) == "boxes: expected (N, 4) float32, got (5, 4) float64; do boxes.astype(np.float32)"


def test_numbers_that_are_none_are_type_errors():
    with pytest.raises(TypeError, match=r"^iou_threshold: expected a number, got str; do "):
        call("nms", iou_threshold="half")
    with pytest.raises(TypeError, match=r"^max_detections: expected a whole number from 0 up, got float; do "):
        call("nms", max_detections=2.5)
    with pytest.raises(TypeError, match=r"^image_wh: expected 2 numbers, got int; do "):
        call("detect", image_wh=640)


def test_inputs_are_left_as_they_were():
    for kernel, (arrays, _) in KERNELS.items():
        before = {name: array.copy() for name, array in arrays.items()}
        call(kernel)
        assert all(np.array_equal(before[name], array) for name, array in arrays.items())


def test_the_gil_is_released():
    """While one thread is in a long kernel, another one runs Python."""
    # Every box is kept, and overlaps all before it: some hundred milliseconds, so that the other surely gets its turn.
    width = np.linspace(1, 2, 40_000, dtype=F)[:, None]
    piled = np.concatenate([0 * width, 0 * width, width, width], axis=1)
    scores = np.ones(len(piled), F)
    entered, left = threading.Event(), threading.Event()

    def work():
        entered.set()
        ops.nms(piled, scores, 1.0)
        left.set()

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()
    turns = 0
    while not left.wait(0.001):
        turns += 1
    thread.join()
    assert turns > 3


def test_many_threads_one_answer():
    expected = {kernel: call(kernel) for kernel in KERNELS}
    wrong = []

    def work():
        for _ in range(50):
            wrong.extend(kernel for kernel in KERNELS if not same(call(kernel), expected[kernel]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_build_info_says_what_this_binary_is():
    info = _core.build_info()
    assert info["version"] == _core.__version__
    assert info["vector_level"] in info["vector_levels"]
    assert info["vector_levels"][0] == "scalar"
    assert info["fp_contract"] == "off"
    assert isinstance(info["assertions"], bool)
    assert info["compiler"]
