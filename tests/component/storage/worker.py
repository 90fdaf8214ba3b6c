"""A process that does to local volumes all that is done to them, and says so, until it is killed.

`python -m tests.component.storage.worker DIRECTORY`: names of what it begins are printed, a line each.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from skerry.engine.storage.contract import VolumeSource
from tests.component.storage.local import MIB, Local

NAMES = ("one", "two")


async def main(directory: Path) -> None:
    """A round takes a volume from nothing to nothing, with a snapshot and a clone on the way."""
    local = Local(directory)
    for number in itertools.count():
        await life(local, NAMES[number % len(NAMES)], number)


async def life(local: Local, name: str, number: int) -> None:
    """One volume's, wherever the last one ended: every call finds work done or half done."""
    say(f"create {name}")
    if name not in {one.handle for one in await local.driver.volumes()}:
        await local.create(name, 20 * MIB)
    say(f"mount {name}")
    point = await local.mounted(name)
    with (point / "log").open("a") as log:
        log.write(f"{number}\n")
        log.flush()
        os.fsync(log.fileno())
    say(f"snapshot {name}")
    await local.driver.snapshot(f"shot-{name}", name, {}, {})
    say(f"clone {name}")
    await local.create(f"clone-{name}", 32 * MIB, VolumeSource(snapshot=f"shot-{name}"))
    say(f"expand {name}")
    await local.driver.expand(name, 30 * MIB, {})
    for one in (name, f"clone-{name}"):
        say(f"unmount {one}")
        await local.unmounted(one)
        say(f"delete {one}")
        await local.driver.delete(one, {})
    await local.driver.delete_snapshot(f"shot-{name}", {})


def say(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
