"""From a checkpoint to a verified bundle: the whole way, or nothing."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edgedet import spec as specs
from edgedet.bundle import Bundle, sha256
from edgedet.errors import CheckpointError, ConversionError
from edgedet.evaluate.golden import expected_results
from edgedet.spec import Golden, HashedFile, Spec
from edgedet_converters import calibration, export, pending
from edgedet_converters import draft as draft_parts
from edgedet_converters import family as families
from edgedet_converters import labels as label_files
from edgedet_converters import order as all_orders
from edgedet_converters import targets as all_targets
from edgedet_converters.exported import Description, Job, Svd
from edgedet_converters.order import Options, Order
from edgedet_converters.targets.base import Target

# The largest published family exports in about two minutes on two cores.
TIMEOUT_S = 1800.0
FLOAT = Options()


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
    options: Options = FLOAT,
    golden: Sequence[Path] = (),
    svd: Svd | None = None,
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
        options: precisions, chips and what else the targets can be told.
        golden: pictures to record; none: three packaged photographs.
        svd: ranks of the head's dense layers and how much their answers may change; None: they stay as they are.
        name: the bundle's name; None: that of the folder.
        timeout_s: how long the export may take.
        progress: called with a sentence at the start of every step.

    Returns:
        ``out``. Where a target's tool is not on this machine, all that it needs waits in ``out/pending``: see
        `edgedet_converters.pending`.

    Raises:
        CheckpointError: the checkpoint can't be read or is not the family's.
        ConversionError: an export or a conversion failed, or an argument is wrong.
        VerificationError: the converted model gives other answers than its checkpoint.
    """
    chosen = check(family, checkpoint, out, targets, options)
    names = label_files.read(labels).names if labels is not None else None
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside the result, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as folder:
        work, draft = Path(folder) / "work", Path(folder) / "bundle"
        work.mkdir()
        draft.mkdir()
        pictures = draft_parts.gather_golden(golden, draft / "golden")
        paths = tuple(str(path.resolve()) for path in pictures)
        job = Job(
            family=family,
            checkpoint=str(checkpoint.resolve()),
            config=None if config is None else str(config.resolve()),
            labels=names,
            formats=_formats(chosen, options),
            golden=paths,
            svd=None if svd is None else dataclasses.replace(svd, pictures=paths),
        )
        described = export.run(job, work, timeout_s=timeout_s, progress=progress)
        orders = [
            order for target in chosen for order in all_orders.orders(target.name, target.chips, described, options)
        ]
        planned = tuple(pending.planned(order) for order in orders)
        base = draft_parts.describe(described, family, name or out.name, checkpoint, planned)
        progress("recording the golden results")
        spec = dataclasses.replace(base, golden=tuple(_finish_golden(base, work, draft, pictures)))
        _calibrate(described, spec, options, work, progress)
        made = [_make(order, work, draft, spec, progress) for order in orders]
        pending.write_spec(dataclasses.replace(spec, variants=tuple(made)), draft)
        draft.rename(out)
    return out


def _formats(targets: Sequence[Target], options: Options) -> tuple[str, ...]:
    wanted = {target.format for target in targets}
    # Calibration runs the float networks.
    return tuple(sorted(wanted | ({"onnx"} if options.calibration else set())))


def _calibrate(
    described: Description, spec: Spec, options: Options, work: Path, progress: Callable[[str], None]
) -> None:
    if not options.calibration or "int8" not in options.precisions:
        return
    progress(f"preparing {len(options.calibration)} pictures for calibration")
    (float_order,) = all_orders.orders("onnx", False, described, FLOAT)
    scratch = work / "float"
    scratch.mkdir()
    variant = all_targets.find("onnx").convert(float_order, work, scratch)
    bundle = Bundle(scratch, dataclasses.replace(spec, variants=(variant,)))
    calibration.write(bundle, spec.input, options.calibration, work / calibration.FOLDER)


def _make(order: Order, work: Path, draft: Path, spec: Spec, progress: Callable[[str], None]) -> specs.Variant:
    """The variant, or its place if it must wait for its tool."""
    target, folder = all_targets.find(order.target), work / order.name
    folder.mkdir()
    for network in order.networks.values():
        os.link(work / network.files[target.format], folder / network.files[target.format])
    if order.pictures:
        shutil.copytree(work / calibration.FOLDER, folder / calibration.FOLDER, copy_function=os.link)
    target.prepare(order, folder)
    why = target.missing(order, folder)
    if why is None:
        return pending.finish(order, folder, draft, spec, progress)
    progress(f"{order.name} must wait: {why}")
    pending.set_aside(order, folder, draft)
    return pending.planned(order)


def check(
    family: str, checkpoint: Path | None, out: Path, targets: Sequence[str], options: Options = FLOAT
) -> list[Target]:
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
    for target in chosen:
        _check_target(target, options)
    if not any(target.chips for target in chosen) and (
        options.socs or options.aipp or options.batches or options.sizes
    ):
        raise ConversionError(
            "soc: expected a target for chips with soc, aipp, batch and sizes, got none; see --target"
        )
    for package in ("mindspore", "onnx"):
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            raise ConversionError(
                f"convert: expected the package {package}, got none; do pip install 'edgedet[convert]' on the host"
            ) from None
    return chosen


def _check_target(target: Target, options: Options) -> None:
    wrong = [precision for precision in options.precisions if precision not in target.precisions]
    if wrong:
        raise ConversionError(
            f"{target.name}: expected a precision of {', '.join(target.precisions)}, got {', '.join(wrong)}; convert "
            "for the others in a bundle of its own"
        )
    target.check(options)


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
