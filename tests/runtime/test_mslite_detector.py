"""A detector on a ``.ms`` variant: the runtime's own buffers, written by preprocessing and read by decoding."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from bundles import LABELS, LEVELS, edit_json, rehash, sample_image, toy_bundle
from mindspore_lite_double import write_mindir
from mslite_double import NCHW, NHWC, write_model

import edgedet
from edgedet.bundle import Bundle
from edgedet.detector import Detector, Postprocess
from edgedet.errors import BundleError, InferenceError
from edgedet.image import to_tensor
from edgedet.runtime.base import Lender, Slot

ANCHORS = sum(level.count for level in LEVELS)
COLUMNS = len(LABELS) + 1


def network(tensor: np.ndarray) -> dict[str, np.ndarray]:
    """The double's graph ``ssd``."""
    values = tensor.ravel()

    def pick(columns: int, minus: float) -> np.ndarray:
        places = np.arange(ANCHORS * columns) * 7919 % values.size
        return (values[places] - np.float32(minus)).reshape(1, ANCHORS, columns)

    return {"deltas": pick(4, 0), "logits": pick(COLUMNS, 2)}


@pytest.fixture(params=[NCHW, NHWC], ids=["nchw", "nhwc"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, mslite_double: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The toy bundle with a second variant, for the double."""
    monkeypatch.setenv("EDGEDET_MSLITE_LIBRARY", str(mslite_double))
    folder = toy_bundle(tmp_path / "toy")
    shape = (1, 3, 48, 64) if request.param == NCHW else (1, 48, 64, 3)
    write_model(folder / "model.ms", f"ssd {ANCHORS} {COLUMNS}", inputs=[("images", shape, request.param)])
    add_variant(folder, "model.ms", "mslite", "mslite")
    return folder


def add_variant(folder: Path, name: str, target: str, runtime: str) -> None:
    names = {"inputs": {"image": "images"}, "outputs": {"deltas": "deltas", "logits": "logits"}}
    file = {"file": name, "sha256": "0" * 64, **names}
    variant = {"target": target, "precision": "fp32", "runtime": runtime, "files": {"model": file}, "producer": {}}
    edit_json(folder, lambda data: data["variants"].append(variant))
    rehash(folder)


@pytest.fixture
def detector(folder: Path) -> Detector:
    return edgedet.load(folder, task="detect")


def image(seed: int = 0) -> np.ndarray:
    return sample_image(np.random.default_rng(seed), (90, 70))


def expected(detector: Detector, picture: np.ndarray) -> edgedet.Detections:
    tensor, placed = to_tensor(picture, detector.spec.input)
    return Postprocess(detector.spec)(network(tensor), placed)


def assert_same(found: edgedet.Detections, wanted: edgedet.Detections) -> None:
    assert len(wanted) > 3
    for name in ("boxes", "scores", "class_ids"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))


def test_it_is_chosen_before_onnx(detector: Detector) -> None:
    assert detector.choice.variant.target == "mslite"
    assert detector.choice.device == "cpu"


def test_raw_outputs_in_either_layout(detector: Detector) -> None:
    raw = detector.raw(image())
    for role, array in network(to_tensor(image(), detector.spec.input)[0]).items():
        np.testing.assert_array_equal(raw[role], array)


def test_detections_in_either_layout(detector: Detector) -> None:
    for seed in range(3):
        assert_same(detector(image(seed)), expected(detector, image(seed)))
    assert min(detector.timings) > 0


def test_nothing_is_copied_on_the_way(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = expected(detector, image())
    session = detector._network._session
    assert isinstance(session, Lender)
    monkeypatch.setattr(session, "run", lambda feed: pytest.fail("run copies"))
    assert_same(detector(image()), wanted)
    with detector._network.borrow() as slot:
        assert slot.inputs["image"].shape == (1, 3, 48, 64)
        assert not slot.inputs["image"].flags.owndata
        assert not slot.run()["deltas"].flags.owndata


def test_four_threads(detector: Detector) -> None:
    wanted = [expected(detector, image(seed)) for seed in range(4)]

    def work(seed: int) -> None:
        for _ in range(50):
            assert_same(detector(image(seed)), wanted[seed])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


def test_a_network_that_tells_its_outputs_shapes_only_when_it_runs(folder: Path) -> None:
    write_model(folder / "model.ms", f"ssd {ANCHORS} {COLUMNS}", inputs=[("images", (1, 3, -1, -1), NCHW)])
    edit_json(folder, lambda data: data["variants"][1]["files"]["model"].update(shapes={"image": [[1, 3, 48, 64]]}))
    rehash(folder)
    detector = edgedet.load(folder, task="detect")
    assert detector._network.outputs["deltas"].shape == ()
    assert_same(detector(image()), expected(detector, image()))


def test_wrong_image_leaves_the_network_free(detector: Detector) -> None:
    with pytest.raises(ValueError, match="^image: "):
        detector(None)  # type: ignore[arg-type]
    assert_same(detector(image()), expected(detector, image()))
    detector.close()
    with pytest.raises(InferenceError, match="^session: expected an open one, got a closed one"):
        detector(image())


def test_changed_file_is_not_loaded(folder: Path) -> None:
    data = bytearray((folder / "model.ms").read_bytes())
    data[80] ^= 1
    (folder / "model.ms").write_bytes(data)
    with pytest.raises(BundleError, match=r"^model\.ms: expected sha256 "):
        edgedet.load(folder)


def test_onnx_lends_arrays_of_its_own(folder: Path) -> None:
    bundle = Bundle.open(folder)
    network = bundle.open_network("model", bundle.choose(runtime="onnx"), None)
    with network.borrow() as slot:
        assert isinstance(slot, Slot)
        slot.inputs["image"][...] = 0.5
        assert slot.run().keys() == {"deltas", "logits"}
    with network.borrow({"image": (2, 3, 4, 5)}) as slot, pytest.raises(ValueError, match="^images: expected "):
        slot.run()


@pytest.fixture
def halved(folder: Path) -> Detector:
    """The detector with outputs of float16."""
    data = (folder / "model.ms").read_bytes()
    (folder / "model.ms").write_bytes(data.replace(b"\nend\n", b"\nhalf_outputs\nend\n"))
    rehash(folder)
    return edgedet.load(folder, task="detect")


def check_halved(halved: Detector) -> None:
    _, placed = to_tensor(image(), halved.spec.input)
    raw = halved.raw(image())
    for role, array in network(to_tensor(image(), halved.spec.input)[0]).items():
        assert raw[role].dtype == np.float16
        np.testing.assert_allclose(raw[role], array, rtol=1e-3, atol=1e-4)
    wide = {role: array.astype(np.float32) for role, array in raw.items()}
    assert_same(halved(image()), Postprocess(halved.spec)(wide, placed))


def test_float16_outputs_are_read_in_place(halved: Detector) -> None:
    check_halved(halved)
    with halved._network.borrow() as slot:
        assert not slot.run()["deltas"].flags.owndata


def test_float16_outputs_of_the_python_package(tmp_path: Path, mindspore_lite: None) -> None:
    folder = toy_bundle(tmp_path / "toy")
    inputs = [("images", (1, 3, 48, 64), NCHW)]
    write_mindir(folder / "model.mindir", f"ssd {ANCHORS} {COLUMNS}", "half_outputs", inputs=inputs)
    add_variant(folder, "model.mindir", "mindir", "mslite_wheel")
    with edgedet.load(folder, task="detect", runtime="mslite_wheel") as halved:
        check_halved(halved)
