"""torchvision's operators on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from benchmarks.case import Job, NotHereError


def _ops() -> ModuleType:
    """torchvision.ops; a build for another device than the installed torch has none of them."""
    try:
        from torchvision import ops
    except RuntimeError as error:
        raise NotHereError(f"torchvision's operators don't load: {str(error).splitlines()[0]}") from error
    return ops


def nms(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float) -> Job:
    """Kept indices of (N, 4) float32 ``x1 y1 x2 y2`` boxes."""
    ops = _ops()
    import torch

    tensors = torch.from_numpy(boxes), torch.from_numpy(scores)
    return lambda: ops.nms(*tensors, iou_threshold).numpy()


def roi_pool(features: np.ndarray, rois: np.ndarray, levels: Sequence[int]) -> Job:
    """One roi_pool for each level of the pyramid, side by side, of (R, 5) regions: (R, C·Σb²)."""
    ops = _ops()
    import torch

    inputs = torch.from_numpy(features[None]), torch.from_numpy(rois)

    def run() -> np.ndarray:
        pooled = [ops.roi_pool(*inputs, bins).flatten(1) for bins in levels]
        return torch.cat(pooled, dim=1).numpy()

    return run
