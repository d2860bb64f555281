"""The published checkpoints: what they are, as data, and how to get one."""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgedet.errors import SourceError
from edgedet.strict import read
from edgedet_converters.download import Notice, Progress, download, no_notice, no_progress


@dataclass(frozen=True)
class Asset:
    """A published checkpoint, as its publisher describes it.

    Attributes:
        family: the family that converts it; also its name here.
        published_as: what the publisher calls the model.
        mindspore: the MindSpore version that it was trained with.
        dataset: what it was trained on.
        evaluation: the published metric, in the publisher's words.
        updated: the date of publication.
        author: who trained it.
        repository: the training code.
        file: the checkpoint's file name.
        url: its address.
        sha256: that of the file, in hex.
        licence: of the weights.
        citation: the paper to cite.
    """

    family: str
    published_as: str
    mindspore: str
    dataset: str
    evaluation: str
    updated: str
    author: str
    repository: str
    file: str
    url: str
    sha256: str
    licence: str
    citation: str


@functools.cache
def assets() -> tuple[Asset, ...]:
    """Every published checkpoint, in the order in which they are told of.

    Raises:
        BundleError: ``data/zoo.json`` is not as it was packaged.
    """
    text = resources.files("edgedet_converters").joinpath("data/zoo.json").read_text(encoding="utf-8")
    return tuple(read(Asset, entry, f"zoo.json: [{i}]") for i, entry in enumerate(json.loads(text)))


def find(name: str) -> Asset:
    """The asset of the family ``name``.

    Raises:
        ValueError: there is none.
    """
    for asset in assets():
        if asset.family == name:
            return asset
    names = ", ".join(asset.family for asset in assets())
    raise ValueError(f"name: expected one of {names}, got {name!r}; see edgedet zoo list")


def by_sha256(sha256: str) -> Asset | None:
    """The asset with these bytes, if there is one."""
    return next((asset for asset in assets() if asset.sha256 == sha256), None)


def cache_folder() -> Path:
    """Where assets are kept: ``$EDGEDET_CACHE``, or ``edgedet`` in ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    own, shared = os.environ.get("EDGEDET_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if own:
        return Path(own)
    if shared and Path(shared).is_absolute():  # the XDG rules say to ignore any other
        return Path(shared) / "edgedet"
    try:
        return Path.home() / ".cache" / "edgedet"
    except RuntimeError as error:
        raise SourceError(f"cache: expected a home folder, got {error}; set EDGEDET_CACHE") from error


def fetch(
    name: str,
    out: Path | None = None,
    *,
    mirror: str | None = None,
    timeout_s: float = 30.0,
    retries: int = 5,
    backoff_s: float = 0.5,
    keep_partial: bool = False,
    progress: Progress = no_progress,
    notice: Notice = no_notice,
) -> Path:
    """Downloads a published checkpoint, unless it is there already; either way its SHA-256 is right.

    Args:
        name: the asset's family.
        out: the folder to put it into; None: `cache_folder`.
        mirror: an http or https address of a folder that holds the file under its own name; None: the publisher's.
        timeout_s: see `edgedet_converters.download.download`, also for what follows.
        retries: likewise.
        backoff_s: likewise.
        keep_partial: likewise.
        progress: likewise.
        notice: likewise.

    Returns:
        Where the checkpoint is.

    Raises:
        SourceError: it could not be fetched or written, or the server has another file.
        ValueError: an unknown name, or a mirror that is no such address.
    """
    asset = find(name)
    return download(
        asset.url if mirror is None else _in_mirror(mirror, asset.file),
        (cache_folder() if out is None else out) / asset.file,
        asset.sha256,
        timeout_s=timeout_s,
        retries=retries,
        backoff_s=backoff_s,
        keep_partial=keep_partial,
        progress=progress,
        notice=notice,
    )


def _in_mirror(mirror: str, file: str) -> str:
    if not re.match(r"https?://[^/?#\s][^?#\s]*\Z", mirror):
        raise ValueError(f"mirror: expected an address like https://host/folder, got {mirror!r}; correct it")
    return f"{mirror.rstrip('/')}/{file}"
