"""Image names as users write them, and as containerd's CRI looks them up.

Source: github.com/distribution/reference (`ParseNormalizedNamed`, `TagNameOnly`).
"""

from __future__ import annotations

import re

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST = re.compile(r"(?:[a-zA-Z0-9]+(?:[.-]+[a-zA-Z0-9]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255


def normalise(name: str) -> str:
    """The full name: `hello:1.0` -> `docker.io/library/hello:1.0`; without tag or digest, `:latest`.

    Raises ValueError, saying what is wrong, for what no container tool accepts.
    """
    rest, _, digest = name.partition("@")
    if digest and not _DIGEST.fullmatch(digest):
        raise ValueError(f"invalid image name {name!r}: a digest is sha256: and 64 hexadecimal digits")
    rest, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        raise ValueError(f"invalid image name {name!r}: a tag is up to 128 letters, digits, dots, dashes, underscores")
    host, path = _split_host(rest)
    if not _PATH.fullmatch(path) or not _HOST.fullmatch(host) or len(host) + 1 + len(path) > _LONGEST:
        raise ValueError(f"invalid image name {name!r}: use lower-case letters, digits and single separators")
    suffix = (f":{tag}" if tag is not None else "") + (f"@{digest}" if digest else "")
    return f"{host}/{path}{suffix or ':latest'}"


def familiar(name: str) -> str:
    """The short form people write: the inverse of `normalise`, but for the tag."""
    return name.removeprefix("docker.io/library/").removeprefix("docker.io/")


def _split_tag(name: str) -> tuple[str, str | None]:
    """A colon before the last slash belongs to a port."""
    slash, colon = name.rfind("/"), name.rfind(":")
    return (name[:colon], name[colon + 1 :]) if colon > slash else (name, None)


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        host, path = ("docker.io" if first == "index.docker.io" else first), rest
    else:
        host, path = "docker.io", name
    return host, f"library/{path}" if host == "docker.io" and "/" not in path else path
