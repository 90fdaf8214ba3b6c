"""Run by test_crash: writes to the store given as an argument without end, printing every acknowledged write."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from skerry.engine.store.contract import Key
from skerry.engine.store.limits import Limits
from skerry.engine.store.sqlite import SqliteStore

from .helpers import body, key


async def write_for_ever(store: SqliteStore, number: int) -> None:
    while True:
        target: Key = key(f"{number}-{random.randrange(20)}")
        present = store.get(target)
        if present is None:
            verb, entry = "put", await store.create(target, body(size=random.randrange(2000)))
        elif random.random() < 0.3:
            verb, entry = "delete", await store.delete(target, body(), present.revision)
        else:
            verb, entry = "put", await store.update(target, body(size=random.randrange(2000)), present.revision)
        sys.stdout.write(f"{verb} {entry.revision} {target.name}\n")
        sys.stdout.flush()


async def main(path: Path) -> None:
    store = await SqliteStore.open(path, Limits(history_count=200, wal_bytes=1 << 18))
    await asyncio.gather(*(write_for_ever(store, number) for number in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
