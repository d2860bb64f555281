"""Selective search and Edge Boxes: with OpenCV's contrib modules where they are, with a double where not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from contrib import HAS_CONTRIB, WITHOUT, best_overlaps, forest, scene

from edgedet import proposals
from edgedet.errors import RuntimeUnavailable, SourceError
from edgedet.proposals.edge_boxes import EdgeBoxes
from edgedet.proposals.selective_search import SelectiveSearch

with_contrib = pytest.mark.skipif(not HAS_CONTRIB, reason=WITHOUT)


@with_contrib
@pytest.mark.parametrize("mode", ["fast", "quality"])
def test_selective_search_finds_what_stands_out(mode: str) -> None:
    image, truth = scene()
    boxes = proposals.make(f"selective_search:{mode}")(image)
    assert boxes.dtype == np.float32 and boxes.shape[1] == 4
    assert (best_overlaps(boxes, truth) > 0.9).all()
    assert len(SelectiveSearch(mode, max_boxes=3)(image)) == 3


@with_contrib
def test_edge_boxes_finds_what_has_contours(tmp_path: Path) -> None:
    image, truth = scene()
    boxes = proposals.make(f"edge_boxes:{forest(tmp_path / 'forest.yml')}")(image)
    assert boxes.dtype == np.float32 and boxes.shape[1] == 4
    assert (best_overlaps(boxes, truth) > 0.7).all()
    assert len(EdgeBoxes(tmp_path / "forest.yml", max_boxes=3)(image)) == 3
    assert EdgeBoxes(tmp_path / "forest.yml")(np.zeros((90, 120, 3), np.uint8)).shape == (0, 4)


class Search:
    def __init__(self) -> None:
        self.said: list[Any] = []

    def setBaseImage(self, image: np.ndarray) -> None:  # noqa: N802
        self.said.append(image)

    def switchToSelectiveSearchFast(self) -> None:  # noqa: N802
        self.said.append("fast")

    def switchToSelectiveSearchQuality(self) -> None:  # noqa: N802
        self.said.append("quality")

    def process(self) -> np.ndarray:
        return np.array([[1, 2, 30, 40], [5, 6, 7, 8]], np.int32)


class Edges:
    def detectEdges(self, image: np.ndarray) -> np.ndarray:  # noqa: N802
        assert image.dtype == np.float32 and image.max() <= 1
        self.image = image
        return image[..., 0]

    def computeOrientation(self, edges: np.ndarray) -> str:  # noqa: N802
        return "directions"

    def edgesNms(self, edges: np.ndarray, directions: str) -> str:  # noqa: N802
        return f"thin along {directions}"


class Boxes:
    def setMaxBoxes(self, count: int) -> None:  # noqa: N802
        self.count = count

    def getBoundingBoxes(self, edges: str, directions: str) -> Any:  # noqa: N802
        assert (edges, directions) == ("thin along directions", "directions")
        return (np.array([[1, 2, 30, 40]] * self.count), np.ones(self.count)) if self.count > 0 else ((), ())


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(search=Search(), edges=Edges(), boxes=Boxes())
    segmentation = SimpleNamespace(createSelectiveSearchSegmentation=lambda: made.search)
    module = SimpleNamespace(
        segmentation=segmentation,
        createStructuredEdgeDetection=lambda path: made.edges,
        createEdgeBoxes=lambda: made.boxes,
    )
    monkeypatch.setattr(cv2, "ximgproc", module, raising=False)
    return made


@pytest.mark.parametrize("mode", ["fast", "quality"])
def test_rectangles_become_corners(double: SimpleNamespace, mode: str) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    boxes = SelectiveSearch(mode, max_boxes=1)(grey)
    assert boxes.dtype == np.float32 and boxes.tolist() == [[1, 2, 31, 42]]
    image, said = double.search.said
    assert image.shape == (3, 4, 3) and image.flags.c_contiguous and said == mode


def test_edges_are_looked_for_in_rgb(double: SimpleNamespace, tmp_path: Path) -> None:
    image = np.zeros((3, 4, 3), np.uint8)
    image[..., 0] = 255  # blue
    boxes = EdgeBoxes(forest(tmp_path / "forest.yml"), max_boxes=2)(image)
    assert boxes.tolist() == [[1, 2, 31, 42]] * 2
    assert double.edges.image[0, 0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("most", [0, -1, 2.0, True])
def test_max_boxes_is_a_whole_number(double: SimpleNamespace, tmp_path: Path, most: Any) -> None:
    for make in (lambda: SelectiveSearch(max_boxes=most), lambda: EdgeBoxes(tmp_path, max_boxes=most)):
        with pytest.raises(ValueError, match="^max_boxes: expected a whole number from 1"):
            make()


@pytest.mark.parametrize(
    "text", ["", "no yaml: [", "%YAML:1.0\noptions: 3\n", "%YAML:1.0\noptions:\n   stride: 0\n", "%YAML:1.0\nfoo: 1\n"]
)
def test_a_forest_that_is_none(double: SimpleNamespace, tmp_path: Path, text: str) -> None:
    """OpenCV would divide by what is missing, which ends the process."""
    (tmp_path / "model.yml").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"model\.yml: expected a structured edge model, got .*; download https"):
        EdgeBoxes(tmp_path / "model.yml")
    with pytest.raises(SourceError, match="got no file; download https"):
        EdgeBoxes(tmp_path / "other.yml")


@pytest.mark.parametrize("text", ["selective_search", "edge_boxes:model.yml"])
@pytest.mark.parametrize("module", [None, SimpleNamespace()])
def test_without_the_contrib_modules_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, text: str, module: Any
) -> None:
    monkeypatch.setattr(cv2, "ximgproc", module, raising=False)
    with pytest.raises(RuntimeUnavailable, match=r"pip uninstall -y opencv-python && pip install opencv-contrib-pyth"):
        proposals.make(text)
