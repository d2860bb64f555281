"""Boxes around things, from COCO's JSON and VOC's XML, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedet.errors import AnnotationError
from edgedet_converters import annotations
from edgedet_converters.annotations import read

PICTURES = [Path("photos/a.jpg"), Path("photos/b.jpg"), Path("more/c.jpg")]


def coco(path: Path, **changes: Any) -> Path:
    data: dict[str, Any] = {
        "info": {"year": 2026},
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "elsewhere\\sub/b.jpg", "width": 3}],
        "categories": [{"id": 5, "name": "nut"}, {"id": 2, "name": "bolt"}, {"id": 1, "name": "none of it"}],
        "annotations": [
            {"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4.5], "iscrowd": 0},
            {"image_id": 7, "category_id": 5, "bbox": [0, 0, 10, 10]},
            {"image_id": 7, "category_id": 2, "bbox": [5, 5, 50, 50], "iscrowd": 1},
        ],
    }
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return path


def voc(path: Path, *things: str, filename: str = "a.jpg") -> Path:
    path.write_text(f"<annotation><filename>{filename}</filename>{''.join(things)}</annotation>", encoding="utf-8")
    return path


def thing(name: str = "nut", corners: tuple[object, ...] = (1, 2, 3, 4), extra: str = "") -> str:
    sides = "".join(f"<{key}>{side}</{key}>" for key, side in zip(("xmin", "ymin", "xmax", "ymax"), corners))
    return f"<object><name>{name}</name>{extra}<bndbox>{sides}</bndbox></object>"


def test_coco(tmp_path: Path) -> None:
    found = read(coco(tmp_path / "boxes.json"), PICTURES)
    assert found.labels == ("nut", "bolt") and found.category_ids == (5, 2)
    assert found.left_out == (PICTURES[2],)
    full, empty = found.pictures
    assert (full.path, empty.path) == (PICTURES[0], PICTURES[1])
    np.testing.assert_array_equal(full.boxes, np.array([[1, 2, 4, 6.5], [0, 0, 10, 10]], np.float32))
    assert full.class_ids.tolist() == [1, 0] and full.boxes.dtype == np.float32 and full.class_ids.dtype == np.int32
    assert full.ignored.tolist() == [[5, 5, 55, 55]]
    assert empty.boxes.shape == empty.ignored.shape == (0, 4)


def test_a_folder_of_voc(tmp_path: Path) -> None:
    voc(tmp_path / "1.xml", thing("nut"), thing("bolt", (10, 10, 10, 12)), filename="a.jpg")
    voc(tmp_path / "2.xml", thing("dog", extra="<difficult>1</difficult>"), filename="b.jpg")
    found = read(tmp_path, PICTURES)
    assert found.labels == ("bolt", "nut") and found.category_ids is None
    # VOC's first pixel is 1, and its last one is inside.
    assert found.pictures[0].boxes.tolist() == [[0, 1, 3, 4], [9, 9, 10, 12]]
    assert found.pictures[0].class_ids.tolist() == [1, 0]
    assert found.pictures[1].ignored.tolist() == [[0, 1, 3, 4]] and not len(found.pictures[1].boxes)


def test_one_file_of_voc(tmp_path: Path) -> None:
    assert len(read(voc(tmp_path / "a.XML", thing()), PICTURES).pictures) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, r"boxes\.json: images: expected a list, got None"),
        ({"images": [{"id": "7", "file_name": "a.jpg"}]}, r"images\[0\]\.id: expected a whole number, got '7'"),
        ({"images": [{"id": True, "file_name": "a.jpg"}]}, r"images\[0\]\.id: expected a whole number, got True"),
        ({"images": [7]}, r"images\[0\]\.file_name: expected a string, got None"),
        ({"categories": [{"id": 2, "name": "a"}, {"id": 5, "name": "a"}]}, "categories: expected a name for each"),
        (
            {"annotations": [{"image_id": 8, "category_id": 2, "bbox": [0, 0, 1, 1]}]},
            r"\[0\]\.image_id: expected an id",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1]}]}, r"\[0\]\.category_id: expected"),
        ({"annotations": [{"image_id": 7, "category_id": 2}]}, r"annotations\[0\]\.bbox: expected four numbers"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, 1]}]}, "bbox: expected four numbers"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, float("nan")]}]}, "expected four"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1e300]}]}, "expected four numbers"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, 10**400, 1]}]}, "expected four numbers"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, True, 1]}]}, "expected four numbers"),
        ({"annotations": [{"image_id": 7, "category_id": 2, "bbox": [0, 0, 0, 1]}]}, "expected a box with an area"),
        ({"annotations": []}, "expected a box in one of the pictures, got none"),
        ({"images": [{"id": 7, "file_name": "z.jpg"}]}, "expected"),
    ],
)
def test_coco_that_is_wrong(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnnotationError, match=message) as caught:
        read(coco(tmp_path / "boxes.json", **changes), PICTURES)
    assert len(str(caught.value)) < 400


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    images = [{"id": 7, "file_name": "train/a.jpg"}, {"id": 9, "file_name": "val/a.jpg"}]
    with pytest.raises(AnnotationError, match=r"expected pictures of different names, got 'a\.jpg' twice"):
        read(coco(tmp_path / "boxes.json", images=images), PICTURES)
    images = [{"id": 7, "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}]
    with pytest.raises(AnnotationError, match=r"images\[1\]\.id: expected a number of its own, got 7 again"):
        read(coco(tmp_path / "boxes.json", images=images), PICTURES)
    for name in ("1.xml", "2.xml"):
        voc(tmp_path / name, thing(), filename="a.jpg")
    with pytest.raises(AnnotationError, match=r"expected pictures of different names, got 'a\.jpg' twice"):
        read(tmp_path, PICTURES)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"^\S*none\.json: expected a file that can be read, got no such file;"):
        read(tmp_path / "none.json", PICTURES)


def test_other_pictures(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"expected the names of the pictures, got others, as 'a\.jpg'"):
        read(coco(tmp_path / "boxes.json"), [Path("x.jpg")])
    with pytest.raises(AnnotationError, match=r"expected pictures of different names, got another a\.jpg"):
        read(coco(tmp_path / "boxes.json"), [Path("1/a.jpg"), Path("2/a.jpg")])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected COCO's JSON"),
        ("[" * 100_000, "expected COCO's JSON"),
        ("[]", "images|categories: expected a list"),
        ("\ud800", None),
    ],
)
def test_no_coco(tmp_path: Path, text: str, message: str | None) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(AnnotationError, match=message or "expected UTF-8"):
        read(path, PICTURES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation>", "expected VOC's XML"),
        ("<annotation/>", "filename: expected the picture's name"),
        (
            '<!DOCTYPE a [<!ENTITY x "y">]><annotation><filename>&x;</filename></annotation>',
            "expected VOC's XML without a document type",
        ),
        ("<annotation><object><name>a</name></object></annotation>", r"object\[0\]: expected a name and a bndbox"),
    ],
)
def test_voc_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    with pytest.raises(AnnotationError, match=message):
        read(tmp_path, PICTURES)


@pytest.mark.parametrize("corners", [("a", 1, 2, 3), (1, 2, 3), ("", 1, 1, 1), (5, 5, 3, 9), ("1e999", 1, 1, 1)])
def test_voc_with_a_box_that_is_wrong(tmp_path: Path, corners: tuple[object, ...]) -> None:
    with pytest.raises(AnnotationError, match=r"a\.xml: object\[1\]\.bndbox: expected"):
        read(voc(tmp_path / "a.xml", thing(), thing(corners=corners)), PICTURES)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="expected a folder with VOC's .xml files, got none"):
        read(tmp_path, PICTURES)
    with pytest.raises(AnnotationError, match="expected a file that can be read, got no such file"):
        read(tmp_path / "none.json", PICTURES)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "MAX_BOXES", 2)
    with pytest.raises(AnnotationError, match="annotations: expected up to 2, got 3"):
        read(coco(tmp_path / "boxes.json"), PICTURES)
    monkeypatch.setattr(annotations, "MAX_JSON_BYTES", 20)
    with pytest.raises(AnnotationError, match="expected up to 20 bytes, got"):
        read(coco(tmp_path / "boxes.json"), PICTURES)
    monkeypatch.setattr(annotations, "MAX_XML_BYTES", 20)
    with pytest.raises(AnnotationError, match="expected up to 20 bytes, got"):
        read(voc(tmp_path / "a.xml", thing()), PICTURES)
