"""A machine whose clock is somewhere else: a process of its own under libfaketime, moved by a file while it runs.

Everything in it goes by that clock, OpenSSL on both sides of a connection included, but for steady time. A scenario is
an async function of a test module that takes a `MachineTime`:

    run_scenario(two_years_pass)
"""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

_FILE = "FAKETIME_TIMESTAMP_FILE"
_SECONDS = 600.0


class MachineTime:
    """The clock of the process we are in."""

    def set(self, ahead: timedelta) -> None:
        """So much later than it really is."""
        file = Path(os.environ[_FILE])
        fresh = file.with_suffix(".new")
        fresh.write_text(f"{ahead.total_seconds():+.0f}s")
        fresh.replace(file)


def run_scenario(scenario: Callable[[MachineTime], Awaitable[None]]) -> None:
    """Run it in a process of its own. Raises AssertionError with what it wrote when it fails."""
    with TemporaryDirectory(prefix="skerry-time-") as folder:
        file = Path(folder, "time")
        file.write_text("+0s")
        environment = {
            **os.environ,
            "LD_PRELOAD": str(_library()),
            _FILE: str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        command = [sys.executable, "-m", __name__, scenario.__module__, scenario.__name__]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def _library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    assert found, "libfaketime is not installed: make setup"
    return found[0]


def main() -> None:
    """In the process: run the scenario."""
    from skerry.kube import event_loop

    module, name = sys.argv[1:]
    scenario = getattr(importlib.import_module(module), name)
    event_loop.run(_awaited(scenario(MachineTime())))


async def _awaited(scenario: Awaitable[None]) -> None:
    await scenario
    await asyncio.sleep(0)


if __name__ == "__main__":
    main()
