"""Shares the server out among its clients: lists and writes need a seat, and users take turns for seats.

What is cheap (get, watch, discovery) never waits, nor do members of system:masters and the engine's own parts. A user
whose queue is full, or who has waited for too long, is told to come back (429 with Retry-After). A list's seat is held
until its answer is encoded, which is most of its work, but not while a client reads it: whoever is slow to read
keeps nobody waiting. A seat is free again in the loop's next turn: lists do not await anything, so this is what lets
others in between. Source of the idea: Kubernetes' API Priority and Fairness, without its configuration.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.request import Handler, Request, User
from skerry.engine.api.response import Listing, Response
from skerry.kube.errors import TooManyRequests

PATIENCE = 15.0
"""Seconds a request waits for a seat: a quarter of the time Kubernetes gives requests."""
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_OWN = "system:serviceaccount:kube-system:"
_EXEMPT_GROUPS = frozenset({MASTERS, "system:nodes"})


@dataclass
class Seats:
    """Seats for one sort of request. `per_user`: how many one user may have at once, so that some are left for others;
    `waiting`: how long a user's queue may get."""

    number: int
    per_user: int
    waiting: int
    _held: Counter[str] = field(default_factory=Counter)
    _queues: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)
    """Of users who wait; who is next in turn comes first."""

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._queues.values()))

    async def take(self, user: str) -> Callable[[], None]:
        """Wait for a seat; returns what gives it back (harmless twice). Raises TooManyRequests."""
        if user not in self._queues and self._available(user):
            self._held[user] += 1
        else:
            await self._wait(user)
        held, loop = [user], asyncio.get_running_loop()

        def leave() -> None:
            if held:
                loop.call_soon(self._leave, held.pop())

        return leave

    def _available(self, user: str) -> bool:
        return self._held[user] < self.per_user and self._held.total() < self.number

    async def _wait(self, user: str) -> None:
        queue = self._queues.setdefault(user, deque())
        if len(queue) >= self.waiting:
            raise _busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            async with asyncio.timeout(PATIENCE):
                await turn
        except BaseException as error:
            self._give_up(user, turn)
            if isinstance(error, TimeoutError):
                raise _busy() from error
            raise

    def _give_up(self, user: str, turn: asyncio.Future[None]) -> None:
        """A request stops waiting; it may have been given a seat in the same turn of the loop."""
        if turn.done() and not turn.cancelled():
            self._leave(user)
            return
        queue = self._queues.get(user, deque())
        if turn in queue:
            queue.remove(turn)
        if not queue:
            self._queues.pop(user, None)

    def _leave(self, user: str) -> None:
        self._held[user] -= 1
        if not self._held[user]:
            del self._held[user]
        self._seat_next()

    def _seat_next(self) -> None:
        """Give free seats to users in turn, each one request."""
        for user in list(self._queues):
            if self._available(user):
                queue = self._queues.pop(user)
                turn = queue.popleft()
                if queue:
                    self._queues[user] = queue  # at the end: the others come first
                if not turn.done():
                    self._held[user] += 1
                    turn.set_result(None)


class Fairness:
    """The seats of one server."""

    def __init__(self) -> None:
        self.lists = Seats(number=8, per_user=4, waiting=100)
        self.writes = Seats(number=256, per_user=128, waiting=400)

    @property
    def queued(self) -> int:
        """How many requests wait for a seat."""
        return self.lists.queued + self.writes.queued

    def wrap(self, handler: Handler) -> Handler:
        """The handler, for those who have a seat. Raises TooManyRequests."""

        async def handle(request: Request) -> Response:
            seats = self._for(request)
            if seats is None:
                return await handler(request)
            leave = request.leave = await seats.take(request.who.name)
            try:
                response = await handler(request)
            except BaseException:
                leave()
                raise
            if not isinstance(response, Listing):
                leave()
            return response

        return handle

    def _for(self, request: Request) -> Seats | None:
        """None: needs no seat, as nothing does that came from this process."""
        if request.read is None or request.target is None:
            return None
        if request.verb == "list":
            return None if exempt(request.who) else self.lists
        return self.writes if request.verb in _WRITES and not exempt(request.who) else None


def exempt(user: User) -> bool:
    """Whether a user is let through at once: administrators, nodes, and what keeps the cluster going."""
    if not _EXEMPT_GROUPS.isdisjoint(user.groups):
        return True
    name = user.name
    if name.startswith("system:serviceaccount:"):
        return name.startswith(_OWN)
    return name.startswith("system:") and name != "system:anonymous"


def _busy() -> TooManyRequests:
    return TooManyRequests("too many requests, please try again later", {"retryAfterSeconds": 1})
