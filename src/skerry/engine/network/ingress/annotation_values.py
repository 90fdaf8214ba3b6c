"""How values of annotations are read. Each function takes the text and raises ValueError with what is wrong. Pure."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from skerry.engine.network.ingress.settings import Redirect

_SIZE = re.compile(r"(\d+)([kmgKMG]?)")
_TIME = re.compile(r"(\d+)(ms|s|m|h)?")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PROTOCOLS = {"HTTP": "HTTP", "HTTPS": "HTTPS", "GRPC": "GRPC", "GRPCS": "GRPCS"}
_LONGEST = 2000


def switch(text: str) -> bool:
    """A Go boolean."""
    known = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    if text.lower() not in known:
        raise ValueError("must be true or false")
    return known[text.lower()]


def size(text: str) -> int:
    """A size as nginx writes it ("8m"), in bytes; 0 is no limit."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("must be a size such as 8m")
    return int(found[1]) * _UNITS[found[2].lower()]


def seconds(text: str) -> float:
    """A time as nginx writes it ("60", "60s", "1m"), in seconds."""
    found = _TIME.fullmatch(text)
    if found is None or not int(found[1]):
        raise ValueError("must be a time such as 60 or 60s")
    return int(found[1]) * _SECONDS[found[2] or "s"]


def number(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isdecimal():
        raise ValueError("must be a whole number")
    return int(text)


def redirect_code(text: str) -> int:
    """An HTTP status that redirects."""
    if text not in ("301", "302", "303", "307", "308"):
        raise ValueError("must be 301, 302, 303, 307 or 308")
    return int(text)


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks, joined by commas."""
    return tuple(str(ipaddress.ip_network(one.strip(), strict=False)) for one in text.split(",") if one.strip())


def protocol(text: str) -> str:
    """How apps are spoken to."""
    if text.upper() not in _PROTOCOLS:
        raise ValueError("must be HTTP, HTTPS, GRPC or GRPCS")
    return _PROTOCOLS[text.upper()]


def words(text: str) -> tuple[str, ...]:
    """What commas join."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def token(text: str) -> str:
    """The name of a header or a cookie."""
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be the name of a header or cookie")
    return text


def line(text: str) -> str:
    """Text that goes into a header: one line, and nothing that Caddy would take for a placeholder."""
    if len(text) > _LONGEST or any(ord(one) < 32 or one in "{}" for one in text):
        raise ValueError("must be one line without braces")
    return text


def path(text: str) -> str:
    """A path, perhaps with a query."""
    if not text.startswith("/"):
        raise ValueError("must begin with /")
    return line(text)


def address(text: str) -> str:
    """Where to redirect to: a whole address with http or https, or a path."""
    if not text.startswith("/") and urlsplit(text).scheme not in ("http", "https"):
        raise ValueError("must be an http or https address, or a path")
    return line(text)


def url(text: str) -> str:
    """A whole http or https address."""
    found = urlsplit(text)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise ValueError("must be an http or https address")
    return line(text)


def permanent(text: str) -> Redirect:
    """Where to, for ever."""
    return Redirect(address(text), 301)


def temporal(text: str) -> Redirect:
    """Where to, for now."""
    return Redirect(address(text), 302)


def exactly(*wanted: str) -> object:
    """A reader for a value that must be one of these; other values are not supported."""

    def read(text: str) -> str:
        if text not in wanted:
            raise ValueError(f"only {' or '.join(wanted)} is supported")
        return text

    return read
