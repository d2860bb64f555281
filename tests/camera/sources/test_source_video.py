"""Video files, encoded by ffmpeg."""

from __future__ import annotations

import subprocess

import numpy as np
import peers
import pytest

from edgedet.camera.sources import State, open_source
from edgedet.errors import SourceError

COUNT, RATE = 30, 10
CODECS = {
    "h264.mp4": ("libx264", "-bf", "2"),
    "mjpeg.avi": ("mjpeg",),
    "vp8.webm": ("libvpx",),
    "h264.mkv": ("libx264",),
}


@pytest.fixture(scope="module")
def encode(tmp_path_factory):
    """Encodes a video whose frames become brighter: frame i is 8 i grey; each kind once."""
    folder = tmp_path_factory.mktemp("videos")

    def video(name, *extra):
        path = folder / ("-".join(["", *extra]).strip("-").replace("/", "_") + name)
        if not path.exists():
            frames = b"".join(bytes([8 * index]) * (96 * 64) for index in range(COUNT))
            command = [peers.program("ffmpeg"), "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "96x64"]
            command += ["-r", str(RATE), "-i", "-", "-c:v", *CODECS[name], "-pix_fmt", "yuvj420p", *extra, str(path)]
            subprocess.run(command, input=frames, check=True)
        return path

    return video


def brightness(frames):
    return np.array([frame.image.mean() for frame in frames])


@pytest.mark.parametrize("name", CODECS)
def test_every_frame_comes_in_order_with_its_time(encode, name):
    with open_source(encode(name)) as source:
        assert source.size_wh == (96, 64) and source.rate == pytest.approx(RATE) and not source.live
        frames = list(source)
        assert source.state is State.END and source.problem is None
    assert [frame.index for frame in frames] == list(range(COUNT))
    np.testing.assert_allclose([frame.source_s for frame in frames], np.arange(COUNT) / RATE, atol=0.02)
    np.testing.assert_allclose(brightness(frames), 8 * np.arange(COUNT), atol=12)
    assert len({id(frame.image) for frame in frames}) == COUNT  # none is overwritten by the next
    assert (np.diff([frame.captured_s for frame in frames]) >= 0).all()


def test_loop(encode):
    with open_source(f"file://{encode('h264.mp4')}?loop=yes") as source:
        frames = [source.read() for _ in range(COUNT + 3)]
    np.testing.assert_allclose(brightness(frames[COUNT:]), [0, 8, 16], atol=12)
    assert frames[-1].index == COUNT + 2 and frames[-1].source_s == pytest.approx(0.2, abs=0.02)


def test_live_plays_in_its_own_time_and_drops(encode):
    with open_source(encode("mjpeg.avi"), live=True, rate=100) as source:
        first = source.read()
        while source.state is State.RUNNING:
            subprocess.run(["true"], check=True)
        last = source.read()
        assert source.live and source.counts.dropped == COUNT - 2
    assert first.index < last.index == COUNT - 1
    assert last.captured_s - first.captured_s >= 0.9 * (last.index - first.index) / 100


def test_a_wrong_video_is_an_error_at_once_even_live(tmp_path, capfd):
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    with pytest.raises(SourceError, match="got a file that FFmpeg can't open; convert it to MP4"):
        open_source(tmp_path / "a.mp4", live=True)


def test_a_video_that_was_cut_says_so(encode, tmp_path, capfd):
    whole = encode("h264.mp4", "-movflags", "+faststart", "-g", "1").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with open_source(cut) as source:
        frames = list(source)
        assert 0 < len(frames) < COUNT - 3
        assert source.state is State.END and f"expected {COUNT} frames, got {len(frames)}" in source.problem


def test_flip(encode):
    plain = next(open_source(encode("mjpeg.avi")))
    turned = next(open_source(encode("mjpeg.avi"), flip="270"))
    np.testing.assert_array_equal(turned.image, np.rot90(plain.image))


def test_a_playlist_leads_nowhere(tmp_path, capfd):
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile '/etc/hostname'\nfile 'http://127.0.0.1:1/a.mp4'\n")
    with pytest.raises(SourceError):
        list(open_source(tmp_path / "list.mp4"))


def test_options_of_cameras_are_refused(encode):
    with pytest.raises(ValueError, match="expected options among .*, got 'size'; leave it out"):
        open_source(encode("mjpeg.avi"), size_wh=(3, 4))
