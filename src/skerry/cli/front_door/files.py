"""Which balancer gets which files, and writing them: whole or not at all, and nobody else's.

Neighbours: `haproxy`, `keepalived`. Each file says in a line near its top that it is ours, with a digest of the
rest: a file without that line, or changed since, is not overwritten unless asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from skerry.cli.front_door import haproxy, keepalived
from skerry.cli.front_door.resource import Balancer, FrontDoor

HAPROXY = "haproxy.cfg"
KEEPALIVED = "keepalived.conf"
SCRIPT = Path(keepalived.SCRIPT).name

_MARK = re.compile(r"# Made by `skerry lb render`, edits are lost\. sha256:([0-9a-f]{16})\n")


@dataclass(frozen=True, slots=True)
class Rendered:
    """One file of one balancer. `shown`: its text without the password."""

    balancer: str
    name: str
    text: str
    shown: str
    mode: int


def render(door: FrontDoor) -> list[Rendered]:
    """The files of all balancers."""
    return [one for balancer in door.balancers for one in _of(door, balancer)]


def foreign(path: Path) -> str | None:
    """Why the file at `path` may not be overwritten; None if it may, or is not there."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {error}"
    found = _MARK.search(text)
    if found is None:
        return "was not made by this command"
    return None if _digest(text.replace(found[0], "", 1)) == found[1] else "was changed by hand"


def write(directory: Path, files: list[Rendered]) -> None:
    """Put them into `<directory>/<balancer>/<name>`. Raises OSError."""
    for one in files:
        folder = directory / one.balancer
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(folder / one.name, one.text, one.mode)


def _replace(path: Path, text: str, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 from the start
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _of(door: FrontDoor, balancer: Balancer) -> list[Rendered]:
    found = [_file(balancer, HAPROXY, haproxy.configuration(door))]
    if door.virtual:
        text = keepalived.configuration(door, balancer)
        shown = keepalived.without_password(text, door.virtual)
        found.append(_file(balancer, KEEPALIVED, text, shown))
        found.append(_file(balancer, SCRIPT, keepalived.CHECK_SCRIPT, first_line="#!/bin/sh\n", mode=0o755))
    return found


def _file(
    balancer: Balancer, name: str, text: str, shown: str | None = None, first_line: str = "", mode: int = 0o600
) -> Rendered:
    mark = f"# Made by `skerry lb render`, edits are lost. sha256:{_digest(first_line + text)}\n"
    return Rendered(balancer.name, name, first_line + mark + text, first_line + (shown or text), mode)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
