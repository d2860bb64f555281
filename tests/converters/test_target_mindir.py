"""The exported MINDIR as a variant: copied, its tensors known by their place, its free sizes declared."""

from __future__ import annotations

from pathlib import Path

import configs
import pytest

from edgedet.errors import ConversionError
from edgedet_converters import convert, targets
from edgedet_converters.order import Options
from edgedet_converters.targets.mindir import TARGET


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("model", "trunk", "head"):
        (tmp_path / f"{name}.mindir").write_bytes(b"graph of " + name.encode())
    (tmp_path / "bundle").mkdir()
    return tmp_path


def test_a_detector(folder: Path) -> None:
    variant = TARGET.convert(configs.order("mindir"), folder, folder / "bundle")
    assert (variant.target, variant.runtime, variant.precision, variant.soc) == ("mindir", "mslite_wheel", "fp32", None)
    (file,) = variant.files.values()
    assert (file.inputs, file.outputs, file.shapes) == ({"image": "#0"}, {"deltas": "#0", "logits": "#1"}, {})
    assert (folder / "bundle" / file.file).read_bytes() == b"graph of model"


def test_free_sizes_are_declared(folder: Path) -> None:
    variant = TARGET.convert(configs.order("mindir", networks=configs.SPP), folder, folder / "bundle")
    assert variant.files["trunk"].shapes == {"image": ((1, 3, None, None),)}
    # The export has 64 rows, for the converter's sake; the runtime resizes it.
    assert variant.files["head"].shapes == {"pooled": ((None, 12800),)}


def test_nothing_is_missing(folder: Path) -> None:
    assert TARGET.missing(configs.order("mindir"), folder) is None


def test_every_target_is_named_as_its_module_and_says_what_it_can() -> None:
    found = {name: targets.find(name) for name in targets.names()}
    assert sorted(found) == ["ascend", "mindir", "mslite", "om", "onnx"]
    for name, target in found.items():
        assert target.name == name and target.precisions[0] == "fp32" and target.format in ("onnx", "mindir")
        for precision in {"fp16", "int8"} - set(target.precisions):
            with pytest.raises(ConversionError, match=f"{name}: expected a precision of fp32"):
                convert._check_target(target, Options(precisions=(precision,)))
