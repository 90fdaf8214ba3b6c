"""Addresses as catalogues and upstreams write them: Python's own functions raise for some of them, late."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urljoin, urlsplit

from skerry.platform.catalog.sources.source import SourceFailed

_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f]*:[0-9a-f:.]*(%[a-z0-9]+)?")
"""What every program reads alike: no escapes, no dot at the end."""


def parsed(url: str) -> SplitResult:
    """Its parts, all of which can be read. Raises SourceFailed."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SourceFailed("BadAddress", f"{url[:200]!r} is no address: {error}") from None
    return parts


def host_of(parts: SplitResult) -> str:
    """One that others ask for as well. Raises SourceFailed."""
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        raise SourceFailed("BadAddress", f"{host[:200]!r} is no host")
    return host


def joined(base: str, place: str) -> str:
    """Where a link leads. Raises SourceFailed."""
    try:
        return urljoin(base, place)
    except ValueError as error:
        raise SourceFailed("BadAddress", f"{place[:200]!r} is no address: {error}") from None
