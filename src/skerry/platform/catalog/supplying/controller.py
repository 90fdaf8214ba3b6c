"""Looks at what Releases take from upstream: once, every few minutes, and whenever somebody asks.

It says what it found in `status.source` and the condition `Fetched`, and touches nothing else of a Release. What was
fetched stays when upstream has gone; only a Release that means something else lets it go. Invariants: what
`status.source.archive` names is there before it is named, and its digest is said beside it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_of, conditions_of
from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, namespace_of, split_key
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, status_of
from skerry.platform.base.upstreams import FETCHED, REFRESH, Upstream, fetched_of, upstream_of
from skerry.platform.catalog.keeping.there import There
from skerry.platform.catalog.keeping.uses import RELEASES
from skerry.platform.catalog.retrying import Retries
from skerry.platform.catalog.sources.source import SourceFailed
from skerry.platform.catalog.supplying.bundles import LABEL, drop, keep
from skerry.platform.catalog.supplying.due import seconds_between, seconds_left
from skerry.platform.catalog.supplying.getting import Got, get

_LONGEST = 300.0
"""Seconds for one upstream: there are few workers, and it may be as slow as it likes."""
_TRIES = 5
_LONGEST_MESSAGE = 2000


class SupplyController(Controller):
    """One Release at a time."""

    name = "release upstreams"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._clock = context.client, context.clock
        self._events = context.recorder.named("releases")
        self._retries = Retries(context.clock)
        self._releases = context.informers.of(RELEASES)
        self._there = There(context.client, self._gone, LABEL)
        self.watch(self._releases)

    def start(self) -> None:
        """Start the workers, and follow what was fetched."""
        self._there.start()
        super().start()

    async def close(self) -> None:
        """Stop."""
        await super().close()
        await self._there.close()

    async def reconcile(self, key: str) -> float | None:
        """Look at the upstream of one Release if it is time to. Returns seconds until it is."""
        namespace, name = split_key(key)
        release = self._releases.get(name, namespace)
        if release is None or is_deleting(release) or release["spec"].get("suspended"):
            self._retries.forget(key)
            return None
        upstream = upstream_of(release["spec"])
        if upstream is None:
            self._retries.forget(key)
            await self._let_go(release)
            return None
        about = (upstream.key, annotations_of(release).get(REFRESH, ""))
        is_there = await self._is_there(release, upstream)
        wait = self._retries.wait(key, about)
        if not wait and is_there:
            left = seconds_left(release, upstream, self._clock.now())
            if left is None or left > 0:
                return left
        return wait or await self._look(key, release, upstream, about, is_there=is_there)

    async def _is_there(self, release: Obj, upstream: Upstream) -> bool:
        """Whether what was fetched for exactly this is where its status says."""
        fetched = fetched_of(release)
        archive = fetched.get("archive", "")
        if not archive or fetched.get("key") != upstream.key:
            return False
        return not await self._there.missing({archive}, namespace_of(release))

    async def _look(
        self, key: str, release: Obj, upstream: Upstream, about: tuple[str, str], *, is_there: bool
    ) -> float | None:
        fetched = fetched_of(release)
        noted = {"tried": upstream.key, "asked": about[1], "looked": rfc3339(self._clock.now())}
        try:
            got = await self._got(release, upstream, str(fetched.get("revision", "")) if is_there else "")
        except SourceFailed as failed:
            told = Condition(FETCHED, False, failed.reason, str(failed)[:_LONGEST_MESSAGE])
            await self._tell(release, told, {**fetched, **noted})
            return self._retries.failed(key, about, max(60.0, seconds_between(release)))
        self._retries.forget(key)
        if got is not None:
            noted |= {"key": upstream.key, "archive": await keep(self._client, release, got), **_facts(got)}
        now = {**fetched, **noted}
        await self._tell(release, Condition(FETCHED, True, FETCHED, str(now["revision"])), now)
        if fetched.get("archive") and fetched["archive"] != now["archive"]:
            await drop(self._client, fetched["archive"], namespace_of(release))
        return None if upstream.is_fixed else seconds_between(release)

    async def _got(self, release: Obj, upstream: Upstream, known: str) -> Got | None:
        """Raises SourceFailed."""
        try:
            async with asyncio.timeout(_LONGEST):
                return await get(self._client, namespace_of(release), upstream, known)
        except TimeoutError:
            raise SourceFailed("NoAnswer", f"{upstream.url} takes longer than {_LONGEST:g} seconds") from None

    async def _let_go(self, release: Obj) -> None:
        """It comes from elsewhere by now, or always did."""
        fetched = fetched_of(release)
        if not fetched:
            return
        rest = {name: value for name, value in release["status"].items() if name != "source"}
        rest["conditions"] = [one for one in conditions_of(release) if one["type"] != FETCHED]
        await self._client.update(RELEASES, {**release, "status": rest}, "status")
        if fetched.get("archive"):
            await drop(self._client, fetched["archive"], namespace_of(release))

    async def _tell(self, release: Obj, told: Condition, source: Obj) -> None:
        """Beside whatever others say of it. Raises StatusError, OSError."""
        before = condition_of(release, told.type) or {}
        if (before.get("reason"), before.get("message")) != (told.reason, told.message):
            self._events.event(release, "Normal" if told.is_true else "Warning", told.reason, told.message)
        with suppress(NotFound):
            for _ in range(_TRIES):
                with suppress(Conflict):
                    status = self._status(release, told, source)
                    await self._client.update(RELEASES, {**release, "status": status}, "status")
                    return
                release = await self._client.get(RELEASES, name_of(release), namespace_of(release))
            raise Conflict(f"others write the status of release {name_of(release)} all the time")

    def _status(self, release: Obj, told: Condition, source: Obj) -> Obj:
        """Which generation the rest of it is about is for those to say who write that."""
        wanted = status_of(release, (told,), {"source": source}, self._clock)
        seen = (release.get("status") or {}).get("observedGeneration")
        rest = {name: value for name, value in wanted.items() if name != "observedGeneration"}
        return {**rest, **({"observedGeneration": seen} if seen is not None else {})}

    def _gone(self, bundle: Obj) -> None:
        """Somebody deleted what was fetched, or we did."""
        for owner in bundle["metadata"].get("ownerReferences") or ():
            if owner.get("kind") == RELEASES.kind:
                self.queue.add(f"{namespace_of(bundle)}/{owner['name']}")


def _facts(got: Got) -> Obj:
    return {"revision": got.revision, "digest": got.digest, "name": got.name, "version": got.version}
