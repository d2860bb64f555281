from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from edgedet.cli import main

pytest.importorskip("onnxruntime")
pytest.importorskip("aiohttp")
pytest.importorskip("prometheus_client")


def test_results_go_to_stdout_and_words_to_stderr(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["stream", "demo", "test:?frames=3&live=no", "--sink", "jsonl:-"]) == 0
    out, err = capfdbinary.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["index"] for line in lines] == [0, 1, 2]
    assert all(found["score"] > 0.4 for line in lines for found in line["detections"])
    assert b"3 results of 3 frames" in err and b"jsonl:-: 3 written" in err


def test_figures_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sink = f"jsonl:{tmp_path / 'found.jsonl'}"
    assert main(["stream", "demo", "test:?live=no", "--sink", sink, "--frames", "2", "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["bundle"], document["inferred"], document["reason"]) == ("demo", 2, "frames")
    assert document["sinks"][0]["name"] == sink
    assert err == ""


def test_the_threshold_is_the_bundle_s_for_the_page_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from edgedet.camera import pipeline

    seen = []

    class Watched(pipeline.ModelCall):
        def __init__(self, model: object, **options: object) -> None:
            seen.append(options["score_threshold"])
            super().__init__(model, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("edgedet.cli.stream.ModelCall", Watched)
    source = ["stream", "demo", "test:?frames=1&live=no"]
    assert main([*source, "--preview", "127.0.0.1:0"]) == 0
    assert main([*source, "--sink", "jsonl:/dev/null", "--preview", "127.0.0.1:0"]) == 0
    assert main([*source, "--preview", "127.0.0.1:0", "--score-threshold", "0.7"]) == 0
    assert seen == [None, 0.4, 0.7]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "tset:"], "source: expected a scheme among"),
        (["demo", "test:", "--sink", "jsnl:x"], "write jsonl:"),
        (["demo", "test:", "--sink", "jsonl:-", "--json"], "--json: expected stdout for itself"),
        (["demo", "test:", "--sink", "jsonl:/no/such/folder/x"], "expected a file to write"),
        (["demo", "test:", "--preview", "240.0.0.1:80"], "correct HOST:PORT"),
        (["demo", "/no/such/video.mp4"], "/no/such/video.mp4"),
        (["nothing", "test:"], "nothing"),
    ],
)
def test_mistakes(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stream", *arguments, "--frames", "1"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--preview", "http://board", "preview: expected HOST:PORT"),
        ("--policy", "newest", "policy: expected latest"),
        ("--seconds", "-1", "expected a number of seconds above 0"),
        ("--score-threshold", "7", "expected a number from 0 to 1"),
    ],
)
def test_wrong_options(option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["stream", "demo", "test:", f"{option}={value}"])
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_what_was_lost_is_said_at_the_end(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("paho.mqtt.client")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    nobody = f"127.0.0.1:{port}"
    arguments = [f"http://{nobody}/", "test:", "--frames", "5", "--sink", f"jsonl:{tmp_path}/found.jsonl"]
    assert main(["stream", "demo", *arguments]) == 1
    assert f"\nlost: http://{nobody}/: expected" in capsys.readouterr().err
    assert main(["stream", "demo", "test:?frames=5&live=no", "--sink", f"mqtt://{nobody}/door"]) == 1
    assert f"\nmqtt://{nobody}/door: 5 written, 5 unsent: expected a broker" in capsys.readouterr().err


def first_picture(where: str) -> bytes:
    """Asks until there is a frame."""
    for _ in range(1000):
        try:
            with urllib.request.urlopen(where, timeout=20) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            assert error.code == 503
    raise AssertionError("no frame came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_everything_written(number: signal.Signals, tmp_path: Path) -> None:
    found = tmp_path / "found.jsonl"
    command = [sys.executable, "-m", "edgedet", "stream", "demo", "test:", "--preview", "0.0.0.0:0", "--sink"]
    environment = {**os.environ, "EDGEDET_TOKEN": "secret", "no_proxy": "*"}
    process = subprocess.Popen(
        [*command, f"jsonl:{found}"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
        # What runs in the background of a script is born ignoring SIGINT, and then goes on ignoring it, as it should.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        (port,) = re.findall(r"the page is at http://(?!0\.0\.0\.0)\S+:(\d+)/\?token=secret", line) or [line]
        where = f"http://127.0.0.1:{port}/snapshot.jpg?token=secret"
        assert first_picture(where).startswith(b"\xff\xd8")
        process.send_signal(number)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, rest
    assert re.search(r"\d+ results of \d+ frames", rest)
    lines = found.read_text().splitlines()
    assert lines and all(json.loads(line)["detections"] is not None for line in lines)
