"""Dense layers as pairs of thinner ones, by truncated singular value decomposition (Girshick 2015, section 3.1).

``W`` (outputs × inputs) becomes ``U · (Uᵀ W)``, with the ``rank`` left singular vectors of the largest singular values
as ``U``'s columns: the best that any two layers with so few numbers between them can do for ``W``. What it changes in
a head's answers is measured on regions of the golden pictures, whole layers against pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from mindspore import Tensor, nn

from edgedet import ops as kernels
from edgedet.errors import ConversionError
from edgedet.image import to_tensor
from edgedet.spec import Compression, Input, SppHead
from edgedet.strict import read as read_strict
from edgedet.views import resized_wh
from edgedet_converters.exported import Svd
from edgedet_converters.family import Cell, Family, Network

REGIONS = 200
_LEAST_PIXELS = 32


class LowRankDense(nn.Cell):  # type: ignore[misc]
    """What takes the place of a dense layer: ``expand(reduce(x))``.

    Args:
        dense: the layer; its numbers are copied.
        rank: how many numbers there are between the two.
    """

    def __init__(self, dense: Any, rank: int) -> None:
        super().__init__()
        weight = dense.weight.asnumpy()
        outputs, inputs = weight.shape
        basis = left_singular_vectors(weight, rank)
        reduced = np.ascontiguousarray(basis.T @ weight)
        self.reduce = nn.Dense(inputs, rank, Tensor(reduced), has_bias=False)
        self.expand = nn.Dense(rank, outputs, Tensor(basis), Tensor(dense.bias.asnumpy()))

    def construct(self, x: Tensor) -> Tensor:
        """(R, inputs) -> (R, outputs)."""
        return self.expand(self.reduce(x))


def left_singular_vectors(weight: npt.NDArray[np.float32], rank: int) -> npt.NDArray[np.float32]:
    """(outputs, rank) those of the largest singular values.

    They are the eigenvectors of ``W Wᵀ``, worked out in double precision: for the published fc1 ten times as fast as
    the decomposition of ``W`` itself, and only the small singular values, which are cut off, lose digits by it.
    """
    wide = weight.astype(np.float64)
    _, vectors = np.linalg.eigh(wide @ wide.T)
    return np.ascontiguousarray(vectors[:, : -rank - 1 : -1], np.float32)


def compress(
    family: Family, cell: Cell, networks: Callable[[], Mapping[str, Network]], parts: Mapping[str, Any], job: Svd
) -> Compression:
    """Puts pairs in the place of a built cell's dense layers, if the answers stay near enough.

    Args:
        family: names the layers.
        cell: the built cell; changed in place.
        networks: gives its graphs as they are when it is called.
        parts: what the family describes: ``input`` and ``head``.
        job: ranks, limits and pictures.

    Raises:
        ConversionError: the family has no such layers, a rank saves nothing, or a limit is passed.
    """
    layers = _layers(family, cell, job.ranks)
    rows = golden_rows(networks()["trunk"], parts, job.pictures)
    before = _probabilities(networks()["head"], rows)
    for (parent, name, dense), rank in zip(layers, job.ranks):
        pair = LowRankDense(dense, rank)
        for parameter in pair.get_parameters():
            parameter.name = f"{name}.{parameter.name}"
        delattr(parent, name)
        setattr(parent, name, pair)
    after = _probabilities(networks()["head"], rows)
    same = float((before.argmax(axis=1) == after.argmax(axis=1)).mean())
    found = Compression(job.ranks, len(rows), round(same, 6), round(float(np.abs(after - before).max()), 6))
    if not (same >= job.top1 and found.max_score <= job.max_score):
        raise ConversionError(
            f"svd-rank: expected ranks that keep the best class of {job.top1:g} of the golden regions and every score "
            f"within {job.max_score:g}, got {same:.4f} and {found.max_score:.4f}; "
            "give larger ranks, or other limits with --svd-limit"
        )
    return found


def _layers(family: Family, cell: Cell, ranks: Sequence[int]) -> list[tuple[Any, str, Any]]:
    """Parent, name and layer of all that is to be replaced."""
    if len(ranks) != len(family.low_rank) or not ranks:
        names = ", ".join(family.low_rank) or "none"
        raise ConversionError(
            f"svd-rank: expected a rank for each dense layer of {family.name} that can be compressed ({names}), got "
            f"{len(ranks)}; see edgedet convert --help"
        )
    found = []
    for path, rank in zip(family.low_rank, ranks):
        *parents, name = path.split(".")
        parent = cell
        for part in parents:
            parent = getattr(parent, part)
        dense = getattr(parent, name)
        outputs, inputs = dense.weight.shape
        most = outputs * inputs // (outputs + inputs)
        if not 1 <= rank <= most:
            raise ConversionError(
                f"svd-rank: expected 1 to {most} for {path}, where a pair is no larger than the layer of {inputs} "
                f"inputs and {outputs} outputs, got {rank}; correct it"
            )
        found.append((parent, name, dense))
    return found


def golden_rows(trunk: Network, parts: Mapping[str, Any], pictures: Sequence[str]) -> npt.NDArray[np.float32]:
    """(R, D) rows pooled from regions of the pictures, at the scale that a device looks at regions."""
    import cv2

    head, rule = read_strict(SppHead, parts["head"], "head"), read_strict(Input, parts["input"], "input")
    rows = []
    for index, path in enumerate(pictures):
        image = np.asarray(cv2.imread(path, cv2.IMREAD_COLOR), np.uint8)
        image_wh = image.shape[1], image.shape[0]
        size_wh = resized_wh(image_wh, head.shorter_side, head.least_side)
        tensor, placed = to_tensor(image, replace(rule, size_wh=size_wh, resize="stretch", resize_wh=None))
        features = trunk.cell(Tensor(tensor)).asnumpy()[0]
        boxes = placed.to_model(_regions(index, image_wh))
        windows = kernels.project_regions(boxes, **head.grid(size_wh)._asdict())
        rows.append(kernels.spp_pool(features, windows, head.levels))
    return np.concatenate(rows)


def _regions(seed: int, image_wh: tuple[int, int]) -> npt.NDArray[np.float32]:
    """(REGIONS, 4) the whole image, and boxes of all sizes anywhere in it."""
    rng = np.random.default_rng(seed)
    extent = np.array(image_wh, np.float64)
    sides = np.exp(rng.uniform(np.log(np.minimum(_LEAST_PIXELS, extent)), np.log(extent), (REGIONS, 2)))
    low = rng.uniform(0, 1, (REGIONS, 2)) * (extent - sides)
    boxes = np.concatenate([low, low + sides], axis=1)
    boxes[0] = (0, 0, *image_wh)
    return boxes.astype(np.float32)


def _probabilities(head: Network, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    # The graph that was compiled for the layers as they were would be taken again.
    head.cell.compile_cache.clear()
    values = dict(zip(head.outputs, head.cell(Tensor(rows))))
    logits = values["logits"].asnumpy().astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
