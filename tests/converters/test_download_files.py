"""What a download leaves on the disk: after success, failure and Ctrl-C, and with others at the same time."""

from __future__ import annotations

import os
import resource
import threading
import time
from pathlib import Path
from typing import Optional

import pytest
from downloads import HALF, OTHER, RIGHT, SIZE, TINY, files, get, refused
from flaky_server import (
    CONTENT,
    Behaviour,
    Handler,
    Server,
    answering,
    cut_off,
    endless,
    serving,
    unlimited,
    whole,
)

from edgedet.errors import SourceError
from edgedet_converters.download import _remove_abandoned, download


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zoo" / "model.ckpt"


def test_the_file_is_as_readable_as_any(server: Server, file: Path) -> None:
    get(server, file)
    other = file.with_name("other")
    other.touch()
    assert file.stat().st_mode == other.stat().st_mode


def test_a_right_file_is_not_fetched_again(server: Server, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(CONTENT)
    file.parent.chmod(0o555)  # nor is anything written
    assert get(server, file) == file
    file.parent.chmod(0o755)
    assert server.asked == []


def test_a_wrong_file_is_replaced_only_by_the_right_one(server: Server, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(OTHER)
    server.plan = [whole(OTHER), whole()]
    refused(server, file, "another file")
    assert file.read_bytes() == OTHER
    assert get(server, file).read_bytes() == CONTENT


class Interrupt:
    """A progress callback: Ctrl-C once so much is here."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, done: int, total: Optional[int]) -> None:
        if done >= self.at:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing(server: Server, file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        get(server, file, progress=Interrupt(1))
    assert files(file) == []


def test_a_kept_part_is_resumed(server: Server, file: Path) -> None:
    server.plan = [cut_off(HALF)]
    with pytest.raises(KeyboardInterrupt):
        get(server, file, progress=Interrupt(HALF), keep_partial=True)
    assert files(file) == [".model.ckpt.part"]
    server.plan = [answering(503)]
    refused(server, file, "HTTP 503")  # keeps it in its turn
    assert file.with_name(".model.ckpt.part").read_bytes() == CONTENT[:HALF]
    server.plan = [whole()]
    assert get(server, file).read_bytes() == CONTENT
    assert server.asked[-1][1] == HALF
    assert files(file) == ["model.ckpt"]


def test_a_lost_network_leaves_what_was_asked_to_be_kept(server: Server, file: Path) -> None:
    server.plan = [cut_off(HALF), answering(503)]
    with pytest.raises(SourceError, match="HTTP 503"):
        get(server, file, keep_partial=True)
    assert files(file) == [".model.ckpt.part"]


@pytest.mark.parametrize("kept", [OTHER[:HALF], OTHER, CONTENT + b"x", CONTENT, b""])
def test_a_kept_part_that_does_not_fit_does_no_harm(server: Server, file: Path, kept: bytes) -> None:
    file.parent.mkdir()
    file.with_name(".model.ckpt.part").write_bytes(kept)
    assert get(server, file).read_bytes() == CONTENT
    assert files(file) == ["model.ckpt"]


@pytest.mark.parametrize("behaviour", [whole(OTHER), unlimited(OTHER), endless])
def test_wrong_bytes_are_never_kept(server: Server, file: Path, behaviour: Behaviour) -> None:
    server.plan = [behaviour]
    refused(server, file, "got", keep_partial=True, max_bytes=SIZE)


def test_several_at_once(server: Server, file: Path) -> None:
    together = threading.Barrier(3)

    def behave(request: Handler) -> None:
        together.wait(5)
        whole()(request)

    server.plan = [behave]
    failures: list[BaseException] = []

    def fetch() -> None:
        try:
            get(server, file, timeout_s=5)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert file.read_bytes() == CONTENT and files(file) == ["model.ckpt"]


def test_what_a_killed_process_left_is_swept_up(server: Server, file: Path) -> None:
    file.parent.mkdir()
    old, young, others = (
        file.with_name(name) for name in (".model.ckpt-1-a.part", ".model.ckpt-2-b.part", ".x.ckpt-1-a.part")
    )
    for path in (old, young, others):
        path.touch()
    for path in (old, others):
        os.utime(path, (time.time() - 90_000,) * 2)
    get(server, file)
    assert files(file) == sorted([young.name, others.name, "model.ckpt"])


def test_an_old_part_that_is_resumed_is_not_swept_up(server: Server, file: Path) -> None:
    def behave(request: Handler) -> None:
        _remove_abandoned(file)  # as another call would
        whole()(request)

    file.parent.mkdir()
    kept = file.with_name(".model.ckpt.part")
    kept.write_bytes(CONTENT[:HALF])
    os.utime(kept, (time.time() - 90_000,) * 2)
    server.plan = [behave]
    assert get(server, file).read_bytes() == CONTENT
    assert server.starts == [HALF]


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(SourceError, match=r"taken.model\.ckpt: expected room and permission .*; free some space"):
        get(server, tmp_path / "taken" / "model.ckpt")


def test_a_folder_where_the_file_should_be(server: Server, file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(SourceError, match="expected room and permission to write it, got Is a directory"):
        get(server, file)
    assert files(file) == ["model.ckpt"]


def test_a_disk_that_takes_no_more(server: Server, file: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, before[1]))
    try:
        with pytest.raises(SourceError, match="expected room and permission to write it, got File too large"):
            get(server, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(file) == []
    assert len(server.asked) == 1


def test_nobody_listens(file: Path) -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(SourceError, match="Connection refused, 3 times in a row"):
        download(f"{url}/x", file, RIGHT, **TINY)


@pytest.mark.parametrize("url", ["", "x", "ftp://h/x", "file:///etc/passwd", "http://", "http://h/a b", "http://ü/"])
def test_an_address_that_is_none(file: Path, url: str) -> None:
    with pytest.raises(ValueError, match="^url: expected an http or https address"):
        download(url, file, RIGHT)
    assert not file.parent.exists()


@pytest.mark.parametrize("url", ["http://h:port/x", "http://[::1/x", f"http://{'a' * 64}.invalid/x"])
def test_an_address_that_leads_nowhere(file: Path, url: str) -> None:
    with pytest.raises(SourceError, match="expected the published file, got "):
        download(url, file, RIGHT, **TINY)
    assert files(file) == []


@pytest.mark.parametrize("options", [{"timeout_s": 0}, {"timeout_s": float("nan")}, {"retries": -1}])
def test_an_option_that_makes_no_sense(file: Path, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(options))}: expected "):
        download("http://127.0.0.1/x", file, RIGHT, **options)
