"""Makes of a Release what it stands for: one at a time per release, several beside each other.

A list of steps; each compares what is wanted with what Helm keeps, so that nothing is done twice, also not after a
kill. Neighbours: `wanted` says what is to be, `carrying` does it, `telling` says how it went.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, split_key
from skerry.kube.resources import NODES
from skerry.platform.base.capability import Context
from skerry.platform.base.upstreams import Upstream, fetched_of, upstream_of
from skerry.platform.releases.accounts import Accounts
from skerry.platform.releases.carrying import Carrier
from skerry.platform.releases.charts import CATALOG_ENTRIES, Chart, Charts, chart_names
from skerry.platform.releases.crowds import Crowds
from skerry.platform.releases.helm.program import Helm, NoHelm, Running
from skerry.platform.releases.live import Live
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.revising import Reviser
from skerry.platform.releases.sources.charts import VERSION
from skerry.platform.releases.sources.reading import check_values, files_of
from skerry.platform.releases.sources.upstream import fetched_chart
from skerry.platform.releases.telling import Teller
from skerry.platform.releases.types import RELEASES, TEST, ReleaseSpec
from skerry.platform.releases.values import LOOK_AGAIN, values_of
from skerry.platform.releases.wanted import Target, Wanted, attempt, digest_of

FINALIZER = "skerry.dev/release"
_BY_CHART, _BY_NAME = "by chart", "by name"
_SECONDS_FOR_RIGHTS = 5.0
"""A project's rights are being given to its account."""


