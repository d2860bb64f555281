"""What a target is: exported graphs in, a variant's files out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgedet.spec import Variant
from edgedet_converters.export import Description


@dataclass(frozen=True)
class Target:
    """A kind of model file that devices run; every module of this package holds one as ``TARGET``.

    Attributes:
        name: the module's name, and the variant's ``target``.
        format: what the export must write for it: ``onnx`` or ``mindir``.
        convert: (description, work folder with the exported graphs, bundle folder) -> the variant, its files written
            into the bundle folder. Raises `ConversionError`.
    """

    name: str
    format: str
    convert: Callable[[Description, Path, Path], Variant]
