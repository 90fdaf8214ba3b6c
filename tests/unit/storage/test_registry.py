"""Drivers by name: loaded when needed, closed when they were."""

from __future__ import annotations

from skerry.engine.storage.contract import Driver
from skerry.engine.storage.registry import Drivers


class Watchful(Driver):
    closed = False

    async def close(self) -> None:
        self.closed = True


async def test_built_in_drivers_are_loaded_by_their_names_only_and_closed_if_they_were() -> None:
    made: list[Watchful] = []

    def load() -> dict[str, Driver]:
        made.append(Watchful())
        return {"one.storage.skerry.dev": made[-1]}

    drivers = Drivers(load=load)
    assert drivers.get("csi.vendor.example") is None
    await drivers.close()
    assert not made, "closing loads nothing"
    assert drivers.get("one.storage.skerry.dev") is drivers.get("one.storage.skerry.dev") is made[0]
    await drivers.close()
    assert [one.closed for one in made] == [True]


async def test_a_driver_that_was_replaced_is_not_removed_by_its_predecessor() -> None:
    told: list[str] = []
    drivers, old, new = Drivers(), Driver(), Driver()
    drivers.on_change(told.append)
    drivers.add("csi.vendor.example", old)
    drivers.add("csi.vendor.example", new)
    drivers.remove("csi.vendor.example", old)
    assert drivers.get("csi.vendor.example") is new
    drivers.remove("csi.vendor.example", new)
    assert drivers.get("csi.vendor.example") is None
    assert told == ["csi.vendor.example"] * 3
