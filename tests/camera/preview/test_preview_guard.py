from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("prometheus_client")

from visitors import get, result, serving

from edgedet.camera.preview import Preview


@pytest.fixture
def locked() -> Iterator[Preview]:
    """Bound to every interface: with a token."""
    with serving(host="0.0.0.0") as preview:
        preview.write(result())
        yield preview


PATHS = ("", "page.js", "page.css", "live", "stream.mjpg", "snapshot.jpg", "metrics")


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_shown(locked: Preview, path: str) -> None:
    for query in ("", "?token=", "?token=wrong"):
        answer = get(f"http://127.0.0.1:{locked.address.port}/{path}{query}")
        assert answer.status == 401
        assert answer.body.startswith(b"token: expected the one that edgedet printed, got none or another; add ?token=")


def test_a_token_is_made_up_where_none_is_given(locked: Preview) -> None:
    assert locked.token is not None and len(locked.token) >= 20
    with serving(host="0.0.0.0") as other:
        assert other.token != locked.token


def test_the_token_goes_from_the_address_into_a_cookie(locked: Preview) -> None:
    where = f"http://127.0.0.1:{locked.address.port}/"
    answer = get(f"{where}?token={locked.token}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert get(where, Cookie=cookie.partition(";")[0]).status == 200


def test_the_token_as_programs_give_it(locked: Preview) -> None:
    where = f"http://127.0.0.1:{locked.address.port}/metrics"
    assert get(where, Authorization=f"Bearer {locked.token}").status == 200
    assert get(f"{where}?token={locked.token}").status == 200
    assert get(where, Authorization=f"Bearer {locked.token}x").status == 401


def test_health_needs_no_token_and_tells_nothing_else(locked: Preview) -> None:
    answer = get(f"http://127.0.0.1:{locked.address.port}/healthz")
    assert (answer.status, answer.body) == (503, b'{"state": "connecting"}')


@pytest.mark.parametrize("host", ["[evil", "evil.example", "evil.example:8080", "localhost.evil.example", ""])
def test_on_loopback_other_names_are_refused(host: str) -> None:
    with serving() as preview:
        answer = get(preview.url, Host=host)
        assert answer.status == 403
        assert b"host: expected localhost" in answer.body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:80"])
def test_on_loopback_its_own_names_are_taken(host: str) -> None:
    with serving() as preview:
        assert get(preview.url, Host=host).status == 200


@pytest.mark.parametrize("path", ["live", "snapshot.jpg", ""])
def test_other_sites_are_refused(path: str) -> None:
    with serving() as preview:
        preview.write(result())
        for origin in ("https://evil.example", "null", "http://[evil", f"http://localhost:{preview.address.port + 1}"):
            assert get(f"{preview.url}{path}", Origin=origin).status == 403
        assert get(preview.url, Origin=preview.url.rstrip("/")).status == 200


def test_every_answer_forbids_what_the_page_does_not_need() -> None:
    with serving() as preview:
        for path in ("", "page.js", "metrics", "healthz"):
            headers = get(f"{preview.url}{path}").headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Server"] is None
