"""When a stream must end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from skerry.kube.errors import ServiceUnavailable
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj
from skerry.platform.identity.gateway import guard as module
from skerry.platform.identity.gateway.guard import Guard, Underway
from skerry.platform.identity.sessions.judging import Person
from tests.support.clock import SetClock
from tests.support.waiting import until

ANNA = Person("anna", ("team",), "s-1", "CommandLine")
LOG = {"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log"}}


class World:
    """A cluster that answers as it is told; sessions and informers of one person."""

    def __init__(self, answer: Callable[[], bool]) -> None:
        self.clock, self.asked, self.person = SetClock(), list[Obj](), ANNA
        self.handlers = list[Callable[[Delta], None]]()
        self._answer = answer
        informer = SimpleNamespace(add_handler=self.handlers.append)
        informers = SimpleNamespace(of=lambda _: informer)
        context: Any = SimpleNamespace(client=self, clock=self.clock, informers=informers)
        sessions: Any = SimpleNamespace(
            still=lambda _: self.person, of_user=lambda _: [{"metadata": {"name": ANNA.session}}]
        )
        self.guard = Guard(context, sessions)

    async def create(self, _: object, review: Obj) -> Obj:
        self.asked.append(review["spec"])
        return {"status": {"allowed": self._answer()}}

    def changed(self) -> None:
        """Of every kind, one object."""
        for handler in self.handlers:
            handler(Delta(None, {"metadata": {"name": ANNA.session}, "spec": {"username": "anna"}}))


async def test_what_is_allowed_goes_on_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.01)
    answers = iter([True, True, False])
    world = World(lambda: next(answers))
    why = await world.guard.ended(Underway(ANNA, LOG))
    assert why == "anna may not do this any more"
    assert len(world.asked) == 3
    assert world.asked[0]["groups"] == ["team", "system:authenticated"]
    assert world.asked[0]["extra"] == {"skerry.dev/session": ["s-1"]}
    assert world.asked[0]["resourceAttributes"] == LOG["resourceAttributes"]


async def test_changes_count_at_once_and_only_those_that_change_something() -> None:
    world = World(lambda: True)
    ended = asyncio.ensure_future(world.guard.ended(Underway(ANNA, LOG)))
    await until(lambda: world.guard._woken, "it waits")
    world.changed()
    for _ in range(5):
        await asyncio.sleep(0)
    assert world.asked == []
    world.person = Person("anna", (), "s-1", "CommandLine")
    world.changed()
    await until(lambda: world.asked, "asked as the person of now")
    assert world.asked[0]["groups"] == ["system:authenticated"]
    world.person = None  # type: ignore[assignment]
    world.changed()
    assert await ended == "the session is over"
    assert world.guard._woken == {}


async def test_nobody_goes_on_when_nobody_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.01)

    def fails() -> bool:
        world.clock.advance(11)
        raise ServiceUnavailable("no")

    world = World(fails)
    assert await world.guard.ended(Underway(ANNA, LOG)) == "whether it is still allowed could not be asked"
    assert len(world.asked) == 3
