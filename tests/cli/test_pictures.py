"""Finding, reading and writing picture files."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgedet.cli import pictures
from edgedet.errors import SourceError

GREY = np.full((4, 6, 3), 128, np.uint8)


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", GREY)[1].tobytes())
    return path


def test_finds_files_folders_and_globs(tmp_path: Path) -> None:
    c, a, b, other = (write(tmp_path / name) for name in ("in/c.PNG", "in/a.png", "in/b.tif", "in/odd.dat"))
    (tmp_path / "in" / "deeper.png").mkdir()
    write(tmp_path / "in" / "deeper.png" / "d.png")
    assert pictures.find([str(tmp_path / "in")]) == ([a, b, c], [])
    assert pictures.find([str(other), str(tmp_path / "in" / "?.???")]) == ([other, a, b, c], [])
    assert pictures.find([str(c), str(tmp_path / "in")]) == ([c, a, b], [])


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    path = write(tmp_path / "x[1].png")
    assert pictures.find([str(path)]) == ([path], [])


def test_names_what_it_did_not_find(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    names = [str(tmp_path / name) for name in ("empty", "none.png", "*.gif", "x" * 300)]
    files, problems = pictures.find(names)
    assert files == [] and len(problems) == len(names)
    assert all(name in problem for name, problem in zip(names, problems))


@pytest.mark.parametrize("name", ["ünïcode 图.png", "no-suffix"])
def test_reads_any_name(name: str, tmp_path: Path) -> None:
    assert np.array_equal(pictures.read(write(tmp_path / name)), GREY)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_reads_grey_alpha_and_16_bit_as_bgr(shape: tuple[int, ...], depth: type, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.full(shape, np.iinfo(depth).max, depth))
    image = pictures.read(tmp_path / "x.png")
    assert image.shape == (5, 7, 3) and image.dtype == np.uint8 and (image == 255).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif", ".webp"])
def test_refuses_half_a_file_in_silence(suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = cv2.imencode(suffix, noise)[1].tobytes()
    (tmp_path / f"x{suffix}").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"x\..*: expected a picture, got one that is damaged"):
        pictures.read(tmp_path / f"x{suffix}")
    assert capfd.readouterr() == ("", "")


def test_a_whole_thumbnail_does_not_make_a_jpeg_whole(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    thumbnail = cv2.imencode(".jpg", noise[:8, :8])[1].tobytes()
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    (tmp_path / "x.jpg").write_bytes(whole + bytes(9))  # some cameras pad
    assert pictures.read(tmp_path / "x.jpg").shape == (64, 64, 3)
    (tmp_path / "x.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(SourceError, match="damaged"):
        pictures.read(tmp_path / "x.jpg")


def test_refuses_a_jpeg_that_ends_early_but_properly(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    (tmp_path / "x.jpg").write_bytes(data[: len(data) // 2] + b"\xff\xd9")  # libjpeg fills it up with grey
    with pytest.raises(SourceError, match="damaged"):
        pictures.read(tmp_path / "x.jpg")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_says_that_it_may_not(tmp_path: Path) -> None:
    path = write(tmp_path / "x.png")
    path.chmod(0)
    with pytest.raises(SourceError, match="Permission denied"):
        pictures.read(path)


def test_stderr_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pictures.caught_stderr() as said:
        os.write(2, b"noise")
    os.write(2, b"after")
    assert said == ["noise"] and capfd.readouterr().err == "after"


def test_album_gives_names_that_collide_with_nothing(tmp_path: Path) -> None:
    inputs = [write(tmp_path / name) for name in ("a/x.jpg", "b/x.JPEG", "x-detected-2.jpg", "c/x.tif")]
    before = inputs[2].read_bytes()
    album = pictures.Album(tmp_path, inputs)
    saved = [album.save(path, GREY).name for path in inputs]
    assert saved == ["x-detected.jpg", "x-detected-3.jpg", "x-detected-2-detected.jpg", "x-detected.png"]
    assert inputs[2].read_bytes() == before and not list(tmp_path.glob("*.part"))
