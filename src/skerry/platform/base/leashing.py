"""Programs that the platform runs for people end with it, also when it is killed."""

from __future__ import annotations

import shutil
from functools import cache


@cache
def leash() -> tuple[str, ...]:
    """Before a command: it ends with us, and gets no more rights. Nothing where there is no setpriv."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--no-new-privs") if setpriv else ()
