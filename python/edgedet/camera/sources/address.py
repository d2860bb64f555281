"""Takes the text that names a source apart: scheme, what it stands for, options."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# user:password@ after the slashes. A password may hold any sign, rightly or not: up to the last @ there is.
_LOGIN = re.compile(r"(?<=://)(?!/).*@", re.DOTALL)
# key=value where the key sounds like a secret, in a query, in a path (some cameras want it there) or in a pipeline.
_SECRET = re.compile(
    r"((?:user|usr|login|pass|pwd|pw|token|key|auth|secret|sig|session)[\w.-]*\s*=\s*)(\"[^\"]*\"|[^\s&_/?#;,!\"]+)",
    re.IGNORECASE,
)


class Address(NamedTuple):
    """A source's name taken apart."""

    scheme: str
    """In lower case; empty for a plain path."""
    text: str
    """What the scheme understands: the URI without its options, or a plain path."""
    options: dict[str, str]
    """The options in the URI."""
    name: str
    """The text for messages, with its secrets masked."""


def masked(text: str) -> str:
    """The text without logins, and without values whose key sounds like a secret."""
    return _SECRET.sub(r"\1***", _LOGIN.sub("***@", text))


def scheme_of(text: str) -> str:
    """The scheme that the text begins with, in lower case; empty if it does not begin with one."""
    found = _SCHEME.match(text)
    return found[1].lower() if found else ""


def parse(text: str, options_after: str) -> Address:
    """Splits a URI at the sign that its scheme's options stand behind (``?`` or ``#``; empty: it can have none)."""
    login = text.rfind("@") + 1  # a password may hold the sign, options hold no @
    head, _, query = text[login:].partition(options_after) if options_after else (text[login:], "", "")
    head = text[:login] + head
    options = dict(parse_qsl(query, keep_blank_values=True))
    return Address(scheme_of(text), head, options, masked(head.rstrip(":")))


def path_of(address: Address) -> str:
    """The path in ``scheme:///path``, ``scheme:/path`` or ``scheme:path``, its %20 and the like made plain.

    Raises:
        ValueError: there is a host in front of it.
    """
    rest = address.text.partition(":")[2]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise ValueError(f"{address.name}: expected a path after ///, got the host {host!r}; write one slash more")
        rest = slash + path
    return unquote(rest)
