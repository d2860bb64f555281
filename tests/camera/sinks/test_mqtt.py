"""MQTT with a real broker, which is killed and comes back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peers
import pytest
from broker import Broker, Listener, free_port
from pipeline_fakes import FakeSource, index_of, result, until

pytest.importorskip("paho.mqtt", reason="needs the extra [mqtt]")
from edgedet.camera.pipeline import Pipeline
from edgedet.camera.sinks import open_sink
from edgedet.camera.sinks.mqtt import Mqtt

# A sink that is killed without a word.
VICTIM = """
import signal, sys
from edgedet.camera.pipeline import Pipeline
Pipeline("test:?size=64x48", lambda frame: None, sys.argv[1]).run()
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    listening = Listener(broker)
    yield listening
    listening.close()


def uri(broker: Broker, query: str = "", login: str = "") -> str:
    return f"mqtt://{login}127.0.0.1:{broker.port}/camera/door{query}"


def indices(listener: Listener, count: int) -> list[int]:
    return [json.loads(listener.next("camera/door"))["index"] for _ in range(count)]


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_results_arrive_in_order(qos: int, broker: Broker, listener: Listener) -> None:
    stats = Pipeline(FakeSource(range(30)), index_of, uri(broker, f"?qos={qos}")).run()
    assert listener.next("camera/door/status") == "online"
    assert indices(listener, 30) == list(range(30))
    assert listener.next("camera/door/status") == "offline"
    assert stats.sinks[0].written == 30 and sum(stats.sinks[0].dropped.values()) == 0


def test_a_message_is_a_line_of_json(broker: Broker, listener: Listener) -> None:
    with open_sink(uri(broker)) as sink:
        sink.write(result(7, "anything"))
    assert json.loads(listener.next("camera/door")) == result(7, "anything").to_dict()


@pytest.mark.parametrize("qos", [1, 2])
def test_a_broker_that_is_killed_and_comes_back_misses_nothing(qos: int, broker: Broker, listener: Listener) -> None:
    source = FakeSource()
    with Pipeline(source, index_of, (sink := open_sink(uri(broker, f"?qos={qos}")))) as pipeline:
        pipeline.start()
        for index in range(10):
            source.feed(index)
        assert indices(listener, 10) == list(range(10))
        broker.kill()
        until(lambda: sink.problem)
        for index in range(10, 20):
            source.feed(index)
        until(lambda: pipeline.stats().sinks[0].written == 20)
        assert "expected a broker, got" in str(pipeline.stats().sinks[0].error)
        broker.start()
        missing = set(range(10, 20))
        while missing:  # what was not yet acknowledged when the broker was killed comes twice
            missing -= set(indices(listener, 1))
        source.feed(20)
        assert indices(listener, 1) == [20]
    assert sum(pipeline.stats().sinks[0].dropped.values()) == 0


