"""``edgedet train-regions``: from annotated pictures to a detector that finds the same things in others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra [train]")

from toyspp import spp_bundle
from toysvm import svm_bundle

import edgedet
from edgedet.cli import INTERRUPTED, main
from edgedet.evaluate.verify import verify
from edgedet.evaluate.voc import mean_average_precision
from edgedet.region_detector import RegionDetector
from edgedet_converters import annotations
from edgedet_converters.region_training import Settings, Trainer

COLORS = {"ruby": (0, 0, 255), "emerald": (0, 255, 0), "sapphire": (255, 0, 0)}


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey picture with up to three coloured squares that don't touch: pixels, boxes, class ids."""
    rng = np.random.default_rng(seed)
    image = rng.integers(90, 130, (96, 128, 3), dtype=np.uint8)
    boxes, class_ids = [], []
    for cell in rng.permutation(6)[: rng.integers(1, 4)]:
        side = int(rng.integers(24, 38))
        x = 42 * int(cell % 3) + int(rng.integers(0, 42 - side))
        y = 48 * int(cell // 3) + int(rng.integers(0, 48 - side))
        class_id = int(rng.integers(3))
        image[y : y + side, x : x + side] = list(COLORS.values())[class_id]
        boxes.append((x, y, x + side, y + side))
        class_ids.append(class_id)
    return image, np.array(boxes, np.float32), np.array(class_ids, np.int32)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, and ``boxes.json``."""
    folder = tmp_path_factory.mktemp("photos")
    images, annotations = [], []
    for number in range(40):
        image, boxes, class_ids = scene(number)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        images.append({"id": number, "file_name": f"{number}.png"})
        for (x1, y1, x2, y2), class_id in zip(boxes.tolist(), class_ids.tolist()):
            box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "category_id": 10 * (class_id + 1)}
            annotations.append({"image_id": number, **box})
    categories = [{"id": 10 * (i + 1), "name": name} for i, name in enumerate(COLORS)]
    data = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "boxes.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return spp_bundle(tmp_path_factory.mktemp("network") / "toyspp", goldens=0)


def train(network: Path, photos: Path, out: Path, *options: str) -> int:
    boxes = str(photos / "boxes.json")
    usual = ["--annotations", boxes, "--out", str(out), "--proposals", "sliding:24,0.25", "--svm-c", "0.1"]
    return main(["train-regions", str(network), str(photos), *usual, *options])


@pytest.fixture(scope="module")
def trained(network: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("trained") / "gems"
    assert train(network, photos, out, "--layer", "spp") == 0
    yield out


def average_precision(bundle: Path) -> float:
    found, truth = [], []
    with edgedet.load(bundle) as model:
        for seed in range(1000, 1030):
            image, boxes, class_ids = scene(seed)
            things = model(image)
            found.append((things.boxes, things.scores, things.class_ids))
            truth.append((boxes, class_ids))
    return mean_average_precision(found, truth, classes=3)[0]


def test_it_finds_the_same_things_in_other_pictures(trained: Path) -> None:
    assert average_precision(trained) > 0.6  # of a network that was never trained


def test_the_bundle_is_a_detectors_and_verified(trained: Path) -> None:
    bundle = edgedet.Bundle.open(trained)
    assert bundle.spec.tasks == ("detect",) and bundle.spec.name == "gems"
    assert bundle.spec.labels == tuple(COLORS) and bundle.spec.category_ids == (10, 20, 30)
    assert len(bundle.spec.golden) == 3 and verify(bundle).passed
    with edgedet.load(bundle) as model:
        assert isinstance(model, RegionDetector)
        image, boxes, class_ids = scene(1)
        found = model(image, boxes)
        assert set(found.class_ids.tolist()) == set(class_ids.tolist())
        # Told where to look, it is sure of what it sees.
        assert found.scores[: len(boxes)].min() > 0.5


def test_detect_takes_it_as_any_other(trained: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(trained), str(photos / "0.png"), "--json"]) == 0
    (picture,) = json.loads(capsys.readouterr().out)["pictures"]
    assert {found["label"] for found in picture["detections"]} <= set(COLORS) and picture["detections"]


def test_the_same_pictures_give_the_same_weights(trained: Path, network: Path, photos: Path, tmp_path: Path) -> None:
    assert train(network, photos, tmp_path / "again", "--layer", "spp", "--name", "gems") == 0
    for name in ("weights", "bias", "box_weights", "box_bias"):
        with np.load(trained / "svm.npz") as one, np.load(tmp_path / "again" / "svm.npz") as other:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-3, atol=1e-5)


def test_other_choices(network: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--layer", "fc1", "--normalize", "none", "--no-box-regression", "--golden", str(photos / "3.png")]
    assert train(network, photos, tmp_path / "out", *chosen, "--json") == 0
    out, err = capsys.readouterr()
    facts = json.loads(out)
    assert err == "" and facts["golden"] == 1 and facts["name"] == "out"
    head = facts["head"]
    assert (head["layer"], head["normalize"], head["proposals"]) == ("fc1", "none", "sliding:24,0.25")
    with np.load(tmp_path / "out" / "svm.npz") as arrays:
        assert set(arrays) == {"weights", "bias"} and arrays["weights"].shape == (3, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", "fc2"], "layer: expected one of spp, fc1, logits, got 'fc2'"),
        (["--proposals", "magic"], "proposals: expected one of detector,"),
        (["--proposals", "file:a/boxes.json"], "head.proposals: expected a name"),
        (["--proposals", "detector:demo"], "proposals: expected one that opens no file, got 'detector:demo'"),
        (["--annotations", "none.json"], "none.json: expected a file that can be read"),
        (["--golden", "none.png"], "golden: expected a picture, got none.png"),
    ],
)
def test_what_is_refused(
    network: Path, photos: Path, tmp_path: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(network, photos, tmp_path / "out", *options) == 2
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_what_is_refused_before_training(
    network: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def learn(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Trainer, "learn", learn)
    assert train(network, photos, tmp_path / "out", "--golden", "none.png") == 2
    assert "golden: expected a picture, got none.png" in capsys.readouterr().err


def test_interrupted(network: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgedet_converters.train_regions._verify", interrupted)
    (folder := tmp_path / "models").mkdir()
    assert train(network, photos, folder / "out", "--layer", "spp") == INTERRUPTED
    assert not list(folder.iterdir())


def test_hard_negatives_are_mined_and_learned_from(
    network: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[tuple[Any, tuple[np.ndarray, np.ndarray], Any]] = []
    fit = Trainer._fit

    def watched(self: Trainer, positives: Any, negatives: Any) -> Any:
        fits.append((positives, negatives, fit(self, positives, negatives)))
        return fits[-1][2]

    monkeypatch.setattr(Trainer, "_fit", watched)
    known = annotations.read(photos / "boxes.json", sorted(photos.glob("?.png")))
    settings = Settings(layer="spp", proposals="sliding:24,0.25", c=0.1, box_regression=False)
    with edgedet.load(network, task="regions") as model:
        Trainer(model, known, settings).learn(lambda picture: cv2.imread(str(picture.path)), str, lambda: None)
    (positives, first, (weights, bias)), (again, second, (better, _)) = fits
    assert again is positives and len(second[0]) > len(first[0])
    mined, overlaps = second[0][len(first[0]) :], second[1][len(first[0]) :]
    # Each is one that some class's first SVM takes for its own, or hardly not, and that shows nothing of that class.
    assert ((mined @ weights.T + bias > -1) & (overlaps < 0.3)).any(axis=1).all()
    assert not np.allclose(weights, better, rtol=1e-2)


def test_a_bundle_without_regions(whole_bundle: Path, photos: Path, tmp_path: Path, capsys: Any) -> None:
    for bundle in (whole_bundle, svm_bundle(tmp_path / "svm", goldens=0)):
        assert train(bundle, photos, tmp_path / "out") == 2
        assert "task: expected one of detect, got 'regions'" in capsys.readouterr().err


def test_a_folder_that_is_there(network: Path, photos: Path, tmp_path: Path, capsys: Any) -> None:
    assert train(network, photos, tmp_path) == 2
    assert "expected a folder that doesn't exist yet, got one" in capsys.readouterr().err


def test_pictures_that_are_not_there(network: Path, tmp_path: Path, capsys: Any) -> None:
    options = ["--annotations", "a.json", "--out", str(tmp_path / "out")]
    assert main(["train-regions", str(network), str(tmp_path / "none"), *options]) == 2
    assert "expected a picture, a folder or a glob" in capsys.readouterr().err
