from __future__ import annotations

import socket

import pytest

from edgedet.camera.preview.address import Address, is_loopback, parse_address, reachable


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", ("127.0.0.1", 8080)),
        ("9000", ("127.0.0.1", 9000)),
        (":9000", ("0.0.0.0", 9000)),
        ("board.local", ("board.local", 8080)),
        ("192.168.1.5:80", ("192.168.1.5", 80)),
        ("[::1]:8080", ("::1", 8080)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_what_people_write(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["http://board:80", "board:no", "a:70000", "user@board:80", "[::1", "a b/c"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"preview: expected HOST:PORT, got .*; write it like"):
        parse_address(text)


def test_ipv6_in_a_url() -> None:
    assert Address("::1", 8080).netloc == "[::1]:8080"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_interface_is_shown_by_an_address_of_this_machine(host: str) -> None:
    shown = reachable(Address(host, 8080))
    assert shown.host not in ("0.0.0.0", "::") and shown.port == 8080
    family = socket.AF_INET6 if ":" in shown.host else socket.AF_INET
    socket.create_server((shown.host, 0), family=family).close()  # only one's own can be bound


def test_an_address_of_its_own_stays() -> None:
    assert reachable(Address("192.168.1.5", 80)) == ("192.168.1.5", 80)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_only_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "board.local", "localhost.evil.example", ""])
def test_reached_from_outside(host: str) -> None:
    assert not is_loopback(host)
