"""`open_store` opens a store of either kind with given limits; everything opened is closed afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from skerry.engine.store.contract import Store
from skerry.engine.store.limits import Limits
from skerry.engine.store.memory import MemoryStore
from skerry.engine.store.sqlite import SqliteStore

OpenStore = Callable[..., Awaitable[Store]]


@pytest.fixture(params=["memory", "sqlite"])
async def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenStore]:
    opened: list[Store] = []

    async def opener(**limits: int) -> Store:
        store: Store
        if request.param == "memory":
            store = MemoryStore(Limits(**limits))
        else:
            store = await SqliteStore.open(tmp_path / "store.db", Limits(**limits))
        opened.append(store)
        return store

    yield opener
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()