def test_the_newest_wait_for_a_broker_that_is_late(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    with open_sink(uri(broker, "?buffer=3&qos=1")) as sink:
        for index in range(10):
            sink.write(result(index))
        assert sink.lost == {"offline": 7}
        until(lambda: sink.problem)
        broker.start()
        listener = Listener(broker)
        until(lambda: not sink._waiting)  # type: ignore[attr-defined]
        sink.write(result(10))
        assert indices(listener, 1)[0] in (7, 8, 9, 10)
        listener.close()
    assert sink.lost == {"offline": 7}
    broker.kill()


def test_without_a_broker_the_end_comes_all_the_same() -> None:
    with Mqtt("127.0.0.1", "camera/door", port=free_port()) as sink:
        sink.write(result(0))
    assert sink.lost == {"unsent": 1}
    sink.close()
    assert sink.lost == {"unsent": 1}


def test_the_broker_tells_when_the_sink_was_killed(broker: Broker, listener: Listener) -> None:
    victim = subprocess.Popen([sys.executable, "-c", VICTIM, uri(broker)])
    assert listener.next("camera/door/status") == "online"
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert listener.next("camera/door/status") == "offline"


def test_opened_again_it_goes_on(broker: Broker, listener: Listener) -> None:
    sink = open_sink(uri(broker))
    for index in range(2):
        with sink:
            sink.write(result(index))
    assert indices(listener, 2) == [0, 1]


def test_home_assistant_is_told(broker: Broker, listener: Listener) -> None:
    with open_sink(uri(broker, "?discovery=homeassistant")) as sink:
        config = json.loads(listener.next("homeassistant/sensor/edgedet_camera_door/found/config"))
        sink.write(result(0))
    assert config["state_topic"] == "camera/door"
    assert config["availability_topic"] == "camera/door/status"
    assert config["value_template"] == "{{ value_json.detections | count }}"
    assert listener.next("camera/door/status") == "offline"


def test_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = peers.program("mosquitto_passwd", "mosquitto")
    subprocess.run([tool, "-b", "-c", str(tmp_path / "users"), "me", "s:e/c@r"], check=True, capture_output=True)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {tmp_path}/users")
    broker.start()
    listener = Listener(broker, login=("me", "s:e/c@r"))
    with open_sink(uri(broker, login="me:s%3Ae%2Fc%40r@")) as sink:
        assert listener.next("camera/door/status") == "online"
        assert "s:e" not in sink.name and "@" not in sink.name
    assert listener.next("camera/door/status") == "offline"
    monkeypatch.setenv("EDGEDET_MQTT_PASSWORD", "s:e/c@r")
    with open_sink(uri(broker, login="me@")):
        assert listener.next("camera/door/status") == "online"
    with open_sink(uri(broker, login="me:wrong@")) as sink:
        until(lambda: sink.problem)
        assert "Not authorized" in str(sink.problem)
    listener.close()
    broker.kill()


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_tls(tmp_path: Path) -> None:
    openssl = peers.program("openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = f"req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {cert} -days 2 -subj /CN=localhost -addext"
    subprocess.run([openssl, *command.split(), "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    port = free_port()
    broker = Broker(tmp_path, f"allow_anonymous true\nlistener {port} 127.0.0.1\ncertfile {cert}\nkeyfile {key}")
    broker.start()
    listener = Listener(broker)
    address = f"mqtts://127.0.0.1:{port}/camera/door"
    with open_sink(f"{address}?ca={cert}") as sink:
        sink.write(result(3))
        assert indices(listener, 1) == [3]
    with open_sink(address) as stranger:  # the system's certificates don't know this one
        until(lambda: stranger.problem)
    listener.close()
    broker.kill()


def test_a_missing_certificate(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        open_sink(f"mqtts://localhost/t?ca={tmp_path}/none").open()


@pytest.mark.parametrize(
    "text", ["mqtt:", "mqtt://", "mqtt://host", "mqtt://host/", "mqtt://host/a/+/b", "mqtt://h:x/t"]
)
def test_mistakes(text: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt: expected //HOST:PORT/TOPIC without \+ or #, got"):
        open_sink(text)


def test_a_mistake_does_not_tell_the_password() -> None:
    with pytest.raises(ValueError, match=r"'//\*\*\*@host'"):
        open_sink("mqtt://me:secret@host")


def test_without_paho(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(ImportError, match=r"expected paho-mqtt 2, got none; do pip install 'edgedet\[mqtt\]'"):
        Mqtt("localhost", "t").open()


def test_ports() -> None:
    assert [open_sink(f"{scheme}://h/t").name for scheme in ("mqtt", "mqtts")] == [
        "mqtt://h:1883/t",
        "mqtts://h:8883/t",
    ]


def test_what_json_cannot_hold_is_refused(broker: Broker) -> None:
    value: Any = object()
    with open_sink(uri(broker)) as sink, pytest.raises(TypeError, match="expected something that JSON can hold"):
        sink.write(result(0, value))
