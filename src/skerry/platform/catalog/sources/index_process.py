"""`python -m ... [CHART...]`: an index.yaml on standard input, what is needed of it as JSON on standard output.

A process of its own, with little memory and time: what somebody else's file makes of them is gone when it ends.
"""

from __future__ import annotations

import gc
import os
import resource
import sys

import orjson

from skerry.platform.catalog.sources.index import shortened
from skerry.platform.catalog.sources.source import SourceFailed

_MEMORY, _SECONDS = 3 << 30, 170


def main() -> int:
    """Returns the exit code."""
    os.nice(10)  # people's pages come first
    gc.disable()  # nothing becomes rubbish before the end, and looking for it takes half the time
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        found = shortened(sys.stdin.buffer.read(), sys.argv[1:])
    except (SourceFailed, MemoryError):
        return 1
    sys.stdout.buffer.write(orjson.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
