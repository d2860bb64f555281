"""``model.json`` as frozen dataclasses: all that the device half knows of a model is data in here.

The file is parsed and checked, never executed. Every error is a `BundleError` that names the key.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from edgedet.errors import BundleError
from edgedet.heads import (
    MAX_SIDE,
    AnchorHead,
    FeatureGrid,
    HashedFile,
    Level,
    SppHead,
    TrunkLayer,
    measure,
    require,
)
from edgedet.strict import read, short
from edgedet.svm_head import SvmHead

__all__ = [
    "HEADS",
    "SCHEMA",
    "AnchorHead",
    "Compression",
    "FeatureGrid",
    "Golden",
    "HashedFile",
    "Head",
    "Input",
    "Level",
    "ModelFile",
    "Source",
    "Spec",
    "SppHead",
    "SvmHead",
    "TrunkLayer",
    "Variant",
    "parse",
]

SCHEMA = 1

Head = Union[AnchorHead, SppHead, SvmHead]
HEADS: dict[str, type] = {"anchors": AnchorHead, "spp": SppHead, "svm": SvmHead}


@dataclass(frozen=True)
class Input:
    """How an image becomes the network's input.

    Attributes:
        size_wh: width and height of the input in pixels.
        color: channel order of the input, ``rgb`` or ``bgr``.
        mean: per channel, in the input's own order, in 0..255.
        std: likewise.
        resize: the rule, one of those in `edgedet.image` (``stretch``, ``letterbox``).
        resize_wh: where the rule leads before a centre crop to ``size_wh``; absent: to ``size_wh`` itself.
    """

    size_wh: tuple[int, int]
    color: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: str
    resize_wh: Optional[tuple[int, int]] = None

    def __post_init__(self) -> None:
        for key, size in (("size_wh", self.size_wh), ("resize_wh", self.resize_wh or self.size_wh)):
            require(all(0 < side <= MAX_SIDE for side in size), f"input.{key}", f"sides of 1 to {MAX_SIDE}", size)
        require(self.color in ("rgb", "bgr"), "input.color", "rgb or bgr", self.color)
        require(all(abs(m) <= 1e6 for m in self.mean), "input.mean", "numbers of -1e6 to 1e6", self.mean)
        require(all(map(measure, self.std)), "input.std", "numbers of 1e-6 to 1e6", self.std)
        require(self.resize in ("stretch", "letterbox"), "input.resize", "stretch or letterbox", self.resize)
        inside = all(small <= large for small, large in zip(self.size_wh, self.resize_wh or self.size_wh))
        require(inside, "input.resize_wh", f"at least size_wh {self.size_wh}", self.resize_wh)


@dataclass(frozen=True)
class ModelFile:
    """A network for one runtime, and what its tensors are called there: role -> tensor name.

    Where a runtime makes the names up when it loads the file, ``#0`` is its first tensor, ``#1`` the second.

    Attributes:
        shapes: role -> the shapes that an input may be given, null where any size will do; an input that isn't here
            takes the shape that the file itself has. Images are (N, 3, H, W), whatever the file's layout.
    """

    file: str
    sha256: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    shapes: dict[str, tuple[tuple[Optional[int], ...], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """The model's networks for one target.

    Attributes:
        target: what it was converted for (``onnx``, ``mslite``, ``mindir``, ``ascend``).
        precision: ``fp32``, ``fp16`` or ``int8``.
        runtime: the name of the module in ``edgedet/runtime`` that runs it.
        files: network name (``model``, or ``trunk`` and ``head``) -> its file.
        producer: package name -> version of what made it.
        soc: the chip it is compiled for; absent for portable variants.
        aipp: the chip does mean, std and channel order; the image goes in as BGR pixels, (N, H, W, 3) uint8.
    """

    target: str
    precision: str
    runtime: str
    files: dict[str, ModelFile]
    producer: dict[str, str]
    soc: Optional[str] = None
    aipp: bool = False


@dataclass(frozen=True)
class Golden:
    """An input, and what the checkpoint itself made of it in MindSpore: raw outputs by role and the final result."""

    image: HashedFile
    expected: HashedFile


@dataclass(frozen=True)
class Compression:
    """A head whose dense layers are pairs of thinner ones (truncated SVD), and what that changed.

    Measured on regions of the golden pictures, against the checkpoint's own layers.

    Attributes:
        ranks: of the layers, first to last.
        regions: how many were looked at.
        top1: the share of them whose best class is the same.
        max_score: the largest change of any class's score, 0 to 1.
    """

    ranks: tuple[int, ...]
    regions: int
    top1: float
    max_score: float


@dataclass(frozen=True)
class Source:
    """Where the weights come from, and what was done to them."""

    checkpoint: str
    sha256: str
    url: Optional[str] = None
    metric: Optional[str] = None
    licence: Optional[str] = None
    citation: Optional[str] = None
    compression: Optional[Compression] = None


@dataclass(frozen=True)
class Spec:
    """The whole of ``model.json``. See ``docs`` of each part."""

    schema: int
    name: str
    family: str
    tasks: tuple[str, ...]
    input: Input
    head: Head
    labels: tuple[str, ...]
    variants: tuple[Variant, ...]
    source: Source
    category_ids: Optional[tuple[int, ...]] = None
    golden: tuple[Golden, ...] = field(default=())

    def __post_init__(self) -> None:
        require(bool(self.tasks), "tasks", "at least one", self.tasks)
        require(bool(self.labels), "labels", "at least one", self.labels)
        require(bool(self.variants), "variants", "at least one", self.variants)
        self.head.check_fit(self.input.size_wh, len(self.labels))
        ids = self.category_ids
        fits = ids is None or len(ids) == len(self.labels)
        require(fits, "category_ids", f"one for each of {len(self.labels)} labels", ids and len(ids))

    def to_json(self) -> str:
        """The text of ``model.json``; `parse` of it gives an equal spec."""
        return json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"


def parse(text: str) -> Spec:
    """The spec in the text of a ``model.json``.

    Raises:
        BundleError: not JSON, a schema this version doesn't know, or a missing, unknown or wrong key (named).
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"model.json: expected JSON, got {error}; convert the checkpoint again") from error
    if not isinstance(data, dict):
        raise BundleError(f"model.json: expected an object, got {type(data).__name__}; convert the checkpoint again")
    schema = data.get("schema")
    if schema != SCHEMA:
        raise BundleError(
            f"model.json: schema: expected {SCHEMA}, got {short(schema)}; install the edgedet that wrote it"
        )
    return read(Spec, data, "model.json", {"head": _head_type(data.get("head"))})


def _head_type(head: Any) -> type:
    kind = head.get("type") if isinstance(head, Mapping) else None
    if not isinstance(kind, str) or kind not in HEADS:
        raise BundleError(
            f"model.json: head.type: expected one of {', '.join(HEADS)}, got {short(kind)}; install a newer edgedet"
        )
    return HEADS[kind]
