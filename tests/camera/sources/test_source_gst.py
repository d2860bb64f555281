"""``gst:`` with real pipelines."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import peers
import pytest

from edgedet.camera.sources import State, open_source
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

# Of PyGObject's own way to import.
pytestmark = pytest.mark.filterwarnings("ignore:DynamicImporter:ImportWarning")
RED = "videotestsrc pattern=red"


@pytest.fixture(scope="module", autouse=True)
def _gst(tmp_path_factory):
    peers.pygobject(tmp_path_factory.mktemp("gi"))


def caps(width=64, height=48, rate=30, extra=""):
    return f"video/x-raw,width={width},height={height},framerate={rate}/1{extra}"


@pytest.mark.parametrize("size_wh", [(64, 48), (62, 46), (66, 50), (61, 47)])
@pytest.mark.parametrize(
    ("pixels", "color"),
    [
        ("BGR", "bgr"),
        ("RGB", "rgb"),
        ("NV12", "nv12"),
        ("I420", "i420"),
        ("YUY2", "yuyv"),
        ("NV12,colorimetry=bt709", "bgr"),  # edgedet.image would read it as BT.601
        ("BGRx", "bgr"),
    ],
)
def test_pixels_are_right_whatever_the_pipeline_ends_with(size_wh, pixels, color):
    launch = f"gst:{RED} num-buffers=2 ! {caps(*size_wh)},format={pixels}"
    with open_source(launch, live=False) as source:
        frame = source.read()
    odd = size_wh[0] % 2
    assert frame.color == ("bgr" if odd and color != "rgb" else color)
    bgr = frame.bgr()
    assert bgr.shape == (size_wh[1], size_wh[0], 3) and source.size_wh == size_wh
    # Of an odd YUY2, GStreamer itself makes the last column black, and sometimes a pixel beside it dark.
    inner = bgr[:, : size_wh[0] - 2 * odd].reshape(-1, 3)
    np.testing.assert_allclose(inner, np.tile([0, 0, 255], (len(inner), 1)), atol=6)


def test_not_live_gives_every_frame_and_ends():
    with open_source(f"gst:{RED} num-buffers=20 ! {caps(rate=10)}", live=False) as source:
        assert not source.live
        frames = list(source)
        assert source.rate == 10 and source.state is State.END
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.source_s for frame in frames], np.arange(20) / 10, atol=1e-6)


def test_a_live_pipeline_knows_when_a_frame_was_taken():
    with open_source(f"gst:{RED} is-live=true ! {caps()} ! identity sleep-time=100000") as source:
        assert source.live
        source.read()
        ages = [source.read().age_s() for _ in range(5)]
    assert min(ages) > 0.09  # the pipeline holds each frame for a tenth of a second


def test_a_pipeline_that_is_not_live_is_played_in_its_own_time():
    began = time.monotonic()
    with open_source(f"gst:{RED} num-buffers=10 ! {caps(rate=20)}", buffer=20) as source:
        assert len(list(source)) == 10
    assert time.monotonic() - began > 0.9 * 9 / 20


def test_a_file(tmp_path):
    video = tmp_path / "a.mp4"
    command = [peers.program("ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(video)], check=True)
    with open_source(f"gst:filesrc location={video} ! decodebin", live=False) as source:
        assert len(list(source)) == 10


def test_a_stall_is_a_timeout():
    with open_source("gst:appsrc is-live=true caps=video/x-raw,format=BGR,width=8,height=8", timeout_s=0.3) as source:
        with pytest.raises(SourceTimeout):
            source.read(0.1)
        with pytest.raises(SourceError, match="expected a frame within 0.3 s, got none"):
            source.read(20)


def test_close_wakes_a_reader():
    source = open_source("gst:appsrc is-live=true caps=video/x-raw,format=BGR,width=8,height=8", timeout_s=60)
    threading.Timer(0.3, source.close).start()
    with pytest.raises(EndOfStream):
        source.read()


@pytest.mark.parametrize(
    ("launch", "words"),
    [
        ("nosuchelement", 'no element "nosuchelement"; try it with gst-launch-1.0'),
        ("videotestsrc ! ! x", "expected a pipeline, got"),
        ("v4l2src device=/dev/video97", "Cannot identify device"),
        ("filesrc location=/nothing.mp4 ! decodebin", "Resource not found"),
        ("rtspsrc location=rtsp://me:hush@127.0.0.1:1/x user-pw=hush ! decodebin", r"rtsp://\*\*\*@127"),
        ("videotestsrc num-buffers=3 ! jpegenc ! fakesrc", "expected a pipeline, got"),
    ],
)
def test_a_wrong_pipeline_says_why(launch, words):
    with pytest.raises(SourceError, match=words) as caught, open_source(f"gst:{launch}") as source:
        source.read(20)
    assert "hush" not in str(caught.value)


def test_other_libraries_can_still_raise(tmp_path):
    """GStreamer's libunwind made the process die of the first C++ exception in a library that was loaded after it."""
    import gi

    pytest.importorskip("onnxruntime")
    model = tmp_path / "no-model.onnx"
    model.write_text("{}")
    code = f"""
import sys
sys.path.append({str(Path(gi.__file__).parent.parent)!r})
from edgedet.camera.sources import open_source
with open_source("gst:{RED} num-buffers=1 ! {caps()}", live=False) as source:
    source.read()
import onnxruntime
try:
    onnxruntime.InferenceSession({str(model)!r})
except Exception as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "InvalidProtobuf"


def test_no_pipeline():
    with pytest.raises(ValueError, match="gst: expected a pipeline, got none"):
        open_source("gst: ! ")


def test_options_are_arguments_only():
    with open_source(f"gst:{RED} is-live=true ! {caps()}", flip="90") as source:
        assert source.read().image.shape == (64, 48, 3)
    with pytest.raises(ValueError, match="'size'"):
        open_source(f"gst:{RED}", size_wh=(3, 4))
