"""Bundles of every schema that was ever released load for ever, and still give the answers they were written with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import edgedet
from edgedet.evaluate.verify import verify
from edgedet.spec import SCHEMA

SAMPLES = sorted(path.parent for path in (Path(__file__).parent / "data" / "bundles").glob("*/model.json"))


def test_every_schema_has_a_sample() -> None:
    schemas = {json.loads((sample / "model.json").read_text(encoding="utf-8"))["schema"] for sample in SAMPLES}
    assert schemas == set(range(1, SCHEMA + 1))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_an_old_bundle_still_gives_its_answers(sample: Path) -> None:
    verdict = verify(edgedet.Bundle.open(sample))
    assert verdict.passed, verdict.table()
    with edgedet.load(sample) as model:
        assert model(np.zeros((20, 30, 3), np.uint8)) is not None
