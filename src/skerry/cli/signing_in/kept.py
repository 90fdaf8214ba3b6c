"""What `skerry login` keeps on this machine: one file per platform, readable by its owner alone.

The credential plug-in (`skerry token`) reads and renews it, under a lock: kubectl may run several times at once, and a
refresh token is good for one use.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from skerry.cli.errors import CommandFailed
from skerry.cli.signing_in.server import Server, Tokens
from skerry.kube.records import record

_EARLY = 60.0  # seconds before its end a token is renewed


@record
class Kept:
    """A session of this machine."""

    url: str
    ca: str
    """Whom to trust there, PEM; "": whom the machine trusts."""
    access: str
    refresh: str
    expires: float
    """Of the access token, in seconds since 1970."""


def name_of(url: str) -> str:
    """Of a platform's file, context, cluster and user."""
    split = urlsplit(url)
    return f"skerry-{split.hostname}" + (f"-{split.port}" if split.port else "")


def keep(server: Server, tokens: Tokens) -> Kept:
    """Write down what the login server gave. Raises CommandFailed."""
    kept = Kept(server.url, server.ca, tokens.access, tokens.refresh, time.time() + tokens.seconds)
    with _locked(name_of(server.url)) as path:
        _write(path, kept)
    return kept


def find(name: str) -> Kept | None:
    """What is kept under a name. Raises CommandFailed."""
    try:
        return Kept(**json.loads((_folder() / f"{name}.json").read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise CommandFailed(f"{_folder() / name}.json cannot be read: {error}") from None


def names() -> list[str]:
    """All there are."""
    return sorted(path.stem for path in _folder().glob("*.json"))


def forget(name: str) -> None:
    """Harmless when there is none."""
    with _locked(name) as path:
        path.unlink(missing_ok=True)


def current(name: str) -> Kept:
    """With an access token that is good for a while: renewed when it is about to end. Raises CommandFailed."""
    kept = _need(name)
    if not _is_ending(kept):
        return kept
    with _locked(name) as path:
        kept = _need(name)  # another one may have renewed it meanwhile
        if _is_ending(kept):
            kept = _renewed(kept)
            _write(path, kept)
    return kept


def _need(name: str) -> Kept:
    kept = find(name)
    if kept is None:
        raise CommandFailed("signed out: sign in with `skerry login`")
    return kept


def _is_ending(kept: Kept) -> bool:
    return time.time() > kept.expires - _EARLY


def _renewed(kept: Kept) -> Kept:
    tokens = Server(kept.url, kept.ca).token("refresh_token", refresh_token=kept.refresh)
    return replace(kept, access=tokens.access, refresh=tokens.refresh, expires=time.time() + tokens.seconds)


@contextmanager
def _locked(name: str) -> Iterator[Path]:
    """The file of a name, nobody else's meanwhile. Raises CommandFailed."""
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written to: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / f"{name}.json"
    finally:
        os.close(lock)


def _write(path: Path, kept: Kept) -> None:
    content = {"url": kept.url, "ca": kept.ca, "access": kept.access, "refresh": kept.refresh, "expires": kept.expires}
    write_private(path, json.dumps(content, indent=2) + "\n")


def write_private(path: Path, content: str) -> None:
    """Replace a file at once; only its owner may read it. Raises CommandFailed."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(content)
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from None


def _folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "skerry" / "sessions"
