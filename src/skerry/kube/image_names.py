"""Image names as people write them and as containerd keeps them; which images a Dockerfile starts from. Pure.

Follows the grammar of the distribution project's `reference` package: "busybox" is
"docker.io/library/busybox:latest", a first part with a dot, a colon or "localhost" is a registry.
"""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?P<domain>[a-zA-Z0-9](?:[a-zA-Z0-9-]|\.(?=[a-zA-Z0-9]))*(?::[0-9]+)?)/(?P<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?P<tag>:[\w][\w.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_FROM = re.compile(r"^\s*FROM\s+(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)


def full_name(name: str) -> str:
    """The name with registry and tag: "busybox" gives "docker.io/library/busybox:latest". Raises ValueError."""
    first, slash, _ = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not an image name: expected [registry/]path[:tag]")
    return name if match["tag"] or match["digest"] else f"{name}:latest"


def short_name(name: str) -> str:
    """The name as people write it: without docker.io and library."""
    for prefix in ("docker.io/library/", "docker.io/"):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def base_images(dockerfile: str) -> list[str]:
    """Full names of the images a Dockerfile starts from, but its own stages, scratch, and names made of arguments."""
    stages: set[str] = set()
    found: dict[str, None] = {}
    for line in dockerfile.splitlines():
        match = _FROM.match(line)
        if match is None:
            continue
        name, stage = match.groups()
        if name != "scratch" and "$" not in name and name.lower() not in stages:
            found[full_name(name)] = None
        stages.add((stage or "").lower())
    return list(found)
