"""Programs that drivers start: found where `su` and cron do not look; what they say on failure is told."""

from __future__ import annotations

import os
import shutil
import subprocess

from skerry.engine.storage.contract import PATIENCE, StorageError

_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def search_path() -> str:
    """PATH with the system's own program directories."""
    return ":".join((os.environ.get("PATH", os.defpath), *_SYSTEM))


def find(name: str) -> str | None:
    """Where a program is, None when the machine has none."""
    return shutil.which(name, path=search_path())


def run(
    program: str,
    *arguments: str,
    package: str,
    accepted: tuple[int, ...] = (0,),
    limit: float = PATIENCE,
    inherited: tuple[int, ...] = (),
) -> int:
    """Run to its end, at most `limit` seconds; its exit code, one of `accepted`. From a thread: it blocks. Descriptors
    that are `inherited` stay open in the program, so that what they lock is locked when this process has died.

    Raises StorageError: FAILED_PRECONDITION without the program, INTERNAL with the last line it said.
    """
    if (path := find(program)) is None:
        raise StorageError("FAILED_PRECONDITION", f"{program} is missing on this machine: apt-get install {package}")
    environment = {"PATH": search_path(), "LC_ALL": "C"}
    try:
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, env=environment, timeout=limit, pass_fds=inherited,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise StorageError("DEADLINE_EXCEEDED", f"{program} did not end within {limit:.0f} s") from error
    if done.returncode not in accepted:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise StorageError("INTERNAL", f"{program} failed with code {done.returncode}: {said}")
    return done.returncode
