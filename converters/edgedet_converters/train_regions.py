"""From a bundle with regions and annotated pictures to a bundle that detects: the whole way, or nothing."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgedet import tasks
from edgedet.bundle import Bundle, sha256
from edgedet.errors import BundleError, ConversionError, VerificationError
from edgedet.evaluate.golden import expected_results
from edgedet.evaluate.verify import verify
from edgedet.region_detector import RegionDetector
from edgedet.regions import RegionClassifier
from edgedet.spec import Golden, HashedFile, Spec, SvmHead
from edgedet.spp import spp_head
from edgedet_converters.annotations import Annotated, Annotations
from edgedet_converters.draft import gather_golden, read_golden
from edgedet_converters.region_training import Settings, Trainer

WEIGHTS = "svm.npz"
GOLDEN = 3
#: The paper's threshold for overlaps; the published detectors' for scores and numbers.
IOU_THRESHOLD, SCORE_THRESHOLD, MAX_PER_CLASS = 0.3, 0.1, 100


def train_regions(
    bundle: Path,
    annotations: Annotations,
    out: Path,
    read: Callable[[Path], npt.NDArray[np.uint8]],
    *,
    settings: Settings,
    golden: Sequence[Path] = (),
    name: str | None = None,
    device: str = "auto",
    runtime: str = "auto",
    threads: int | None = None,
    progress: Callable[[str], None],
    step: Callable[[], None],
) -> Path:
    """Trains SVMs on the features of a bundle's network, and writes a bundle with both.

    Args:
        bundle: the folder of one that has the task ``regions``.
        annotations: pictures and what is in them.
        out: the folder to write; it must not exist. Written as a whole or not at all.
        read: a picture's pixels, (H, W, 3) uint8 BGR.
        settings: what may be chosen.
        golden: pictures to record; none: some of those that it was trained with.
        name: the new bundle's name; None: that of the folder.
        device: as `edgedet.load` takes it, like runtime and threads: what computes the features.
        runtime: see there.
        threads: see there.
        progress: called with a sentence at the start of every part.
        step: called after every picture; each comes twice.

    Returns:
        ``out``.

    Raises:
        BundleError: the bundle is not whole, or has no regions.
        ConversionError: ``out`` exists, scikit-learn is missing, or the pictures are not enough.
        ValueError: a setting is wrong.
        VerificationError: the new bundle, opened again, gives other answers.
    """
    if out.exists():
        raise ConversionError(f"{out}: expected a folder that doesn't exist yet, got one; move it or choose another")
    for picture in golden:  # before the hours of training, not after them
        read_golden(picture)
    source = Bundle.open(bundle)
    with tasks.load(source, task="regions", device=device, runtime=runtime, threads=threads) as model:
        assert isinstance(model, RegionClassifier)
        model.features(np.zeros((8, 8, 3), np.uint8), [], settings.layer)  # refuses a layer that there isn't
        head = _head(source.spec, settings)
        arrays = Trainer(model, annotations, settings).learn(lambda picture: read(picture.path), progress, step)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        draft = Path(folder) / "bundle"
        draft.mkdir()
        for variant in source.spec.variants:
            for file in variant.files.values():
                (draft / file.file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source.check(file), draft / file.file)
        np.savez_compressed(draft / WEIGHTS, **arrays)  # type: ignore[arg-type]  # the stub takes allow_pickle for a key
        spec = dataclasses.replace(
            source.spec,
            name=name or out.name,
            tasks=("detect",),
            head=dataclasses.replace(head, weights=HashedFile(WEIGHTS, sha256(draft / WEIGHTS))),
            labels=annotations.labels,
            category_ids=annotations.category_ids,
            golden=(),
        )
        progress("recording the golden results")
        recorded = gather_golden(golden or _some(annotations.pictures), draft / "golden")
        spec = dataclasses.replace(spec, golden=_record(spec, draft, recorded, device, runtime, threads))
        (draft / "model.json").write_text(spec.to_json(), encoding="utf-8")
        _verify(draft, device, runtime)
        draft.rename(out)
    return out


def _some(pictures: Sequence[Annotated]) -> list[Path]:
    """Pictures with things in them, from all over the list."""
    full = [picture.path for picture in pictures if len(picture.boxes)]
    chosen = np.unique(np.linspace(0, len(full) - 1, min(GOLDEN, len(full))).astype(int))
    return [full[index] for index in chosen]


def _head(spec: Spec, settings: Settings) -> SvmHead:
    """The head that is to be trained; its file of weights doesn't exist yet."""
    if settings.normalize not in ("l2", "none"):
        raise ValueError(f"normalize: expected l2 or none, got {settings.normalize!r}; correct it")
    before = spp_head(spec)
    return SvmHead(
        type="svm",
        levels=before.levels,
        trunk=before.trunk,
        activation=before.activation,
        shorter_side=before.shorter_side,
        layer=settings.layer,
        normalize="l2" if settings.normalize == "l2" else "none",
        weights=HashedFile(WEIGHTS, ""),
        proposals=settings.proposals,
        score_threshold=SCORE_THRESHOLD,
        iou_threshold=IOU_THRESHOLD,
        max_per_class=MAX_PER_CLASS,
        max_detections=None,
    )


def _record(
    spec: Spec, draft: Path, pictures: Sequence[Path], device: str, runtime: str, threads: int | None
) -> tuple[Golden, ...]:
    """What the runtime that trained it makes of the golden pictures."""
    import cv2

    golden = []
    with RegionDetector(Bundle(draft, spec), device=device, runtime=runtime, threads=threads) as model:
        for picture in pictures:
            image = np.asarray(cv2.imread(str(picture), cv2.IMREAD_COLOR), np.uint8)
            raw = model.raw(image)
            path = picture.with_suffix(".npz")
            np.savez_compressed(path, **raw, **expected_results(spec, raw, image))  # type: ignore[arg-type]
            files = [HashedFile(file.relative_to(draft).as_posix(), sha256(file)) for file in (picture, path)]
            golden.append(Golden(image=files[0], expected=files[1]))
    return tuple(golden)


def _verify(draft: Path, device: str, runtime: str) -> None:
    try:
        verdict = verify(Bundle.open(draft), device=device, runtime=runtime)
    except BundleError as error:
        raise ConversionError(f"train-regions: expected a bundle that opens, got {error}; report this") from error
    if not verdict.passed:
        raise VerificationError(
            f"{verdict.bundle}: expected the answers that were recorded, got others: {'; '.join(verdict.reasons)}; "
            f"nothing was written\n{verdict.table()}"
        )