class ReleaseController(Controller):
    """One release at a time."""

    name = "releases"
    workers = 32  # they wait for pods most of the time

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._releases = context.informers.of(RELEASES)
        self._releases.add_index(_BY_CHART, _chart_of)
        self._releases.add_index(_BY_NAME, lambda one: [name_of(one)])
        self._entries = context.informers.of(CATALOG_ENTRIES)
        self._accounts = Accounts(context)
        self._helm = Helm()
        self._charts = Charts(self._entries)
        self._teller = Teller(context, self._releases)
        carrier = Carrier(helm=self._helm, accounts=self._accounts, charts=self._charts)
        self._reviser = Reviser(carrier, self._teller, context.informers.of(NODES))
        self._crowds = Crowds(self.queue.add)
        self._running: dict[str, tuple[Running, Obj]] = {}
        self._at_work: dict[tuple[str, str], str] = {}
        """By namespace and Helm's name, for which Release something is done: one at a time, or it took another's."""
        self._changed: set[str] = set()
        """Releases of whose objects others may have changed something."""
        self._live = Live(context, self._look_for_drift)
        self._releases.add_handler(self._interrupt)
        self.watch(self._releases)
        self.watch(self._entries, self._wanting)

    def start(self) -> None:
        """Start the workers, and follow what releases made."""
        self._live.start()
        super().start()

    async def close(self) -> None:
        """Stop; what Helm is doing is interrupted, and taken up at the next start."""
        await super().close()
        await self._live.close()
        self._helm.close()

    async def reconcile(self, key: str) -> float | None:
        """Bring one release about."""
        try:
            return await self._look_at(key)
        finally:
            self._crowds.looked_at(key)

    async def _look_at(self, key: str) -> float | None:
        namespace, name = split_key(key)
        release = self._releases.get(name, namespace)
        if release is None:
            self._changed.discard(key)
            return None
        if FINALIZER not in (release["metadata"].get("finalizers") or ()):
            if not is_deleting(release):
                await self._hold(release)
            return None
        try:
            return await (self._end(release) if is_deleting(release) else self._bring_about(release))
        except Unready as problem:
            await self._teller.unready(release, problem.phase, problem.reason, problem.message)
            return problem.again
        except Forbidden as error:
            self._accounts.doubt(self._accounts.of(_place_of(release)))
            await self._teller.unready(release, "Pending", "Forbidden", error.message)
            return _SECONDS_FOR_RIGHTS
        except NoHelm as error:
            await self._teller.unready(release, "Failed", "HelmMissing", str(error))
            return LOOK_AGAIN

    async def _hold(self, release: Obj) -> None:
        """So that its deletion waits for Helm. The change leads back here."""
        metadata = release["metadata"]
        held = {**metadata, "finalizers": [*(metadata.get("finalizers") or ()), FINALIZER]}
        await self._client.update(RELEASES, {**release, "metadata": held})

    async def _bring_about(self, release: Obj) -> float | None:
        target = self._target(release)
        await self._accounts.make(target.account)
        spec = target.spec
        if spec.suspended:
            raise Unready("Suspended", "nothing is done until spec.suspended is taken out", phase="Suspended")
        if spec.stopped or _phase(release) == "Stopped":
            await self._rest(target)
        if not spec.stopped:
            await self._make_so(target)
        return LOOK_AGAIN if spec.values_from or (spec.source and spec.source.config_map) else None

    async def _rest(self, target: Target) -> None:
        """Stop it, or start it again."""
        if not target.spec.stopped:
            await self._reviser.start(target)
        elif _phase(target.release) != "Stopped":
            await self._reviser.stop(target)

    async def _make_so(self, target: Target) -> None:
        """The revision that is wanted, then its tests, then nothing else than that."""
        key, release = key_of(target.release), target.release
        back = target.spec.rollback_to
        wanted = await self._wanted(target) if back is None else None
        digest = wanted.digest if wanted else digest_of(["rollback", back])
        if not is_settled(release, digest, target):
            if wanted:
                await self._in_turn(target, lambda running: self._reviser.apply(target, wanted, running))
            else:
                await self._in_turn(target, lambda running: self._reviser.roll_back(target, digest, running))
        elif is_untested(release, target.spec):
            await self._in_turn(target, lambda running: self._reviser.test(target, running))
        elif _phase(release) == "Deployed" and (key in self._changed or is_to_be_corrected(release, target.spec)):
            self._changed.discard(key)
            if target.spec.drift != "Ignore":
                await self._reviser.drift(target)

    async def _in_turn(self, target: Target, do: Callable[[Running], Awaitable[None]]) -> None:
        """Do something by Helm, unless too much of this project is under way: then it is its turn later. Nor while the
        cache does not show what was done before: a change that failed would be tried again. It leads back here."""
        key, crowd, place = key_of(target.release), target.account.name, (target.namespace, target.name)
        if place in self._at_work:
            other = self._at_work[place]
            raise Unready("NameTaken", f"release {place[1]} in {place[0]} is worked on for Release {other}", again=5.0)
        if not self._crowds.enter(crowd, key):
            return
        running = Running()
        self._running[key], self._at_work[place] = (running, target.release), key
        try:
            if await self._is_newest(target.release):
                await do(running)
        finally:
            del self._running[key], self._at_work[place]
            self._crowds.leave(crowd)

    async def _is_newest(self, release: Obj) -> bool:
        """Whether the API has nothing newer than the cache."""
        try:
            fresh = await self._client.get(RELEASES, name_of(release), namespace_of(release))
        except NotFound:
            return False
        return bool(fresh["metadata"]["resourceVersion"] == release["metadata"]["resourceVersion"])

    async def _end(self, release: Obj) -> float | None:
        """Uninstall, then let it go. Where its namespace goes, everything goes anyway."""
        if not self._accounts.is_going(_place_of(release)) and not await self._is_uninstalled(release):
            return None
        metadata = release["metadata"]
        rest = [one for one in metadata["finalizers"] if one != FINALIZER]
        fresh = await self._client.get(RELEASES, name_of(release), namespace_of(release))
        await self._client.update(RELEASES, {**fresh, "metadata": {**fresh["metadata"], "finalizers": rest}})
        return None

    async def _is_uninstalled(self, release: Obj) -> bool:
        """Do it, when it is its turn. What is in another project's namespace, by now or by mistake, is not its own."""
        try:
            target = self._target(release)
        except Unready as refused:
            self._teller.event(release, refused.reason, f"nothing is uninstalled: {refused.message}", warning=True)
            return True
        gone = False
        await self._accounts.make(target.account)

        async def uninstall(running: Running) -> None:
            nonlocal gone
            gone = await self._reviser.uninstall(target, running)

        await self._in_turn(target, uninstall)
        return gone

    def _target(self, release: Obj) -> Target:
        """Where it goes. Raises Unready."""
        spec, home = ReleaseSpec.of(release["spec"]), namespace_of(release)
        own, there = self._accounts.of(home), self._accounts.of(spec.target_namespace or home)
        if there.namespace != home and (not own.project or there.project != own.project):
            whose = f"of project {own.project}" if own.project else "of no project"
            raise Unready(
                "TargetRefused",
                f"spec.targetNamespace {there.namespace} is not a namespace of the same project: {home} is {whose}",
                phase="Failed",
            )
        return Target(release, spec, there)

    async def _wanted(self, target: Target) -> Wanted:
        """Raises Unready, StatusError, OSError."""
        spec, home = target.spec, namespace_of(target.release)
        client = self._accounts.acting(self._accounts.of(home))
        if (upstream := upstream_of(target.release["spec"])) is not None:
            return await self._fetched(target, upstream, client)
        if spec.chart is None:
            files = await files_of(spec, client, home)
            chart = Chart(target.name, VERSION, home, "", "")
            return Wanted(chart, (), spec.source.type if spec.source else None, files)
        others = [one for one in self._accounts.namespaces_of(target.account.project) if one != home]
        chart = self._charts.find(spec.chart, [home, *others])
        return Wanted(chart, await values_of(spec, client, home))

    async def _fetched(self, target: Target, upstream: Upstream, client: Client) -> Wanted:
        """As `_wanted`, of what comes from upstream by itself."""
        release, spec = target.release, target.spec
        chart, revision = fetched_chart(release, upstream, target.name), str(fetched_of(release)["revision"])
        if upstream.content == "Chart":
            return Wanted(chart, await values_of(spec, client, namespace_of(release)), revision=revision)
        check_values(spec)
        return Wanted(chart, (), upstream.content, revision=revision)

    def _wanting(self, entry: Obj) -> Iterable[str]:
        """Releases that name a chart of this name."""
        return [key_of(one) for name in chart_names(entry) for one in self._releases.by_index(_BY_CHART, name)]

    def _look_for_drift(self, namespace: str, name: str) -> None:
        """Something that release `name` made in a namespace has changed."""
        for release in self._releases.by_index(_BY_NAME, name):
            if _place_of(release) == namespace:
                self._changed.add(key_of(release))
                self.queue.add(key_of(release))

    def _interrupt(self, delta: Delta) -> None:
        """What is being done for a release is not wanted any more."""
        if delta.new is None or key_of(delta.new) not in self._running:
            return
        running, begun = self._running[key_of(delta.new)]
        if _wish(delta.new) != _wish(begun) or (is_deleting(delta.new) and not is_deleting(begun)):
            running.interrupt()


