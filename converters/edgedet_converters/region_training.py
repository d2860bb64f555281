"""What a region detector learns from annotated pictures: the weights of its head.

Two passes over the pictures. The first takes the positives and a sample of the negatives, and fits the SVMs; the second
looks for negatives that these SVMs get wrong (hard negative mining, iterated once as in He et al. 2015, section 4.1),
and fits them again, with the calibration and the regression of boxes. What is kept of the features is bounded, however
many pictures there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import proposals
from edgedet.errors import ConversionError
from edgedet.region_postprocess import l2_normalized
from edgedet.regions import RegionClassifier
from edgedet_converters import region_svm as solvers
from edgedet_converters.annotations import Annotated, Annotations
from edgedet_converters.region_samples import (
    NEAR_FROM,
    NEGATIVE_BELOW,
    Picture,
    Reservoir,
    lay_out,
    take_features,
)

Rows = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

#: Negatives of the first pass, from each picture.
FIRST_NEGATIVES = 60
#: Proposed regions for the calibration, from each picture.
CALIBRATING = 200
#: Regions near things for the regression of boxes, from each picture.
MOST_NEAR = 100
#: A class with fewer of them gets no regression.
LEAST_NEAR = 20
#: Of each kind of features that is kept, in bytes.
BUDGET = 1 << 29
_HARD_ABOVE = -1.0


@dataclass(frozen=True)
class Settings:
    """What may be chosen.

    Attributes:
        layer: whose features the SVMs see: ``spp``, ``fc1`` or ``fc2``.
        normalize: ``l2``: every region's features to norm 1; ``none``: all by one factor, as R-CNN does.
        proposals: a name in `edgedet.proposals`: where to look, in training and afterwards.
        box_regression: whether to learn to move boxes.
        c: the SVMs' cost of a mistake, for features of norm 20.
        ridge: the regression's penalty, likewise.
        seed: of what is left to chance.
    """

    layer: str = "fc1"
    normalize: str = "l2"
    proposals: str = "sliding"
    box_regression: bool = True
    c: float = solvers.C
    ridge: float = solvers.RIDGE
    seed: int = 0


class Trainer:
    """Learns the weights of an SVM head; see `learn`."""

    def __init__(self, model: RegionClassifier, annotations: Annotations, settings: Settings) -> None:
        solvers.check_installed()
        self._model, self._annotations, self._settings = model, annotations, settings
        self._classes = len(annotations.labels)
        self._propose = proposals.make(settings.proposals, files=False)
        self._rng = np.random.default_rng(settings.seed)
        self._scales: dict[str, float] = {}

    def learn(
        self, read: Callable[[Annotated], Image], progress: Callable[[str], None], step: Callable[[], None]
    ) -> dict[str, Rows]:
        """The arrays of `edgedet.spec.SvmHead.weights`.

        Args:
            read: a picture's pixels, (H, W, 3) uint8 BGR.
            progress: called with a sentence at the start of every part.
            step: called after every picture, of which each comes twice.
        """
        progress(f"taking features of {len(self._annotations.pictures)} pictures")
        positives, negatives, calibrating, near = self._first_pass(read, step)
        progress(f"fitting {self._classes} SVMs to {len(positives[0])} things and {len(negatives)} other regions")
        svms = self._fit(positives, negatives.rows())
        hard = self._second_pass(read, step, svms)
        progress(f"fitting them again with {len(hard)} hard negatives")
        both = [np.concatenate(pair) for pair in zip(negatives.rows(), hard.rows())] if len(hard) else negatives.rows()
        svms = self._fit(positives, tuple(both))
        arrays = self._calibrated(svms, *calibrating.rows())
        if self._settings.box_regression:
            progress("fitting the regression of boxes")
            arrays.update(self._boxes(*near.rows()))
        return arrays

    def _pictures(
        self, read: Callable[[Annotated], Image], step: Callable[[], None]
    ) -> Iterator[tuple[Picture, Image]]:
        for annotated in self._annotations.pictures:
            image = read(annotated)
            yield lay_out(annotated, self._propose(image), (image.shape[1], image.shape[0])), image
            step()

    def _scaled(self, kind: str, rows: Rows) -> Rows:
        """Features as the solvers like them: of norm `region_svm.NORM`, each or on average."""
        if self._settings.normalize == "l2":
            return np.asarray(l2_normalized(rows) * solvers.NORM, np.float32)
        if kind not in self._scales:
            self._scales[kind] = solvers.NORM / max(float(np.linalg.norm(rows, axis=1).mean()), 1e-12)
        return np.asarray(rows * self._scales[kind], np.float32)

    def _factor(self, kind: str) -> float:
        """What turns weights for `_scaled` features into those for the features that a device has."""
        return solvers.NORM if self._settings.normalize == "l2" else self._scales[kind]

    def _first_pass(
        self, read: Callable[[Annotated], Image], step: Callable[[], None]
    ) -> tuple[tuple[Rows, npt.NDArray[np.int32]], Reservoir, Reservoir, Reservoir]:
        truth: list[tuple[Rows, npt.NDArray[np.int32]]] = []
        pools: list[Reservoir] = []
        for picture, image in self._pictures(read, step):
            kinds = self._sample(picture)
            chosen, places = np.unique(np.concatenate(kinds), return_inverse=True)
            pooled, features = self._features(picture, image, chosen)
            if not pools:
                widths = (features.shape[1], features.shape[1], pooled.shape[1])
                pools = [Reservoir(max(BUDGET // (4 * width), 1), self._rng) for width in widths]
            others, calibrating, near = np.split(places, np.cumsum([len(kind) for kind in kinds])[:2])
            overlaps = picture.by_class(self._classes)[chosen]
            truth.append((features[others[: picture.truth]], picture.class_ids))
            pools[0].add(features[others], overlaps[others])
            pools[1].add(features[calibrating], overlaps[calibrating])
            things = picture.overlaps[kinds[2]].argmax(axis=1) if len(near) else near
            deltas = solvers.box_deltas(picture.boxes[kinds[2]], picture.boxes[things])
            pools[2].add(pooled[near], deltas, picture.class_ids[things])
        joined = tuple(np.concatenate(column) for column in zip(*truth))
        return (joined[0], joined[1]), pools[0], pools[1], pools[2]

    def _sample(self, picture: Picture) -> list[npt.NDArray[np.int64]]:
        """The regions that the first pass looks at: truth and negatives, those for calibration, those near things."""
        proposed = np.flatnonzero(~picture.ignored[picture.truth :]) + picture.truth
        near = picture.near() if self._settings.box_regression else proposed[:0]
        return [
            picture.distinct(self._rng)[: picture.truth + FIRST_NEGATIVES],
            self._rng.permutation(proposed)[:CALIBRATING],
            self._rng.permutation(near)[:MOST_NEAR],
        ]

    def _features(self, picture: Picture, image: Image, chosen: npt.NDArray[np.int64]) -> tuple[Rows, Rows]:
        """Pooled features and those of the layer, as the solvers like them."""
        pooled, features = take_features(self._model, image, picture.boxes[chosen], self._settings.layer)
        return self._scaled("pooled", pooled), self._scaled("features", features)

    def _second_pass(
        self, read: Callable[[Annotated], Image], step: Callable[[], None], svms: tuple[Any, Any]
    ) -> Reservoir:
        weights, bias = svms
        hard = Reservoir(max(BUDGET // (4 * weights.shape[1]), 1), self._rng)
        for picture, image in self._pictures(read, step):
            chosen = picture.distinct(self._rng)
            _, features = self._features(picture, image, chosen)
            overlaps = picture.by_class(self._classes)[chosen]
            wrong = (features @ weights.T + bias > _HARD_ABOVE) & (overlaps < NEGATIVE_BELOW)
            rows = np.flatnonzero(wrong.any(axis=1))
            hard.add(features[rows], overlaps[rows])
        return hard

    def _fit(
        self, positives: tuple[Rows, npt.NDArray[np.int32]], negatives: tuple[npt.NDArray[Any], ...]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """(K, D) weights and (K,) biases."""
        features, overlaps = negatives
        fitted = []
        for class_id, label in enumerate(self._annotations.labels):
            others = features[overlaps[:, class_id] < NEGATIVE_BELOW]
            if not len(others):
                raise ConversionError(
                    f"train-regions: expected a region that shows no {label}, got none; give pictures with background"
                )
            fitted.append(solvers.fit_svm(positives[0][positives[1] == class_id], others, c=self._settings.c))
        return np.stack([weights for weights, _ in fitted]), np.array([bias for _, bias in fitted])

    def _calibrated(self, svms: tuple[Any, Any], features: Rows, overlaps: Rows) -> dict[str, Rows]:
        """The SVMs with Platt's sigmoid and the features' scale folded into their weights."""
        weights, bias = svms
        margins = features @ weights.T + bias
        pairs = [solvers.fit_sigmoid(margins[:, k], overlaps[:, k] >= NEAR_FROM) for k in range(self._classes)]
        slope, shift = np.array(pairs).T
        return {
            "weights": np.ascontiguousarray(weights * slope[:, None] * self._factor("features"), np.float32),
            "bias": np.asarray(bias * slope + shift, np.float32),
        }

    def _boxes(self, pooled: Rows, deltas: Rows, class_ids: npt.NDArray[np.int32]) -> dict[str, Rows]:
        weights = np.zeros((self._classes, 4, pooled.shape[1]))
        bias = np.zeros((self._classes, 4))
        for class_id in range(self._classes):
            mine = class_ids == class_id
            if mine.sum() >= LEAST_NEAR:
                weights[class_id], bias[class_id] = solvers.fit_boxes(
                    pooled[mine], deltas[mine], ridge=self._settings.ridge
                )
        return {
            "box_weights": np.ascontiguousarray(
                weights.reshape(-1, pooled.shape[1]) * self._factor("pooled"), np.float32
            ),
            "box_bias": np.asarray(bias.reshape(-1), np.float32),
        }
