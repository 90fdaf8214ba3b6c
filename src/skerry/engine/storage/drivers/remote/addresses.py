"""Addresses of servers that speak HTTP, with what is in front of a path. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from skerry.engine.storage.drivers.remote.places import checked_host, in_brackets, refused

_PATH = re.compile(r"[A-Za-z0-9/._~%@:+-]*")


def checked_address(name: str, text: str, *, insecure: bool) -> str:
    """An address without user, query and trailing slash. Raises StorageError, also for one without TLS that is not
    `insecure`: the password would be read on the way."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise refused(f"parameter {name}: {text!r} is not an address: {error}") from error
    if parts.scheme not in ("https", "http") or parts.query or parts.fragment or parts.username is not None:
        raise refused(f"parameter {name}: {text!r} is not an address like https://server.example/path")
    if parts.scheme == "http" and not insecure:
        raise refused(f'parameter {name}: {text!r} is without TLS: secrets could be read; `insecure: "true"` allows it')
    if not _PATH.fullmatch(parts.path) or ".." in parts.path.split("/"):
        raise refused(f"parameter {name}: the path {parts.path!r} is not possible")
    host = in_brackets(checked_host(parts.hostname or ""))
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def host_of(address: str) -> str:
    """The host of a checked address."""
    return urlsplit(address).hostname or ""


def below(address: str, directory: str) -> str:
    """The address of a directory, with a slash at its end."""
    return f"{address}/{quote(directory)}/" if directory else f"{address}/"
