"""Loop devices of an instance that is taken down: those over its volumes, and the one under their pool.

What is mounted from one frees it when the mount goes; devices that were volumes themselves are freed here. Both happen
when the last user is gone, so they are waited for: a copy of the data directory shall hold what was written.
"""

from __future__ import annotations

import time
from pathlib import Path

from skerry.engine import loop_devices

_SECONDS, _PAUSE = 10.0, 0.01


def release(data: Path) -> list[str]:
    """Free them all, and wait until they are. After the mount namespace is gone. Returns who stayed. Blocks."""
    for one in loop_devices.below(data):
        loop_devices.free(one.device)
    deadline = time.monotonic() + _SECONDS
    while (left := loop_devices.below(data)) and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return [f"{one.device} over {one.file} is in use" for one in left]
