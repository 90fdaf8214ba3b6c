"""Seats: who waits, whose turn is next, who is sent away, who needs none."""

from __future__ import annotations

import asyncio

import pytest

from skerry.engine.api import fairness
from skerry.engine.api.fairness import Seats, exempt
from skerry.engine.api.request import User
from skerry.kube.errors import TooManyRequests
from tests.support.waiting import LIMIT


async def turns(seats: Seats, users: str) -> list[str]:
    """In which order requests of these users, made in the order given, get their seats."""
    order: list[str] = []

    async def one(user: str) -> None:
        leave = await seats.take(user)
        order.append(user)
        await asyncio.sleep(0)
        leave()

    await asyncio.gather(*(one(user) for user in users))
    return order


async def test_users_take_turns_however_many_requests_one_has() -> None:
    order = await turns(Seats(1, 1, 100), "aaaaaaaabb")
    assert "".join(order) == "aababaaaaa"


async def test_one_user_leaves_seats_for_others() -> None:
    seats = Seats(number=4, per_user=2, waiting=10)
    for _ in range(2):
        await seats.take("greedy")
    waiting = asyncio.create_task(seats.take("greedy"))
    await asyncio.sleep(0)
    assert seats.queued == 1
    await asyncio.wait_for(seats.take("other"), LIMIT)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert seats.queued == 0


async def test_a_full_queue_sends_away_its_own_user_only() -> None:
    seats = Seats(number=2, per_user=1, waiting=1)
    leave = await seats.take("greedy")
    waiting = asyncio.create_task(seats.take("greedy"))
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as refused:
        await seats.take("greedy")
    assert refused.value.details == {"retryAfterSeconds": 1}
    (await seats.take("other"))()
    leave()
    leave()
    (await waiting)()
    assert await turns(seats, "xyz") == ["x", "y", "z"], "all seats are free again"


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fairness, "PATIENCE", 0.01)
    seats = Seats(1, 1, 1)
    leave = await seats.take("a")
    with pytest.raises(TooManyRequests):
        await seats.take("a")
    leave()
    assert await turns(seats, "ab") == ["a", "b"]


async def test_who_is_cancelled_with_a_seat_in_hand_gives_it_back() -> None:
    seats = Seats(1, 1, 10)
    leave = await seats.take("a")
    waiting = asyncio.create_task(seats.take("b"))
    await asyncio.sleep(0)
    leave()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await turns(seats, "c") == ["c"]


@pytest.mark.parametrize(
    ("name", "groups", "free"),
    [
        ("admin", ("system:masters",), True),
        ("system:node:one", ("system:nodes",), True),
        ("system:kube-scheduler", (), True),
        ("system:serviceaccount:kube-system:job-controller", (), True),
        ("system:serviceaccount:default:default", (), False),
        ("system:anonymous", ("system:unauthenticated",), False),
        ("anna", ("system:authenticated",), False),
    ],
)
def test_who_needs_no_seat(name: str, groups: tuple[str, ...], free: bool) -> None:
    assert exempt(User(name, groups)) is free
