"""Programs that the platform runs for people: they end with it, also when it is killed, and take no more than their
share, as charts may ask for endless templates.
"""

from __future__ import annotations

import contextlib
import resource
import shutil
from functools import cache

QUICK = {
    "GOGC": "400",  # percent: they live for half a second
    "LC_MESSAGES": "fr_FR.UTF-8",
}
"""Environment in which Helm starts sooner. Helm speaks English whatever it is told; but kubectl's code in it reads all
of kubectl's translations when it starts, and those of no language at all take a fifth of Helm's time, French next to
none."""
_MEMORY = 2 << 30  # bytes
_SECONDS_TO_SAY_SO = 5


@cache
def leash() -> tuple[str, ...]:
    """Before a command: it ends with us, and gets no more rights. Nothing where there is no setpriv."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--no-new-privs") if setpriv else ()


def bound(pid: int, cpu_seconds: int) -> None:
    """A process that has just begun: so much processor time, and a memory that no chart needs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + _SECONDS_TO_SAY_SO))
        resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
