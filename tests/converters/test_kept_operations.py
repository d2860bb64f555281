"""No family may use an operation that MindSpore Lite's converter drops without a word."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mindspore", reason="needs the extra [convert]")
from checkpoints import CONFIGS, graph_mode, small_config

from edgedet.errors import ConversionError
from edgedet_converters import export, family, mindir

pytestmark = pytest.mark.convert


def save(cell, file: Path) -> Path:
    """Exports a cell of one (1, 4, 8, 8) input."""
    import mindspore

    with graph_mode():
        image = mindspore.Tensor(np.ones((1, 4, 8, 8), np.float32))
        mindspore.export(cell.set_train(False), image, file_name=str(file.with_suffix("")), file_format="MINDIR")
    return file


@pytest.mark.parametrize("name", family.names())
def test_every_operation_of_a_family_is_kept(name: str, tmp_path: Path) -> None:
    import mindspore

    config, chosen = small_config(name), family.find(name)
    checkpoint = tmp_path / "fresh.ckpt"
    mindspore.save_checkpoint(chosen.build(config), str(checkpoint))
    labels = tuple(f"class {i}" for i in range(config.num_classes))
    job = export.Job(name, str(checkpoint), str(CONFIGS / f"{name}.json"), labels, ("mindir",), ())
    with graph_mode():
        described = export.export(job, tmp_path)
    for network in described.networks.values():
        file = tmp_path / network.files["mindir"]
        assert mindir.primitives(file)["Conv2D"] or mindir.primitives(file)["MatMul"]
        assert mindir.not_kept(file) == {}


def test_the_list_is_sorted_and_says_nothing_twice() -> None:
    text = resources.files("edgedet_converters.targets").joinpath("kept_by_mslite.json").read_text(encoding="utf-8")
    known = json.loads(text)
    lists = [known["kept"], known["structure"], list(known["instead"])]
    assert all(names == sorted(names) for names in lists)
    assert len(set().union(*lists)) == sum(len(names) for names in lists)


def test_what_is_dropped_is_named_with_its_cure(tmp_path: Path) -> None:
    from mindspore import nn, ops

    class Dropped(nn.Cell):
        def construct(self, x):
            return ops.relu(x * 2.0) + ops.clamp(x / 3.0, -1.0, 1.0)

    found = mindir.not_kept(save(Dropped(), tmp_path / "dropped.mindir"))
    # MindSpore 2.7 divides a tensor by a number with an ordinary Div.
    assert list(found) in (["ClampScalar", "Divs", "Muls"], ["ClampScalar", "Div", "Muls"])
    assert found["Muls"] == "multiply by a Tensor"


def test_what_nobody_tried_is_named_too_even_in_a_subgraph(tmp_path: Path) -> None:
    from mindspore import nn, ops

    class Branches(nn.Cell):
        def construct(self, x):
            return ops.erf(x) if ops.ReduceSum()(x) > 3 else ops.sigmoid(x)

    file = save(Branches(), tmp_path / "branches.mindir")
    assert mindir.primitives(file)["Erf"] == mindir.primitives(file)["Sigmoid"] == 1
    found = mindir.not_kept(file)
    assert {"Call", "Erf", "ReduceSum", "Switch"} <= set(found) and "Sigmoid" not in found
    assert found["Erf"].startswith("nothing is known of it")


@pytest.mark.parametrize("content", [b"", b"no protobuf at all \xff\xff", None])
def test_a_file_that_is_no_mindir(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "model.mindir"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConversionError, match=r"model\.mindir: expected a MINDIR"):
        mindir.primitives(file)


def test_reading_does_not_import_mindspore(tmp_path: Path) -> None:
    from mindspore import nn

    file = save(nn.ReLU(), tmp_path / "relu.mindir")
    script = (
        "import sys; from pathlib import Path; from edgedet_converters import mindir; "
        "assert mindir.primitives(Path(sys.argv[1]))['ReLU'] == 1; assert 'mindspore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(file)], check=True, timeout=60)
