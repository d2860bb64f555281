"""Bundles: what is not whole is refused by name, and what can't run here says why and what would mend it."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from bundles import edit_json, hashed
from hypothesis import given
from hypothesis import strategies as st

import edgedet
from edgedet import bundle as bundles
from edgedet.bundle import Bundle
from edgedet.errors import BundleError


def test_opens_and_gives_its_files(whole_bundle: Path) -> None:
    opened = Bundle.open(whole_bundle)
    assert opened == Bundle.open(str(whole_bundle))
    assert [file.file for file in opened.files()] == ["model.onnx", "golden/0.png", "golden/0.npz"]
    for file in opened.files():
        assert opened.check(file).parent in (whole_bundle, whole_bundle / "golden")


def test_golden_arrays(whole_bundle: Path) -> None:
    opened = Bundle.open(whole_bundle)
    (golden,) = opened.spec.golden
    arrays = opened.expected(golden)
    assert {name: array.shape[:2] for name, array in arrays.items() if name in ("deltas", "logits")} == {
        "deltas": (1, opened.spec.head.count),
        "logits": (1, opened.spec.head.count),
    }
    assert len(arrays["boxes"]) == len(arrays["scores"]) == len(arrays["class_ids"]) > 10


def test_moved_and_linked_folders_open(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(bundle)
    assert edgedet.load(tmp_path / "link").labels == edgedet.load(bundle).labels
    shutil.move(bundle, tmp_path / "else where ü")
    assert edgedet.load(tmp_path / "else where ü").labels


def test_only_the_word_is_the_demo(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bundle.parent)
    bundle.rename("demo")
    edit_json(Path("demo"), lambda data: data.update(name="mine"))
    assert Bundle.open("./demo").spec.name == Bundle.open(Path("demo")).spec.name == "mine"


@pytest.mark.parametrize("place", ["nothing", "model.onnx", "golden", "model.json", "a\0b", "x" * 5000])
def test_place_that_is_no_bundle(bundle: Path, place: str) -> None:
    with pytest.raises(BundleError, match=r"expected a bundle \(a folder with model\.json\), got .*; give"):
        Bundle.open(bundle / place)


def test_model_json_that_is_a_folder(bundle: Path) -> None:
    (bundle / "model.json").unlink()
    (bundle / "model.json").mkdir()
    with pytest.raises(BundleError, match="expected a bundle"):
        Bundle.open(bundle)


def test_model_json_that_is_a_pipe_does_not_hang(bundle: Path) -> None:
    (bundle / "model.json").unlink()
    os.mkfifo(bundle / "model.json")
    # Should anyone read from the pipe after all, this writer ends it.
    writer = threading.Thread(target=(bundle / "model.json").write_bytes, args=(b"",))
    writer.start()
    with pytest.raises(BundleError, match="expected a bundle"):
        Bundle.open(bundle)
    (bundle / "model.json").read_bytes()
    writer.join()


def test_huge_model_json_is_not_read(bundle: Path) -> None:
    with (bundle / "model.json").open("r+b") as stream:
        stream.truncate(1 << 40)  # sparse
    with pytest.raises(BundleError, match=r"model\.json: expected under \d+ bytes"):
        Bundle.open(bundle)


@pytest.mark.parametrize("junk", [b"\xff\xfe{}", b"\x80", b"{\xc3"])
def test_model_json_that_is_not_utf8(bundle: Path, junk: bytes) -> None:
    (bundle / "model.json").write_bytes(junk)
    with pytest.raises(BundleError, match=r"model\.json: expected UTF-8"):
        Bundle.open(bundle)


def test_unknown_key_is_named(bundle: Path) -> None:
    edit_json(bundle, lambda data: data["variants"][0]["files"]["model"].update(size=3))
    with pytest.raises(BundleError, match=r"variants\[0\]\.files\.model\.size: .*unknown key"):
        Bundle.open(bundle)


FILES = ["model.onnx", "golden/0.png", "golden/0.npz"]


@pytest.mark.parametrize("file", FILES)
def test_missing_file_is_named(bundle: Path, file: str) -> None:
    (bundle / file).unlink()
    with pytest.raises(BundleError, match=f"^{file}: expected a file"):
        Bundle.open(bundle)


def _flip(path: Path, at: int, bits: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= bits
    path.write_bytes(bytes(data))


def test_changed_byte_in_the_model_file(bundle: Path) -> None:
    _flip(bundle / "model.onnx", -1)
    with pytest.raises(BundleError, match=r"^model\.onnx: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; "):
        edgedet.load(bundle)


@pytest.mark.parametrize("file", ["golden/0.png", "golden/0.npz"])
def test_changed_byte_in_golden_data(bundle: Path, file: str) -> None:
    _flip(bundle / file, 100)
    opened = Bundle.open(bundle)
    golden = opened.spec.golden[0]
    with pytest.raises(BundleError, match=f"^{file}: expected sha256"):
        opened.check(golden.image if file.endswith("png") else golden.expected)
    if file.endswith("npz"):
        with pytest.raises(BundleError, match="sha256"):
            opened.expected(golden)


@given(st.integers(0), st.integers(1, 255))
def test_any_flipped_byte_is_found_by_its_hash(whole_bundle: Path, at: int, bits: int) -> None:
    path = whole_bundle / "model.onnx"
    whole = path.read_bytes()
    try:
        _flip(path, at, bits)
        with pytest.raises(BundleError, match="sha256"):
            edgedet.load(whole_bundle)
    finally:
        path.write_bytes(whole)
    edgedet.load(whole_bundle).close()


@given(st.integers(0, 50_000))
def test_any_truncated_model_file_is_found_by_its_hash(whole_bundle: Path, length: int) -> None:
    path = whole_bundle / "model.onnx"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: length % len(whole)])
        with pytest.raises(BundleError, match="sha256"):
            edgedet.load(whole_bundle)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no archive", b"\x93NUMPY\1\0", bytes(1000)])
def test_golden_that_is_no_archive(bundle: Path, content: bytes) -> None:
    (bundle / "golden/0.npz").write_bytes(content)
    edit_json(bundle, lambda data: data["golden"][0].update(expected=hashed(bundle, "golden/0.npz")))
    opened = Bundle.open(bundle)
    with pytest.raises(BundleError, match=r"^golden/0\.npz: expected arrays"):
        opened.expected(opened.spec.golden[0])


@pytest.mark.parametrize("arrays", ["pickled", "single", "bomb"])
def test_golden_archive_that_is_a_trap(bundle: Path, arrays: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bundle / "golden/0.npz"
    if arrays == "pickled":
        np.savez(path, deltas=np.array([{"a": 1}], object))
    elif arrays == "single":
        with path.open("wb") as stream:
            np.save(stream, np.zeros(3))
    else:
        monkeypatch.setattr(bundles, "MAX_ARRAYS_BYTES", 1 << 20)
        np.savez_compressed(path, deltas=np.zeros(1 << 20))
        assert path.stat().st_size < 1 << 20
    edit_json(bundle, lambda data: data["golden"][0].update(expected=hashed(bundle, "golden/0.npz")))
    opened = Bundle.open(bundle)
    with pytest.raises(BundleError, match=r"^golden/0\.npz: expected "):
        opened.expected(opened.spec.golden[0])


def _escape(kind: str, folder: Path) -> str:
    outside = folder.parent / "outside.onnx"
    shutil.copy(folder / "model.onnx", outside)
    if kind == "symlink":
        (folder / "link.onnx").symlink_to(outside)
    if kind == "linked_folder":
        (folder / "sub").symlink_to(folder.parent)
    if kind == "loop":
        (folder / "loop").symlink_to(folder / "loop")
    return {
        "absolute": str(outside),
        "parent": "../outside.onnx",
        "down_and_up": "golden/../../outside.onnx",
        "up_and_back": f"../{folder.name}/model.onnx",
        "backslash": "..\\outside.onnx",
        "inner_backslash": "golden\\0.png",
        "symlink": "link.onnx",
        "linked_folder": "sub/outside.onnx",
        "loop": "loop",
        "null": "model.onnx\0",
        "empty": "",
        "dot": ".",
        "folder": "golden",
        "long": "x" * 5000,
    }[kind]


ESCAPES = ["absolute", "parent", "down_and_up", "up_and_back", "backslash", "inner_backslash"]
ESCAPES += ["symlink", "linked_folder", "null"]


@pytest.mark.parametrize("kind", [*ESCAPES, "loop", "empty", "dot", "folder", "long"])
def test_path_that_is_no_file_of_the_bundle(bundle: Path, kind: str) -> None:
    file = _escape(kind, bundle)
    edit_json(bundle, lambda data: data["variants"][0]["files"]["model"].update(file=file))
    expected = "expected a path inside the bundle, got .*do not trust" if kind in ESCAPES else "expected a "
    with pytest.raises(BundleError, match=expected) as caught:
        Bundle.open(bundle)
    assert len(str(caught.value)) < 500


def test_link_inside_the_folder_is_fine(bundle: Path) -> None:
    (bundle / "model.onnx").rename(bundle / "real.onnx")
    (bundle / "model.onnx").symlink_to("real.onnx")
    assert edgedet.load(bundle).labels
