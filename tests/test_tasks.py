"""`load`: which task opens, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import edit_json, toy_bundle

import edgedet
from edgedet import tasks
from edgedet.detector import Detector
from edgedet.errors import BundleError
from edgedet.spec import HEADS


def test_opens_the_first_task(whole_bundle: Path) -> None:
    model = edgedet.load(whole_bundle)
    assert isinstance(model, Detector)
    assert model.choice.device == "cpu"
    model.close()


@pytest.mark.parametrize("path", [str, Path])
def test_task_by_name(whole_bundle: Path, path: type) -> None:
    with edgedet.load(path(whole_bundle), task="detect") as model:
        assert isinstance(model, Detector)
        assert model.spec.tasks == ("detect",)


@pytest.mark.parametrize("task", ["classify", "", "Detect", "x" * 10_000])
def test_task_that_the_bundle_does_not_offer(whole_bundle: Path, task: str) -> None:
    with pytest.raises(BundleError, match=r"^'toy': task: expected one of detect, got .*; name one of these") as caught:
        edgedet.load(whole_bundle, task=task)
    assert len(str(caught.value)) < 300


def test_task_of_a_later_edgedet(bundle: Path) -> None:
    edit_json(bundle, lambda data: data.update(tasks=["levitate"]))
    with pytest.raises(BundleError, match=r"task: expected .*, got 'levitate'; install a newer edgedet"):
        edgedet.load(bundle)


def test_later_task_beside_one_that_is_known(tmp_path: Path) -> None:
    folder = toy_bundle(tmp_path, tasks=("levitate", "detect"), goldens=0)
    with pytest.raises(BundleError, match="expected one of detect, got 'levitate'"):
        edgedet.load(folder)
    edgedet.load(folder, task="detect").close()


@pytest.mark.parametrize(("name", "head"), [(name, head) for name, heads in tasks.TASKS.items() for head in heads])
def test_every_task_has_its_class(name: str, head: str) -> None:
    import importlib

    assert head in HEADS
    module, cls = tasks.TASKS[name][head]
    assert issubclass(getattr(importlib.import_module(module), cls), tasks.Model)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="expected a bundle"):
        edgedet.load(tmp_path)
