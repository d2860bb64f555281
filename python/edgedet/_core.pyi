# The compiled module. Array names are those of csrc/bindings/array.hpp; edgedet.ops documents the functions.
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

DeltaArray: TypeAlias = npt.NDArray[np.float32]  # (N, 4) ty tx th tw
AnchorArray: TypeAlias = npt.NDArray[np.float32]  # (N, 4) cy cx h w, normalised
BoxArray: TypeAlias = npt.NDArray[np.float32]  # (N, 4) x1 y1 x2 y2
ScoreArray: TypeAlias = npt.NDArray[np.float32]  # (N,)
ClassIdArray: TypeAlias = npt.NDArray[np.int32]  # (N,)
LogitArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float16]  # (N, C)
RawDeltaArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float16]  # (N, 4) ty tx th tw
FeatureArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float16]  # (C, H, W)
RegionArray: TypeAlias = npt.NDArray[np.int32]  # (R, 4) x0 y0 x1 y1, half-open feature cells
ImageArray: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3)
PictureArray: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3); 4:2:0 YUV (H*3/2, W); 4:2:2 YUV (H, W, 2)

__version__: str

def build_info() -> dict[str, Any]: ...
def decode_boxes(deltas: DeltaArray, anchors: AnchorArray, *, variances: Sequence[float], clip: bool) -> BoxArray: ...
def nms(
    boxes: BoxArray,
    scores: ScoreArray,
    iou_threshold: float,
    *,
    class_ids: ClassIdArray | None,
    max_detections: int | None,
    plus_one: bool,
) -> npt.NDArray[np.int64]: ...
def soft_nms(
    boxes: BoxArray,
    scores: ScoreArray,
    *,
    method: str,
    iou_threshold: float,
    sigma: float,
    score_threshold: float,
    class_ids: ClassIdArray | None,
    max_detections: int | None,
    plus_one: bool,
) -> tuple[npt.NDArray[np.int64], ScoreArray]: ...
def detect(
    deltas: RawDeltaArray | Sequence[RawDeltaArray],
    logits: LogitArray | Sequence[LogitArray],
    anchors: AnchorArray,
    *,
    image_wh: Sequence[float],
    score_threshold: float,
    iou_threshold: float,
    variances: Sequence[float],
    activation: str,
    background: int | None,
    max_per_class: int | None,
    max_detections: int | None,
    plus_one: bool,
    clip: bool,
    max_candidates_per_class: int | None,
    max_candidates: int | None,
) -> tuple[BoxArray, ScoreArray, ClassIdArray]: ...
def normalize(
    image: ImageArray,
    mean: Sequence[float] | npt.NDArray[np.float32],
    std: Sequence[float] | npt.NDArray[np.float32],
    *,
    swap_rb: bool,
    layout: str,
    out: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]: ...
def resize_normalize(
    image: PictureArray,
    size_wh: Sequence[int],
    mean: Sequence[float] | npt.NDArray[np.float32],
    std: Sequence[float] | npt.NDArray[np.float32],
    *,
    color: str,
    swap_rb: bool,
    layout: str,
    canvas_wh: Sequence[int] | None,
    offset_xy: Sequence[int],
    border: int,
    out: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]: ...
def resize(
    image: PictureArray,
    size_wh: Sequence[int],
    *,
    color: str,
    swap_rb: bool,
    canvas_wh: Sequence[int] | None,
    offset_xy: Sequence[int],
    border: int,
    out: npt.NDArray[np.uint8] | None,
) -> npt.NDArray[np.uint8]: ...
def spp_pool(
    features: FeatureArray,
    regions: RegionArray,
    levels: Sequence[int],
    *,
    threads: int,
    out: npt.NDArray[Any] | None,
) -> npt.NDArray[Any]: ...
def project_regions(
    boxes: BoxArray, *, stride: float | Sequence[float], offset: float | Sequence[float], feature_wh: Sequence[int]
) -> RegionArray: ...

class MsliteError(RuntimeError): ...

class MsliteLibrary:
    def __init__(self, path: str) -> None: ...
    @property
    def path(self) -> str: ...
    @property
    def prefix(self) -> str: ...

class MsliteModel:
    def __init__(
        self,
        library: MsliteLibrary,
        path: str | bytes,
        *,
        threads: int,
        affinity_mode: int,
        cores: Sequence[int],
        fp16: bool,
    ) -> None: ...
    def inputs(self) -> list[tuple[str, tuple[int, ...], str, int]]: ...  # name, shape, dtype, format
    def outputs(self) -> list[tuple[str, tuple[int, ...], str, int]]: ...
    def borrow(self) -> MsliteSlot | None: ...
    def close(self) -> None: ...

class MsliteSlot:
    def resize(self, shapes: Sequence[Sequence[int | None]]) -> None: ...
    def input(self, index: int) -> npt.NDArray[Any]: ...
    def predict(self) -> list[npt.NDArray[Any]]: ...
    def release(self) -> None: ...
