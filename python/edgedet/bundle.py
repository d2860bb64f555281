"""A bundle: a folder with ``model.json``, model files and golden data. Opened, checked, and asked for its networks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Union

import numpy as np

from edgedet import runtime as runtimes
from edgedet import spec as specs
from edgedet.errors import BundleError, RuntimeUnavailable
from edgedet.network import Network
from edgedet.runtime.base import Array, Runtime
from edgedet.spec import Golden, HashedFile, ModelFile, Spec, Variant
from edgedet.strict import short

# Both far above what a real bundle holds.
MAX_JSON_BYTES = 16 << 20
MAX_ARRAYS_BYTES = 1 << 30
DEMO = Path(__file__).parent / "data" / "demo"


@dataclass(frozen=True)
class Choice:
    """A variant that can run here, and the runtime that will run it."""

    variant: Variant
    runtime: Runtime
    rank: int
    device: str


@dataclass(frozen=True)
class Bundle:
    """An opened bundle folder; every file that ``model.json`` names is known to be there."""

    root: Path
    spec: Spec

    @classmethod
    def open(cls, path: Union[str, Path]) -> Bundle:
        """Opens the folder at ``path``; the word ``demo`` is the packaged toy bundle.

        Raises:
            BundleError: no bundle there, a wrong ``model.json``, a missing file, a path that leaves the folder.
        """
        root = DEMO if path == "demo" else Path(path)  # Path("demo") is a folder of that name
        text = _read_json(root)
        bundle = cls(root, specs.parse(text))
        for file in bundle.files():
            bundle.path(file)
        return bundle

    def only(self, *, target: str | None = None, precision: str | None = None) -> Bundle:
        """The same bundle with but the variants of that target and precision.

        Raises:
            BundleError: it has none.
        """
        kept = tuple(
            variant
            for variant in self.spec.variants
            if target in (None, variant.target) and precision in (None, variant.precision)
        )
        if not kept:
            have = ", ".join(f"{variant.target} {variant.precision}" for variant in self.spec.variants)
            wanted = " ".join(filter(None, (target, precision)))
            raise BundleError(f"{self.spec.name}: expected a variant {wanted}, got {have}; convert it for that too")
        return replace(self, spec=replace(self.spec, variants=kept))

    def files(self) -> Iterator[Union[HashedFile, ModelFile]]:
        """Every file that ``model.json`` names."""
        for variant in self.spec.variants:
            yield from variant.files.values()
        for golden in self.spec.golden:
            yield golden.image
            yield golden.expected
        yield from self.spec.head.files

    def path(self, file: Union[HashedFile, ModelFile]) -> Path:
        """Where the file is.

        Raises:
            BundleError: it is missing, or its path leaves the folder.
        """
        parts = PurePosixPath(file.file)
        path = self.root / parts
        inside = not parts.is_absolute() and ".." not in parts.parts and "\\" not in file.file and "\0" not in file.file
        try:
            inside = inside and path.resolve().is_relative_to(self.root.resolve())
            there = inside and path.is_file()
        except (OSError, RuntimeError):  # a name that is too long, a loop of links
            there = False
        if not inside:
            raise BundleError(
                f"model.json: file: expected a path inside the bundle, got {short(file.file)}; do not trust this bundle"
            )
        if not there:
            raise BundleError(f"{file.file[:80]}: expected a file of the bundle, got none; copy the whole folder")
        return path

    def check(self, file: Union[HashedFile, ModelFile]) -> Path:
        """Where the file is, once its bytes are known to be those that were written.

        Raises:
            BundleError: also when the hash does not fit.
        """
        path = self.path(file)
        found = sha256(path)
        if found != file.sha256:
            raise BundleError(f"{file.file}: expected sha256 {file.sha256}, got {found}; copy the bundle again")
        return path

    def choices(self, device: str = "auto", runtime: str = "auto") -> tuple[list[Choice], list[str]]:
        """The variants that can run here, best first, and a sentence for each that can't.

        Of those for one runtime the first in ``model.json`` is the best: `edgedet convert` puts the most exact there.
        """
        able, unable = [], []
        for variant in self.spec.variants:
            if runtime not in ("auto", variant.runtime):
                continue
            try:
                found = runtimes.find(variant.runtime)
            except RuntimeUnavailable:
                unable.append(f"{variant.target} needs runtime {short(variant.runtime)}; install a newer edgedet")
                continue
            target = found.targets.get(variant.target)
            if target is None:
                unable.append(f"{found.name} runs no {short(variant.target)}; install a newer edgedet")
            elif device != "auto" and device.split(":")[0] != target.device:
                unable.append(f"{variant.target} runs on {target.device}; do device={target.device!r}")
            elif why := found.missing() or target.missing(variant.soc):
                unable.append(why)
            else:
                device_here = target.device if device == "auto" else device
                able.append(Choice(variant, found, target.rank, device_here))
        return sorted(able, key=lambda choice: choice.rank), unable

    def choose(self, device: str = "auto", runtime: str = "auto") -> Choice:
        """The best variant that can run here.

        Raises:
            RuntimeUnavailable: there is none; says why for each variant and what would mend it.
        """
        _check_device(device)
        if runtime != "auto":
            runtimes.find(runtime)
        able, unable = self.choices(device, runtime)
        if not able:
            have = ", ".join(f"{v.target} ({v.runtime})" for v in self.spec.variants)
            reasons = "; ".join(dict.fromkeys(unable)) or f"none is for runtime {runtime}; do runtime='auto'"
            raise RuntimeUnavailable(
                f"{self.spec.name}: expected a variant that runs on device {device} with runtime {runtime}, "
                f"got {have}; {reasons}"
            )
        return able[0]

    def open_network(self, name: str, choice: Choice, threads: int | None = None) -> Network:
        """One network of the chosen variant, its file's hash checked first.

        Raises:
            BundleError: the variant has no such network, or its file is not the one that was written.
            ModelLoadError: the runtime refuses the file.
        """
        if name not in choice.variant.files:
            have = ", ".join(choice.variant.files)
            raise BundleError(f"model.json: variants.files: expected {name}, got {have}; convert the checkpoint again")
        # type() rather than isinstance(): True is an int.
        if threads is not None and not (type(threads) is int and 1 <= threads <= 1024):
            raise ValueError(f"threads: expected 1 to 1024 or None, got {threads!r}; give the number of cores to use")
        file = choice.variant.files[name]
        session = choice.runtime.open(self.check(file), choice.device, threads)
        return Network(session, file, pixels=choice.variant.aipp)

    def expected(self, golden: Golden) -> dict[str, Array]:
        """The arrays that the checkpoint itself gave for a golden input; errors as `arrays`."""
        return self.arrays(golden.expected)

    def arrays(self, file: HashedFile) -> dict[str, Array]:
        """What is in a file of arrays (``.npz``), by name.

        Raises:
            BundleError: the file is not the one that was written, or is no archive of arrays.
        """
        path = self.check(file)
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                unpacked = sum(entry.file_size for entry in arrays.zip.infolist())
                if unpacked > MAX_ARRAYS_BYTES:
                    raise ValueError(f"{unpacked} bytes, more than {MAX_ARRAYS_BYTES}")
                return dict(arrays)
        except Exception as error:  # zipfile, zlib and NumPy each have their own
            raise BundleError(f"{file.file}: expected arrays, got {error}; convert again") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_json(root: Path) -> str:
    path = root / "model.json"
    try:
        if path.exists() and not path.is_file():
            raise OSError("something that is no file")  # a pipe would never end
        if path.stat().st_size > MAX_JSON_BYTES:
            raise BundleError(f"{path}: expected under {MAX_JSON_BYTES} bytes, got more; do not trust this bundle")
        return path.read_text(encoding="utf-8")
    except BundleError:
        raise
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: expected UTF-8, got {error.reason}; copy the bundle again") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        if _is_unfinished(root):
            raise BundleError(
                f"{short(str(root))}: expected a bundle, got a conversion that isn't finished; do edgedet convert "
                f"--resume {short(str(root))} on a machine that has the tool"
            ) from error
        raise BundleError(
            f"{short(str(root))}: expected a bundle (a folder with model.json), got {_reason(error)}; "
            "give the folder that edgedet convert wrote, or the word demo"
        ) from error


def _is_unfinished(root: Path) -> bool:
    try:
        return (root / "pending").is_dir()
    except (OSError, ValueError):
        return False


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _check_device(device: str) -> None:
    if not isinstance(device, str) or not re.fullmatch("auto|cpu|ascend(:[0-9]{1,4})?", device):
        raise ValueError(f"device: expected auto, cpu, ascend or ascend:N, got {device!r}; correct the name")
