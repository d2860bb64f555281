"""Proposers found by name, and the three that need nothing but edgedet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import sample_image
from hypothesis import given
from hypothesis import strategies as st

import edgedet
from edgedet import proposals
from edgedet.errors import BundleError, SourceError
from edgedet.proposals import file
from edgedet.proposals.detector import DetectorBoxes
from edgedet.proposals.file import FileBoxes
from edgedet.proposals.sliding import SlidingPyramid

BOXES = [[0, 1, 10.5, 21], [2, 3, 4, 5]]


def picture(width: int = 96, height: int = 72) -> np.ndarray:
    return sample_image(np.random.default_rng(0), (width, height))


def test_every_file_of_the_folder_is_a_proposer() -> None:
    assert proposals.names() == ["detector", "edge_boxes", "file", "selective_search", "sliding"]
    assert all(text and "\n" not in text for text in proposals.helps().values())


@pytest.mark.parametrize("text", ["", "slide", "_contrib", "x" * 1000, ":sliding"])
def test_an_unknown_name(text: str) -> None:
    with pytest.raises(ValueError, match="^proposals: expected one of detector, .*, got ") as caught:
        proposals.make(text)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sliding:", "^sliding: expected a side in pixels, got ''; do sliding:64"),
        ("sliding:-3", "^sliding: expected a side in pixels, got '-3'"),
        ("sliding:nan", "^sliding: expected a side in pixels"),
        ("sliding:64,", "^sliding: expected a side in pixels, got '64,'; do sliding:64 or sliding:64,0.5"),
        ("sliding:64,2", "^sliding: expected a side in pixels, got '64,2'"),
        ("file", "^file: expected a path, got none; do file:boxes.json"),
        ("detector", "^detector: expected a detector's bundle, got none"),
        ("edge_boxes", "^edge_boxes: expected a structured edge model, got none"),
        ("selective_search:slow", "^selective_search: expected one of fast, quality, got 'slow'"),
    ],
)
def test_a_wrong_argument(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        proposals.make(text)


# The pyramid of windows.


def test_the_pyramid_goes_from_the_whole_image_to_the_smallest_windows() -> None:
    boxes = proposals.make("sliding:36")(picture())
    assert boxes.dtype == np.float32 and boxes[0].tolist() == [0, 0, 96, 72]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    assert areas[1:].max() == 72 * 72 and areas.min() == pytest.approx(36 * 36, rel=1e-4)
    assert (np.diff(areas[1:]) < 1).all()


def test_the_step_may_be_said_too() -> None:
    assert proposals.make("sliding:36,0.25") == SlidingPyramid(36, step=0.25)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.floats(10, 400),
    st.floats(1.1, 3),
    st.lists(st.floats(0.2, 5), min_size=1, max_size=3),
    st.floats(0.2, 1),
)
def test_windows_lie_in_the_image_and_leave_no_gap(
    width: int, height: int, smallest: float, growth: float, aspects: list[float], step: float
) -> None:
    boxes = SlidingPyramid(smallest, growth, tuple(aspects), step)(np.zeros((height, width, 3), np.uint8))
    assert (boxes >= 0).all() and (boxes[:, 2:] <= [width + 1e-3, height + 1e-3]).all()
    side = float(min(width, height))
    for aspect in aspects:
        w, h = side * aspect**0.5, side / aspect**0.5
        if side < smallest or w > width or h > height:
            continue
        same = boxes[(abs(boxes[:, 2] - boxes[:, 0] - w) < 1e-2) & (abs(boxes[:, 3] - boxes[:, 1] - h) < 1e-2)]
        for axis, length, part in ((0, width, w), (1, height, h)):
            places = np.unique(same[:, axis])
            assert places[0] == 0 and places[-1] == pytest.approx(length - part, abs=1e-2)
            assert (np.diff(places) <= step * part + 1e-2).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smallest": 0}, "^smallest: expected 1 to 1e"),
        ({"growth": 1.0}, "^growth: expected 1.01 to 100"),
        ({"step": 0.0}, "^step: expected 0.01 to 1"),
        ({"step": float("nan")}, "^step: "),
        ({"aspects": ()}, "^aspects: "),
        ({"aspects": (0.0,)}, "^aspects: "),
    ],
)
def test_a_pyramid_that_never_ends_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SlidingPyramid(**options)


def test_too_many_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="^smallest: expected up to 1000000 windows, got more"):
        SlidingPyramid(smallest=1, step=0.1)(np.zeros((3000, 3000, 3), np.uint8))


# Boxes from a file.


def write(path: Path, boxes: Any) -> Path:
    if path.suffix == ".npy":
        np.save(path, np.asarray(boxes))
    elif path.suffix == ".json":
        path.write_text(json.dumps(boxes), encoding="utf-8")
    else:
        path.write_text("\n".join(",".join(map(str, row)) for row in boxes), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("boxes.json", BOXES),
        ("boxes.json", [{"box": BOXES[0], "label": "cat"}, {"box": BOXES[1]}]),
        ("boxes.csv", BOXES),
        ("boxes.csv", [["x1", "y1", "x2", "y2"], *BOXES, []]),
        ("boxes.NPY", np.array(BOXES)),
        ("boxes.npy", np.array(BOXES, np.float32, order="F")),
    ],
)
def test_boxes_of_a_file(tmp_path: Path, name: str, content: Any) -> None:
    if name.endswith("NPY"):
        write(tmp_path / "boxes.npy", content).rename(tmp_path / name)
    else:
        write(tmp_path / name, content)
    propose = proposals.make(f"file:{tmp_path / name}")
    boxes = propose(picture())
    assert boxes.dtype == np.float32 and boxes.tolist() == BOXES
    boxes[:] = 0
    assert propose(picture()).tolist() == BOXES


@pytest.mark.parametrize("name", ["none.json", "none.csv", "none.npy"])
def test_a_file_of_no_boxes(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, np.zeros((0, 4), np.uint8) if name.endswith("npy") else [])
    assert FileBoxes(tmp_path / name)(picture()).shape == (0, 4)


def pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def promising(path: Path) -> None:
    """A heading that promises terabytes."""
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 4)})
        stream.write(b"12345678")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b""),
        ("a.json", b'{"boxes": []}'),
        ("a.json", b"[[1, 2, 3]]"),
        ("a.json", b"[[1, 2, 3, true]]"),
        ("a.json", b'[[1, 2, 3, "4"]]'),
        ("a.json", b'[{"bbox": [1, 2, 3, 4]}]'),
        ("a.json", b"[[1, 2, 3, NaN]]"),
        ("a.json", b"[[1, 2, 3, 1e39]]"),
        ("a.json", b"[[1, 2, 3, 1" + b"0" * 400 + b"]]"),
        ("a.json", b"[" * 100_000),
        ("a.json", b"\xff\xfe\x00"),
        ("a.csv", b"1,2,3\n"),
        ("a.csv", b"1,2,3,4\nx1,y1,x2,y2\n"),
        ("a.csv", b"1,2,3,inf\n"),
        ("a.csv", b"1;2;3;4\n"),
        ("a.csv", b"1 2 3 4\n"),
        ("a.csv", b"1,2,3,4o\n1,2,3,4\n"),
        ("a.csv", b"1,2,3,4,cat\n"),
        ("a.csv", b"\xff\xff,1,2,3"),
        ("a.csv", b'"' + b"1" * 200_000 + b'",2,3,4'),
        ("a.npy", b"1,2,3,4"),
        ("a.npy", b""),
        ("a.npy", b"\x93NUMPY\x01\x00"),
        ("a.npy", np.zeros((4, 3), np.float32)),
        ("a.npy", np.zeros((4, 4), complex)),
        ("a.npy", np.array([["1", "2", "3", "4"]])),
        ("a.npy", np.full((2, 4), np.nan)),
        ("a.npy", pickled),
        ("a.npy", promising),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, name: str, content: Any) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif callable(content):
        content(path)
    else:
        np.save(path, content)
    with pytest.raises(SourceError, match=r"a\.\w+: expected boxes x1 y1 x2 y2 in pixels, got .*; correct") as caught:
        FileBoxes(path)
    assert len(str(caught.value)) < 400


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("missing.json", "boxes.txt", "boxes"):
        with pytest.raises(SourceError, match=f"{name}: expected "):
            FileBoxes(tmp_path / name)
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(SourceError, match="Is a directory"):
        FileBoxes(tmp_path / "folder.json")
    monkeypatch.setattr(file, "MAX_BYTES", 10)
    with pytest.raises(SourceError, match="expected up to 10 bytes, got more"):
        FileBoxes(write(tmp_path / "boxes.json", BOXES))
    monkeypatch.undo()
    monkeypatch.setattr(file, "MAX_BOXES", 1)
    with pytest.raises(SourceError, match="2 boxes, more than 1"):
        FileBoxes(tmp_path / "boxes.json")


# A detector's boxes.


def test_a_detectors_boxes_are_told_apart_from_its_classes(whole_bundle: Path) -> None:
    with edgedet.load(whole_bundle) as model:
        found = model(picture(), score_threshold=0.2)
        propose = DetectorBoxes(model, score_threshold=0.2)
        boxes = propose(picture())
        assert 0 < len(boxes) < len(found)
        assert {tuple(box) for box in boxes.tolist()} <= {tuple(box) for box in found.boxes.tolist()}
        assert boxes[0].tolist() == found.boxes[0].tolist()
        for i in range(len(boxes)):  # nothing left overlaps by more
            assert len(edgedet.ops.nms(boxes[[0, i]], np.ones(2, np.float32), 0.7)) == (1 if i == 0 else 2)
        assert len(DetectorBoxes(model, score_threshold=0.2, max_boxes=2)(picture())) == 2
        assert DetectorBoxes(model, score_threshold=1.0)(picture()).shape == (0, 4)


def test_a_detector_by_its_bundle(whole_bundle: Path, tmp_path: Path) -> None:
    propose = proposals.make(f"detector:{whole_bundle}")
    assert propose(picture()).shape[1] == 4
    propose.model.close()  # type: ignore[attr-defined]
    with pytest.raises(BundleError, match="expected a bundle"):
        proposals.make(f"detector:{tmp_path}")
