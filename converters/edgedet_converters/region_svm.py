"""The arithmetic of training on regions' features: linear SVMs, their calibration, and the regression of boxes.

He et al. 2015, section 4.1, says which regions are positive and negative, and leaves the solver to R-CNN (Girshick et
al. 2014, section 2.3 and appendix C), whose settings these are, but for one: mistakes cost their square, for which
there is a much faster solver. Needs the extra ``[train]`` (scikit-learn).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.errors import ConversionError

Rows = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]

#: R-CNN scales features to this norm, for which C = 0.001 is right; positives count twice.
NORM = 20.0
C = 1e-3
POSITIVE_WEIGHT = 2.0
_BIAS_SCALE = 10.0
#: The penalty for the regression of boxes, for each region and features of that norm: R-CNN's is 1000 for all of a
#: class's regions, some ten thousand in VOC 2007; taken whole it would leave the boxes of smaller sets where they are.
RIDGE = 0.05
MAX_STEPS = 2_000


def check_installed() -> None:
    """Refuses early where scikit-learn is missing.

    Raises:
        ConversionError: it is.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ConversionError(
            "train-regions: expected the package scikit-learn, got none; do pip install 'edgedet[train]'"
        ) from None


def fit_svm(positives: Rows, negatives: Rows, *, c: float = C) -> tuple[Vector, float]:
    """One class against the rest.

    Args:
        positives: (P, D) features of the class, of norm `NORM`.
        negatives: (N, D) of what it is not.
        c: how much a mistake costs.

    Returns:
        (D,) weights and the bias: a region's margin is ``features · weights + bias``.
    """
    from sklearn.svm import LinearSVC

    solver = LinearSVC(
        C=c,
        loss="squared_hinge",
        dual=len(positives) + len(negatives) < positives.shape[1],  # otherwise the primal problem is the smaller one
        class_weight={1: POSITIVE_WEIGHT},
        intercept_scaling=_BIAS_SCALE,
        random_state=0,
        max_iter=MAX_STEPS,
    )
    features = np.concatenate([positives, negatives])
    targets = np.repeat([1, 0], [len(positives), len(negatives)])
    _quietly(solver, features, targets)
    return np.asarray(solver.coef_[0], np.float64), float(solver.intercept_[0])


def _quietly(solver: Any, features: Rows, targets: npt.NDArray[np.int64]) -> None:
    """Fits without the warning that more steps would still change a digit."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        solver.fit(features, targets)


def fit_sigmoid(margins: Vector, targets: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """The slope and shift that make log-odds of margins (Platt 1999): ``slope · margin + shift``.

    With Platt's smoothed targets, so that classes that are told apart without a mistake get finite odds. A slope that
    came out not positive, which would turn the order around, becomes 1.

    Args:
        margins: (R,).
        targets: (R,) whether the region shows the class.
    """
    from sklearn.linear_model import LogisticRegression

    right, wrong = int(targets.sum()), int((~targets).sum())
    if not right or not wrong:
        return 1.0, 0.0
    high, low = (right + 1) / (right + 2), 1 / (wrong + 2)
    share = np.where(targets, high, low)
    # Every region is both, each with the weight of its smoothed target.
    column = np.concatenate([margins, margins])[:, None]
    both = np.repeat([1, 0], len(margins))
    solver = LogisticRegression(C=1e6, max_iter=1000).fit(column, both, np.concatenate([share, 1 - share]))
    slope, shift = float(solver.coef_[0, 0]), float(solver.intercept_[0])
    return (slope, shift) if slope > 0 else (1.0, 0.0)


def fit_boxes(features: Rows, deltas: Rows, *, ridge: float = RIDGE) -> tuple[npt.NDArray[np.float64], Vector]:
    """Ridge regression of what moves a region onto the thing it shows.

    Args:
        features: (R, D) of norm `NORM`.
        deltas: (R, 4) as `box_deltas` gives them.
        ridge: the penalty of large weights, times R.

    Returns:
        (4, D) weights and (4,) bias.
    """
    from sklearn.linear_model import Ridge

    solver = Ridge(alpha=ridge * len(features)).fit(features.astype(np.float64), deltas)
    return np.asarray(solver.coef_, np.float64), np.asarray(solver.intercept_, np.float64)


def box_deltas(regions: Rows, things: Rows) -> Rows:
    """(R, 4) ``ty tx th tw`` from (R, 4) regions to (R, 4) things, both ``x1 y1 x2 y2`` and with an area.

    R-CNN's appendix C with y first: what `edgedet.ops.decode_boxes` undoes with variances of 1.
    """
    center, size = (things[:, :2] + things[:, 2:]) / 2, things[:, 2:] - things[:, :2]
    from_center, from_size = (regions[:, :2] + regions[:, 2:]) / 2, regions[:, 2:] - regions[:, :2]
    moved, scaled = (center - from_center) / from_size, np.log(size / from_size)
    return np.concatenate([moved[:, ::-1], scaled[:, ::-1]], axis=1).astype(np.float32)
