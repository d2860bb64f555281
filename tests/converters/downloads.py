"""What the tests of downloads share: one download, and one that fails as it should."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from flaky_server import CONTENT, Server

from edgedet.errors import SourceError
from edgedet_converters.download import download

SIZE = len(CONTENT)
HALF = SIZE // 2
RIGHT = hashlib.sha256(CONTENT).hexdigest()
OTHER = bytes(reversed(CONTENT))
TINY: dict[str, Any] = {"timeout_s": 5, "backoff_s": 0.001, "retries": 2}


def get(server: Server, file: Path, **options: Any) -> Path:
    return download(f"{server.url}/model.ckpt", file, RIGHT, **{**TINY, **options})


def files(file: Path) -> list[str]:
    """Everything in the folder, hidden files too."""
    return sorted(path.name for path in file.parent.iterdir()) if file.parent.exists() else []


def refused(server: Server, file: Path, expected: str, **options: Any) -> None:
    """It fails with that in its message, which says where and what to do, and nothing is left."""
    before = files(file)
    with pytest.raises(SourceError) as caught:
        get(server, file, **options)
    message = str(caught.value)
    assert message.startswith(f"{server.url}/model.ckpt: expected the published file, got ")
    assert expected in message and "--mirror URL" in message and str(file.parent) in message
    assert files(file) == before
