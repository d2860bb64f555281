"""`load`: a bundle opened as the task it was made for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Union, overload

from edgedet.bundle import Bundle
from edgedet.errors import BundleError
from edgedet.model import Model
from edgedet.strict import short

if TYPE_CHECKING:
    from edgedet.classifier import Classifier
    from edgedet.detector import Detector
    from edgedet.region_detector import RegionDetector
    from edgedet.regions import RegionClassifier

#: task -> type of the bundle's head -> module and class; imported when a bundle asks for it.
TASKS = {
    "classify": {"spp": ("edgedet.classifier", "Classifier")},
    "detect": {"anchors": ("edgedet.detector", "Detector"), "svm": ("edgedet.region_detector", "RegionDetector")},
    "regions": {"spp": ("edgedet.regions", "RegionClassifier")},
}


@overload
def load(
    path: Union[str, Path, Bundle],
    *,
    task: Literal["detect"],
    device: str = ...,
    runtime: str = ...,
    threads: Union[int, None] = ...,
) -> Union[Detector, RegionDetector]: ...
@overload
def load(
    path: Union[str, Path, Bundle],
    *,
    task: Literal["classify"],
    device: str = ...,
    runtime: str = ...,
    threads: Union[int, None] = ...,
) -> Classifier: ...
@overload
def load(
    path: Union[str, Path, Bundle],
    *,
    task: Literal["regions"],
    device: str = ...,
    runtime: str = ...,
    threads: Union[int, None] = ...,
) -> RegionClassifier: ...
@overload
def load(
    path: Union[str, Path, Bundle],
    *,
    task: Union[str, None] = ...,
    device: str = ...,
    runtime: str = ...,
    threads: Union[int, None] = ...,
) -> Model: ...
def load(
    path: Union[str, Path, Bundle],
    *,
    task: Union[str, None] = None,
    device: str = "auto",
    runtime: str = "auto",
    threads: Union[int, None] = None,
) -> Model:
    """Opens a bundle.

    Args:
        path: the bundle's folder, ``demo`` for the packaged toy, or a bundle that is open.
        task: one of the bundle's tasks (``detect``, ``classify``, ``regions``); None: its first.
        device: ``auto``, ``cpu``, ``ascend`` or ``ascend:N``.
        runtime: a name in `edgedet.runtime`, or ``auto`` for the best that is present.
        threads: cores that the runtime may use; None leaves it to the runtime.

    Returns:
        A `Detector` for ``detect``, or a `RegionDetector` if its head is one of SVMs; a `Classifier` for ``classify``,
        a `RegionClassifier` for ``regions``. Close it, or use it in a ``with`` statement.

    Raises:
        BundleError: the bundle is not whole, or has no such task.
        RuntimeUnavailable: nothing here can run any of its variants; says what would mend it.
        ModelLoadError: the runtime refuses the model file.
        ValueError: an argument that has no such value.
    """
    bundle = path if isinstance(path, Bundle) else Bundle.open(path)
    chosen = bundle.spec.tasks[0] if task is None else task
    if chosen not in bundle.spec.tasks or chosen not in TASKS:
        offered = [name for name in bundle.spec.tasks if name in TASKS]
        expected = f"one of {', '.join(offered)}" if offered else "one that this edgedet knows"
        cure = "name one of these" if offered else "install a newer edgedet"
        raise BundleError(f"{short(bundle.spec.name)}: task: expected {expected}, got {short(chosen)}; {cure}")
    heads, kind = TASKS[chosen], bundle.spec.head.type
    if kind not in heads:
        raise BundleError(f"model.json: head.type: expected {' or '.join(heads)}, got {kind}; see the bundle's tasks")
    module, name = heads[kind]
    opened = getattr(importlib.import_module(module), name)(bundle, device=device, runtime=runtime, threads=threads)
    assert isinstance(opened, Model)
    return opened
