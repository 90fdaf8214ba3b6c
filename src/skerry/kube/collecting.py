"""The garbage collector of programs that keep much and run long: the engine, the platform.

Neighbours: who starts programs (`engine.program`, `platform.program`).
"""

from __future__ import annotations

import gc


def spare_collections() -> None:
    """Take what the start made (modules, first objects, caches) out of the collector's sight, and have it look again
    at what it has seen less often. To go through all of that takes it a tenth of a second, in which nobody is answered,
    and what is kept for every write brings the next time nearer. It looks at few new objects at a time: every eighth
    write waits half a millisecond, where with 5,000 every fortieth waited for more than two. What is never part of a
    circle goes as before. Called once, when ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(1000, 100, 20)
    gc.enable()
