"""From a checkpoint to a verified bundle: the whole way, or nothing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from edgedet import spec as specs
from edgedet.bundle import Bundle, sha256
from edgedet.errors import CheckpointError, ConversionError, EdgedetError, VerificationError
from edgedet.evaluate.golden import expected_results
from edgedet.evaluate.verify import verify
from edgedet.spec import Golden, HashedFile, Source, Spec
from edgedet_converters import export, zoo
from edgedet_converters import family as families
from edgedet_converters import labels as label_files
from edgedet_converters import targets as all_targets
from edgedet_converters.targets.base import Target

# The largest published family exports in about two minutes on two cores.
TIMEOUT_S = 1800.0


def _silent(step: str) -> None:
    """Says nothing."""


def convert(
    family: str,
    checkpoint: Path,
    out: Path,
    *,
    config: Path | None = None,
    labels: Path | None = None,
    targets: Sequence[str] = ("onnx",),
    golden: Sequence[Path] = (),
    name: str | None = None,
    timeout_s: float = TIMEOUT_S,
    progress: Callable[[str], None] = _silent,
) -> Path:
    """Turns a MindSpore checkpoint into a bundle, verified against the checkpoint's own answers.

    Args:
        family: one of `edgedet_converters.family.names()`.
        checkpoint: a ``.ckpt`` file, with or without the optimiser's state.
        out: the folder to write; it must not exist. Written as a whole or not at all.
        config: the family's options as JSON, for a model that is not the published one.
        labels: a text file, one class per line, for classes that are not the published data set's.
        targets: what to convert it for, of `edgedet_converters.targets.names()`.
        golden: pictures to record; none: three packaged photographs.
        name: the bundle's name; None: that of the folder.
        timeout_s: how long the export may take.
        progress: called with a sentence at the start of every step.

    Returns:
        ``out``.

    Raises:
        CheckpointError: the checkpoint can't be read or is not the family's.
        ConversionError: an export or a conversion failed, or an argument is wrong.
        VerificationError: the converted model gives other answers than its checkpoint.
    """
    chosen = check(family, checkpoint, out, targets)
    names = label_files.read(labels).names if labels is not None else None
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        work, draft = Path(folder) / "work", Path(folder) / "bundle"
        work.mkdir()
        draft.mkdir()
        pictures = _gather_golden(golden, draft / "golden")
        job = export.Job(
            family=family,
            checkpoint=str(checkpoint.resolve()),
            config=None if config is None else str(config.resolve()),
            labels=names,
            formats=tuple(sorted({target.format for target in chosen})),
            golden=tuple(str(path.resolve()) for path in pictures),
        )
        described = export.run(job, work, timeout_s=timeout_s, progress=progress)
        variants = []
        for target in chosen:
            progress(f"converting for {target.name}")
            variants.append(target.convert(described, work, draft))
        base = _spec(described, family, name or out.name, checkpoint, tuple(variants))
        progress("recording the golden results")
        spec = dataclasses.replace(base, golden=tuple(_finish_golden(base, work, draft, pictures)))
        (draft / "model.json").write_text(spec.to_json(), encoding="utf-8")
        progress("verifying")
        verdict = verify(Bundle.open(draft))
        if not verdict.passed:
            raise VerificationError(
                f"{out.name}: expected the checkpoint's own answers, got others: {'; '.join(verdict.reasons)}; "
                f"nothing was written\n{verdict.table()}"
            )
        draft.rename(out)
    return out


def check(family: str, checkpoint: Path | None, out: Path, targets: Sequence[str]) -> list[Target]:
    """Everything that can be known to be wrong before the slow part begins; None: a checkpoint yet to be fetched.

    Returns:
        The targets.

    Raises:
        CheckpointError, ConversionError: as `convert`.
    """
    if family not in families.names():
        raise ConversionError(f"family: expected one of {', '.join(families.names())}, got {family!r}; correct it")
    if not targets:
        raise ConversionError("target: expected at least one, got none; give --target onnx")
    if checkpoint is not None and not checkpoint.is_file():
        raise CheckpointError(f"{checkpoint}: expected a MindSpore checkpoint file, got none; correct the path")
    if out.exists():
        raise ConversionError(f"{out}: expected a folder that doesn't exist yet, got one; move it or choose another")
    chosen = [all_targets.find(target) for target in dict.fromkeys(targets)]
    for package in ("mindspore", "onnx"):
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise ConversionError(
                f"convert: expected the package {package}, got none; do pip install 'edgedet[convert]' on the host"
            ) from None
    return chosen


def _gather_golden(given: Sequence[Path], folder: Path) -> list[Path]:
    """Copies the pictures into the bundle as PNG: the same pixels for every decoder."""
    import cv2

    folder.mkdir()
    sources = list(given)
    if not sources:
        packaged = resources.files("edgedet_converters").joinpath("data/golden")
        sources = sorted(Path(str(item)) for item in packaged.iterdir() if item.name.endswith(".jpg"))
    written = []
    for index, source in enumerate(sources):
        picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
        if picture is None:
            raise ConversionError(f"golden: expected a picture, got {source}; give a file that OpenCV can read")
        path = folder / f"{index:03d}.png"
        cv2.imwrite(str(path), picture)
        written.append(path)
    return written


def _finish_golden(spec: Spec, work: Path, draft: Path, pictures: Sequence[Path]) -> list[Golden]:
    """Adds the final results to MindSpore's raw outputs, and writes both into the bundle."""
    import cv2

    golden = []
    for index, picture in enumerate(pictures):
        with np.load(work / f"golden-{index:03d}.npz", allow_pickle=False) as arrays:
            raw = dict(arrays)
        image = np.asarray(cv2.imread(str(picture), cv2.IMREAD_COLOR), np.uint8)
        path = picture.with_suffix(".npz")
        results = expected_results(spec, raw, image)
        np.savez_compressed(path, **raw, **results)  # type: ignore[arg-type]  # the stub takes allow_pickle for a key
        files = [HashedFile(file.relative_to(draft).as_posix(), sha256(file)) for file in (picture, path)]
        golden.append(Golden(image=files[0], expected=files[1]))
    return golden


def _spec(
    described: export.Description, family: str, name: str, checkpoint: Path, variants: tuple[specs.Variant, ...]
) -> Spec:
    data: dict[str, Any] = {
        "schema": specs.SCHEMA,
        "name": name,
        "family": family,
        "tasks": described.tasks,
        "input": described.input,
        "head": described.head,
        "labels": described.labels,
        "category_ids": described.category_ids,
        "variants": [dataclasses.asdict(variant) for variant in variants],
        "source": dataclasses.asdict(_source(checkpoint)),
    }
    try:
        # The device's own reader has the last word on what the host writes.
        return specs.parse(json.dumps(data))
    except EdgedetError as error:
        raise ConversionError(f"{family}: expected a description that fits model.json, got {error}") from error


def _source(checkpoint: Path) -> Source:
    """What is known of the checkpoint; a published one is told by its bytes, whatever its file is called."""
    found = sha256(checkpoint)
    asset = zoo.by_sha256(found)
    if asset is None:
        return Source(checkpoint.name, found)
    return Source(checkpoint.name, found, asset.url, asset.evaluation, asset.licence, asset.citation)
