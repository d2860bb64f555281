"""Which variant runs here, and whether its network is the one that ``model.json`` describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundles import LEVELS, edit_json, toy_bundle

import edgedet
from edgedet import runtime as runtimes
from edgedet.bundle import Bundle
from edgedet.errors import BundleError, RuntimeUnavailable
from edgedet.runtime.base import Runtime, Target


def _absent(*_: Any) -> Any:
    raise AssertionError("opened although it is missing")


FAKES = {
    "fast": Runtime("fast", {"fast": Target(1, "ascend")}, lambda: None, _absent),
    "slow": Runtime("slow", {"slow": Target(90, "cpu")}, lambda: None, _absent),
    "gone": Runtime(
        "gone", {"gone": Target(0, "cpu")}, lambda: "gone: expected it, got none; do pip install it", _absent
    ),
}


@pytest.fixture
def many(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle of four variants, three of them for runtimes made up here."""
    real = runtimes.find
    monkeypatch.setattr(runtimes, "find", lambda name: FAKES.get(name) or real(name))

    def change(data: dict[str, Any]) -> None:
        (onnx,) = data["variants"]
        others = [{**onnx, "target": name, "runtime": name} for name in ("slow", "fast", "gone")]
        data["variants"] = [others[0], onnx, *others[1:]]

    edit_json(bundle, change)
    return Bundle.open(bundle)


@pytest.mark.parametrize(
    ("device", "runtime", "chosen"),
    [
        ("auto", "auto", ("fast", "ascend")),
        ("cpu", "auto", ("onnx", "cpu")),
        ("ascend", "auto", ("fast", "ascend")),
        ("ascend:3", "auto", ("fast", "ascend:3")),
        ("auto", "onnx", ("onnx", "cpu")),
        ("cpu", "slow", ("slow", "cpu")),
    ],
)
def test_best_that_is_present(many: Bundle, device: str, runtime: str, chosen: tuple[str, str]) -> None:
    choice = many.choose(device, runtime)
    assert (choice.variant.runtime, choice.device) == chosen
    assert choice.runtime.name == choice.variant.runtime


def test_all_that_could_run_in_order(many: Bundle) -> None:
    able, unable = many.choices()
    assert [choice.variant.runtime for choice in able] == ["fast", "onnx", "slow"]
    assert unable == ["gone: expected it, got none; do pip install it"]


@pytest.mark.parametrize(
    "device", ["gpu", "CPU", "", "cpu:", "cpu:0", "auto:", "ascend:", "ascend:x", "ascend:²", " cpu"]
)
def test_unknown_device(bundle: Path, device: str) -> None:
    with pytest.raises(ValueError, match="^device: expected auto, cpu, ascend or ascend:N, got "):
        edgedet.load(bundle, device=device)


@pytest.mark.parametrize("device", [None, 0])
def test_device_that_is_no_word(bundle: Path, device: Any) -> None:
    with pytest.raises(ValueError, match="^device: expected "):
        edgedet.load(bundle, device=device)


@pytest.mark.parametrize("runtime", ["tensorflow", "base", "", "../onnx", "ONNX", None])
def test_unknown_runtime(bundle: Path, runtime: Any) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"^runtime: expected one of .*onnx.*, got .*; "):
        edgedet.load(bundle, runtime=runtime)


def test_wrong_device_says_which_would_do(bundle: Path) -> None:
    with pytest.raises(RuntimeUnavailable, match=r"onnx.*; .*device='cpu'"):
        edgedet.load(bundle, device="ascend")


def test_wrong_runtime_says_which_would_do(many: Bundle) -> None:
    edit_json(many.root, lambda data: data["variants"].pop(1))
    with pytest.raises(RuntimeUnavailable, match=r"runtime onnx, got slow .*, fast .*; .*do .*runtime='auto'"):
        Bundle.open(many.root).choose(runtime="onnx")


def test_missing_runtime_says_how_to_install_it(many: Bundle) -> None:
    with pytest.raises(RuntimeUnavailable, match="do pip install it"):
        many.choose(runtime="gone")


def test_variant_of_a_later_edgedet_is_passed_over(bundle: Path) -> None:
    edit_json(bundle, lambda data: data["variants"].insert(0, {**data["variants"][0], "runtime": "quantum"}))
    edit_json(bundle, lambda data: data["variants"].insert(0, {**data["variants"][1], "target": "onnx2"}))
    able, unable = Bundle.open(bundle).choices()
    assert [choice.variant.runtime for choice in able] == ["onnx"]
    assert "onnx2" in unable[0]
    assert "quantum" in unable[1]
    assert edgedet.load(bundle).labels
    edit_json(bundle, lambda data: data["variants"].pop())
    with pytest.raises(RuntimeUnavailable, match="quantum.* newer edgedet"):
        edgedet.load(bundle)


@pytest.mark.parametrize("threads", [0, -1, 1025, 1.5, "2", True])
def test_wrong_threads(bundle: Path, threads: Any) -> None:
    with pytest.raises(ValueError, match=r"^threads: expected 1 to 1024 or None, got "):
        edgedet.load(bundle, threads=threads)


def _labels(data: dict[str, Any]) -> None:
    data["labels"].append("more")


def _levels(data: dict[str, Any]) -> None:
    data["head"]["levels"].pop()


def _background(data: dict[str, Any]) -> None:
    data["head"]["background"] = None


def _no_output(data: dict[str, Any]) -> None:
    del data["variants"][0]["files"]["model"]["outputs"]["logits"]


def _more_outputs(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["outputs"]["masks"] = "cls"


def _same_output(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["outputs"]["logits"] = "loc"


def _swapped_outputs(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["outputs"] = {"deltas": "cls", "logits": "loc"}
    data["labels"].append("more")


def _tensor(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["outputs"]["logits"] = "conf"


def _input(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["inputs"] = {"image": "picture"}


def _input_role(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["inputs"] = {"picture": "images"}


def _two_inputs(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["inputs"] = {"image": "images", "again": "images"}


def _no_input(data: dict[str, Any]) -> None:
    data["variants"][0]["files"]["model"]["inputs"] = {}


def _size(data: dict[str, Any]) -> None:
    data["input"]["size_wh"] = [48, 64]


def _network_name(data: dict[str, Any]) -> None:
    files = data["variants"][0]["files"]
    files["trunk"] = files.pop("model")


MISFITS = [_labels, _levels, _background, _no_output, _more_outputs, _same_output, _swapped_outputs]
MISFITS += [_tensor, _input, _input_role, _two_inputs, _no_input, _size, _network_name]


@pytest.mark.parametrize("change", MISFITS, ids=lambda change: change.__name__.strip("_"))
def test_network_that_is_not_the_one_described(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    edit_json(bundle, change)
    with pytest.raises(BundleError, match=r"expected .*, got .*; convert the checkpoint again"):
        edgedet.load(bundle)


@pytest.mark.parametrize("column", [0, 1, 3, None])
def test_background_column_may_be_any(tmp_path: Path, column: Any) -> None:
    folder = toy_bundle(tmp_path, levels=LEVELS[:1], head_options={"background": column}, goldens=0)
    assert len(edgedet.load(folder).labels) == 3