def is_settled(release: Obj, digest: str, target: Target) -> bool:
    """Whether this was tried already, and nobody asks for another try."""
    status = release.get("status") or {}
    attempted, phase = str(status.get("attempted", "")), status.get("phase")
    if phase == "Deployed":
        return attempted.partition(":")[0] == digest
    return phase == "Failed" and attempted == attempt(digest, target)


def _chart_of(release: Obj) -> Sequence[str]:
    name = (release["spec"].get("chart") or {}).get("name")
    return [name] if name else []


def _place_of(release: Obj) -> str:
    return str(release["spec"].get("targetNamespace") or namespace_of(release))


def _wish(release: Obj) -> tuple[int, str]:
    """Another one when something else is wanted: by people, or by upstream."""
    return int(release["metadata"].get("generation", 1)), str(fetched_of(release).get("digest", ""))


def is_untested(release: Obj, spec: ReleaseSpec) -> bool:
    """Whether the chart's tests are to be run on what runs."""
    status = release.get("status") or {}
    tested = status.get("tested") or {}
    if status.get("phase") != "Deployed":
        return False
    asked = annotations_of(release).get(TEST, "")
    return bool(asked and tested.get("asked") != asked) or (
        spec.test and tested.get("revision") != status.get("revision")
    )


def is_to_be_corrected(release: Obj, spec: ReleaseSpec) -> bool:
    """Whether what was only shown until now is to be put right."""
    return spec.drift == "Correct" and bool((release.get("status") or {}).get("drift"))


def _phase(release: Obj) -> str:
    return str((release.get("status") or {}).get("phase", ""))
