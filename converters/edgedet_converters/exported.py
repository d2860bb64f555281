"""What goes into the child process that exports, and what comes out: plain data, for both sides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

from edgedet.spec import Compression

# Fast R-CNN's detector lost 0.3 points of mAP by it; a region whose best class changes was a close call before.
TOP1, MAX_SCORE = 0.98, 0.1


@dataclass(frozen=True)
class Svd:
    """How a head is to be compressed.

    Attributes:
        ranks: of the family's dense layers, in its order.
        top1: at least this share of the golden regions must keep their best class.
        max_score: no score of a golden region may change by more.
        pictures: paths of the golden pictures.
    """

    ranks: tuple[int, ...]
    top1: float = TOP1
    max_score: float = MAX_SCORE
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """What the child is to do.

    Attributes:
        family: the family's name.
        checkpoint: path of the ``.ckpt`` file.
        config: path of the family's config as JSON, or None for the published model.
        labels: the names of the classes, or None for those of the published data set.
        formats: what to write of each network: ``onnx``, ``mindir``.
        golden: paths of the images to record.
        svd: how to compress the head, or None to leave it as it is.
    """

    family: str
    checkpoint: str
    config: Optional[str]
    labels: Optional[tuple[str, ...]]
    formats: tuple[str, ...]
    golden: tuple[str, ...]
    svd: Optional[Svd] = None


@dataclass(frozen=True)
class Exported:
    """One network on disk, as the child left it.

    Attributes:
        files: format -> file name in the work folder.
        inputs: role -> shape, None where it is dynamic; in the graph's own order.
        outputs: roles, in the graph's own order.
        sample: role -> a whole shape, of every input with a dynamic dimension.
        tensors: role -> what MindSpore Lite calls this input of the MINDIR.
    """

    files: dict[str, str]
    inputs: dict[str, tuple[Optional[int], ...]]
    outputs: tuple[str, ...]
    sample: dict[str, tuple[int, ...]] = field(default_factory=dict)
    tensors: dict[str, str] = field(default_factory=dict)

    def free_shapes(self) -> dict[str, tuple[tuple[Optional[int], ...], ...]]:
        """`edgedet.spec.ModelFile.shapes` of a file that a runtime can resize."""
        return {role: (shape,) for role, shape in self.inputs.items() if None in shape}

    def whole(self, role: str) -> tuple[int, ...]:
        """The shape of an input, its dynamic dimensions in the sample's size."""
        return tuple(size for size in self.sample.get(role, self.inputs[role]) if size is not None)


@dataclass(frozen=True)
class Description:
    """What the child found out: the parts of ``model.json`` that follow from family and config."""

    tasks: tuple[str, ...]
    input: dict[str, Any]
    head: dict[str, Any]
    labels: tuple[str, ...]
    category_ids: tuple[int, ...] | None
    networks: dict[str, Exported]
    mindspore: str
    compression: Optional[Compression] = None
