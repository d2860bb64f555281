"""Who may look: a token where the page can be reached from outside, names and origins that fit where it can't."""

from __future__ import annotations

import hmac
from typing import cast
from urllib.parse import SplitResult, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from edgedet.camera.preview.address import is_loopback

COOKIE = "edgedet_token"
#: Asked by load balancers and service managers, which know no token; they learn only whether it lives.
OPEN = ("/healthz",)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def guard(token: str | None, *, loopback: bool) -> Middleware:
    """The middleware that every request goes through."""

    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _parts(f"//{request.host}").hostname or ""
        if loopback and not is_loopback(host):
            # Another site's name that has been pointed at this machine would read the page in its visitor's browser.
            raise web.HTTPForbidden(text=f"host: expected localhost, got {host[:100]}; open the page by that name\n")
        origin = request.headers.get("Origin")
        if origin is not None and _parts(origin).netloc != request.host:
            raise web.HTTPForbidden(text="origin: expected this page itself, got another site; open the page itself\n")
        if token is None or request.path in OPEN:
            return await handler(request)
        given = request.query.get("token")
        if given is not None and _same(given, token) and request.path == "/":
            # Out of the address bar, the history and what is sent on as the referrer.
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
            return answer
        bearer = request.headers.get("Authorization", "").partition("Bearer ")[2]
        if not any(_same(one, token) for one in (given, bearer, request.cookies.get(COOKIE)) if one):
            raise web.HTTPUnauthorized(
                text="token: expected the one that edgedet printed, got none or another; add ?token=… to the address\n",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return await handler(request)

    return cast(Middleware, web.middleware(check))


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing from elsewhere is loaded, no page frames this one, nothing is kept in a cache."""
    response.headers.update(_HEADERS)
    response.headers.pop("Server", None)


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return urlsplit("")


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
