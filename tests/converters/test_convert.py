"""From a checkpoint to a bundle: the whole way with a small model, and every way to be wrong before and during it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import edgedet
from edgedet.errors import CheckpointError, ConversionError, VerificationError
from edgedet.evaluate.verify import verify

pytest.importorskip("mindspore", reason="needs the extra [convert]")
from edgedet_converters import convert as module
from edgedet_converters.convert import convert

pytestmark = pytest.mark.convert
SHAPES = Path(__file__).parents[2] / "examples" / "shapes"
CHECKPOINT = SHAPES / "shapes.ckpt"
OPTIONS = {"config": SHAPES / "config.json", "labels": SHAPES / "labels.txt"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path_factory.mktemp("bundles") / "shapes", **OPTIONS)


def test_the_bundle_gives_the_checkpoints_answers(bundle: Path) -> None:
    verdict = verify(edgedet.Bundle.open(bundle))
    assert verdict.passed, verdict.table()
    assert len(verdict.replays) == 3
    assert max(raw.max_rel for replay in verdict.replays for raw in replay.raw) <= 1e-4


def test_the_bundle_says_where_it_comes_from(bundle: Path) -> None:
    spec = edgedet.Bundle.open(bundle).spec
    assert spec.name == "shapes" and spec.family == "ssd_mobilenet_v2" and spec.tasks == ("detect",)
    assert spec.labels == tuple((SHAPES / "labels.txt").read_text().split())
    assert spec.source.checkpoint == "shapes.ckpt" and len(spec.source.sha256) == 64
    assert "mindspore" in spec.variants[0].producer


def test_only_the_bundle_is_left(bundle: Path) -> None:
    assert [path.name for path in bundle.parent.iterdir()] == ["shapes"]
    assert sorted(path.name for path in bundle.iterdir()) == ["golden", "model.json", "model.onnx"]


def test_other_answers_are_refused_and_nothing_is_left(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = json.loads((bundle / "model.json").read_text())
    recorded = module._finish_golden

    def shifted(spec, work, draft, pictures):  # a converter whose graph gives other numbers than the checkpoint
        for index in range(len(pictures)):
            path = work / f"golden-{index:03d}.npz"
            with np.load(path) as arrays:
                raw = dict(arrays)
            np.savez(path, **{**raw, "deltas": raw["deltas"] + np.float32(0.5)})
        return recorded(spec, work, draft, pictures)

    monkeypatch.setattr(module, "_finish_golden", shifted)
    with pytest.raises(VerificationError, match="deltas: expected relative error"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", **OPTIONS)
    assert list(tmp_path.iterdir()) == [] and described["schema"] == 1


def test_a_truncated_checkpoint(tmp_path: Path) -> None:
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes(CHECKPOINT.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match=r"cut\.ckpt: expected"):
        convert("ssd_mobilenet_v2", cut, tmp_path / "out", **OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["cut.ckpt"]


def test_another_familys_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"expected the \d+ parameters of ssd_mobilenet_v2.*wrong \("):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "config: expected a JSON file"),
        ('{"colour": 1}', "config: colour: expected one of num_classes.*got an unknown key"),
        ('{"width": "half"}', "config: width: expected a number"),
        ('{"split": 99}', "config: split: expected"),
        ('{"num_classes": 5}', "labels: expected 5.*got 8"),
    ],
)
def test_a_wrong_config(tmp_path: Path, config: str, message: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(config)
    with pytest.raises(ConversionError, match=message):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", config=path, labels=OPTIONS["labels"])
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize(("text", "message"), [("", "got none"), ("cat\ncat\n", r"twice \['cat'\]")])
def test_wrong_labels(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(text)
    with pytest.raises(ConversionError, match=message):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", config=OPTIONS["config"], labels=path)


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="family: expected one of"):
        convert("yolo", CHECKPOINT, tmp_path / "out")
    with pytest.raises(ConversionError, match="target: expected one of"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", targets=["tflite"])
    with pytest.raises(ConversionError, match="target: expected at least one"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", targets=[])
    with pytest.raises(CheckpointError, match="expected a MindSpore checkpoint file, got none"):
        convert("ssd_mobilenet_v2", tmp_path / "none.ckpt", tmp_path / "out")
    with pytest.raises(ConversionError, match="golden: expected a picture"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", golden=[OPTIONS["labels"]])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ConversionError, match="expected a folder that doesn't exist yet"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out")


def test_an_export_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"expected to end within 0\.5 s"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", timeout_s=0.5, **OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_a_crash_in_the_framework_is_a_conversion_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "path" / "mindspore"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("import os; print('about to die', flush=True); os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    with pytest.raises(ConversionError, match="expected exit code 0, got -6; MindSpore's last lines: .*about to die"):
        convert("ssd_mobilenet_v2", CHECKPOINT, tmp_path / "out", **OPTIONS)
    shutil.rmtree(broken.parent)
    assert list(tmp_path.iterdir()) == []
