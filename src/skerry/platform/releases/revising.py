"""One operation on one release, to what its status says: installed, upgraded, rolled back, taken away.

What a killed platform left half done is found in what Helm keeps, and mended first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, annotations_of, name_of, namespace_of
from skerry.kube.resources import SECRETS, SERVICES
from skerry.platform.base.status import Condition
from skerry.platform.releases import manifests
from skerry.platform.releases.carrying import Carrier
from skerry.platform.releases.helm.program import Outcome, Running
from skerry.platform.releases.helm.storage import PENDING, HelmRevision, given_up
from skerry.platform.releases.helm.storage import running as running_of
from skerry.platform.releases.live import correct, drifted
from skerry.platform.releases.logs import logs_of_tests
from skerry.platform.releases.looking import REFUSED
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.stopping import STOPPABLE, started, stopped
from skerry.platform.releases.telling import Teller, facts_of, history_of
from skerry.platform.releases.types import TEST, Phase
from skerry.platform.releases.urls import address_of, has_node_ports, node_port_urls, urls_of
from skerry.platform.releases.wanted import Target, Wanted, attempt
from skerry.platform.releases.watching import Watch, watching
from skerry.platform.releases.words import complaint, is_of_the_cluster

_LOG = 4000
"""Characters of a test's log."""
_MOST_DRIFT = 50


class Reviser:
    """Works for one release at a time, for several beside each other."""

    def __init__(self, carrier: Carrier, teller: Teller, nodes: Informer) -> None:
        self._carrier, self._teller, self._nodes = carrier, teller, nodes

    async def apply(self, target: Target, wanted: Wanted, running: Running) -> None:
        """Install or upgrade. Raises Unready, NoHelm, StatusError, OSError."""
        before = await self._mended(target)
        if not (before and before[0].status == "deployed" and before[0].digest == wanted.digest):
            phase: Phase = "Upgrading" if any(one.status == "deployed" for one in before) else "Installing"
            chart = f"{wanted.chart.name} {wanted.chart.version}"
            await self._teller.progress(target.release, phase, f"{chart}: being applied")
            async with self._watching(target, phase) as watch:
                outcome = await self._carrier.apply(target, wanted, running)
            if running.interrupted:
                return
            if outcome.code:
                await self._failed(target, wanted.digest, before, outcome, watch)
                return
        await self._deployed(target, wanted.digest)

    async def roll_back(self, target: Target, digest: str, running: Running) -> None:
        """Run an old revision again. Raises as `apply`."""
        revision, before = target.spec.rollback_to or 0, await self._mended(target)
        known = {one.revision for one in before}
        if revision not in known:
            has = ", ".join(map(str, sorted(known))) or "none"
            raise Unready("RevisionMissing", f"spec.rollbackTo: there is no revision {revision}; there are: {has}")
        if before[0].description != f"Rollback to {revision}" or before[0].status != "deployed":
            await self._teller.progress(target.release, "RollingBack", f"back to revision {revision}")
            async with self._watching(target, "RollingBack") as watch:
                outcome = await self._carrier.roll_back(target, revision, running, wait=target.spec.wait)
            if running.interrupted:
                return
            if outcome.code:
                await self._failed(target, digest, before, outcome, watch)
                return
        await self._deployed(target, digest)

    async def uninstall(self, target: Target, running: Running) -> bool:
        """Whether nothing of it is left; what others installed under its name is theirs. Raises as `apply`."""
        if all(one.owner != target.owner for one in await self._carrier.revisions(target)):
            return True
        await self._teller.progress(target.release, "Uninstalling", "being uninstalled")
        outcome = await self._carrier.uninstall(target, running)
        if outcome.code == 0:
            return True
        _raise_if_of_the_cluster(outcome)
        raise Unready("UninstallFailed", complaint(outcome.complained), phase="Uninstalling", again=10.0)

    async def test(self, target: Target, running: Running) -> None:
        """Run the chart's tests on what runs, and note what they say. Raises as `apply`."""
        revisions = await self._carrier.revisions(target)
        current = running_of(revisions)
        if current is None:
            return
        await self._teller.note(target.release, step="running the chart's tests")
        outcome = await self._carrier.test(target, running)
        if running.interrupted:
            return
        _raise_if_of_the_cluster(outcome)
        passed = outcome.code == 0
        tested: Obj = {"revision": current.revision, "passed": passed, "time": self._teller.now()}
        tested["asked"] = annotations_of(target.release).get(TEST, "")
        if not passed:
            logs = await logs_of_tests(current, self._carrier.accounts.acting(target.account), target.namespace)
            tested["message"] = f"{complaint(outcome.complained)}\n{logs[-_LOG:]}".strip()
        await self._teller.note(target.release, tested=tested, step="")
        said = "passed" if passed else f"failed: {complaint(outcome.complained)}"
        self._teller.event(target.release, "Tested", f"tests of revision {current.revision} {said}", warning=not passed)

    async def stop(self, target: Target) -> None:
        """Scale what runs to nothing. Raises StatusError, OSError."""
        changed = await self._scale(target, stopped)
        message = "scaled to zero, what it stores stays; changes wait until it is started: skerry releases start"
        await self._teller.tell(target.release, "Stopped", Condition("Ready", False, "Stopped", message), step="")
        if changed:
            self._teller.event(target.release, "Stopped", message)

    async def start(self, target: Target) -> None:
        """Scale it back. Raises StatusError, OSError."""
        if await self._scale(target, started):
            self._teller.event(target.release, "Started", "scaled to what it was")

    async def drift(self, target: Target) -> None:
        """Say what others changed, or change it back. Raises StatusError, OSError."""
        current = running_of(await self._carrier.revisions(target))
        if current is None:
            await self._missed(target)
            return
        if current.status != "deployed":
            return
        client = self._carrier.accounts.acting(target.account)
        found = await drifted(manifests.read(current.manifest), client, target.namespace)
        if found and target.spec.drift == "Correct":
            await correct(found, client, target.namespace)
            fields = ", ".join(line for one in found for line in one.fields)
            self._teller.event(target.release, "DriftCorrected", fields)
            found = []
        await self._teller.note(target.release, drift=[line for one in found for line in one.fields][:_MOST_DRIFT])

    async def _missed(self, target: Target) -> None:
        """Somebody uninstalled it by helm: it is installed again, or that is shown."""
        if target.spec.drift == "Correct":
            await self._teller.note(target.release, attempted="", drift=[])
        else:
            await self._teller.note(target.release, drift=[f"release {target.name}: uninstalled by helm"])

    async def _scale(self, target: Target, patch_of: Callable[[Obj], Obj | None]) -> bool:
        """Whether anything was changed."""
        current = running_of(await self._carrier.revisions(target))
        client, changed = self._carrier.accounts.acting(target.account), False
        for one in manifests.read(current.manifest) if current else ():
            resource = STOPPABLE.get(str(one.get("kind")))
            if resource is None:
                continue
            with contextlib.suppress(NotFound):
                there = await client.get(resource, name_of(one), namespace_of(one) or target.namespace)
                if (patch := patch_of(there)) is not None:
                    await client.patch(resource, name_of(one), patch, namespace_of(there))
                    changed = True
        return changed

    def _watching(self, target: Target, phase: Phase) -> AbstractAsyncContextManager[Watch]:
        return watching(target, phase, self._carrier.accounts.acting(target.account), self._teller)

    async def _mended(self, target: Target) -> list[HelmRevision]:
        """What Helm keeps, with nothing half done. Raises Unready."""
        revisions = await self._carrier.revisions(target)
        if not revisions:
            return []
        latest = revisions[0]
        if latest.is_ours and latest.owner != target.owner:
            other = "/".join(latest.owner)
            raise Unready("NameTaken", f"release {target.name} in {target.namespace} is of Release {other}", again=30.0)
        if latest.status not in PENDING:
            return revisions
        if not latest.is_ours and not target.asked_again:
            raise Unready(
                "Locked",
                f"revision {latest.revision} is {latest.status}: somebody works on it with helm. If nobody does: "
                f"skerry releases recover {target.owner[1]} -n {target.owner[0]}",
                again=30.0,
            )
        client = self._carrier.accounts.acting(target.account)
        await client.update(SECRETS, given_up(latest))
        self._teller.event(target.release, "Recovered", f"revision {latest.revision} was left {latest.status}")
        return await self._carrier.revisions(target)

    async def _deployed(self, target: Target, digest: str) -> None:
        revisions = await self._carrier.revisions(target)
        latest = revisions[0]
        name = latest.chart.rpartition("-")
        message = f"revision {latest.revision}, {name[0]} {name[2]}"
        urls = await self._urls(target, manifests.read(latest.manifest))
        ready = Condition("Ready", True, "Deployed", message)
        await self._teller.tell(
            target.release,
            "Deployed",
            ready,
            **facts_of(latest, revisions),
            history=history_of(revisions),
            attempted=attempt(digest, target),
            url=urls[0] if urls else "",
            urls=urls,
            step="",
        )
        self._teller.event(target.release, "Deployed", message)

    async def _urls(self, target: Target, written: Sequence[Obj]) -> list[str]:
        client, services = self._carrier.accounts.acting(target.account), []
        for one in filter(has_node_ports, written):
            with contextlib.suppress(NotFound):
                services.append(await client.get(SERVICES, name_of(one), namespace_of(one) or target.namespace))
        return [*urls_of(written), *(node_port_urls(services, address_of(self._nodes.list())) if services else ())]

    async def _failed(
        self, target: Target, digest: str, before: Sequence[HelmRevision], outcome: Outcome, watch: Watch
    ) -> None:
        """Say why, and bring back what ran before. That a registry does not answer a pod is no fault of the cluster."""
        _raise_if_of_the_cluster(outcome)
        message = complaint(_explained(outcome, watch).complained)
        reason = "UpgradeFailed" if any(one.status == "deployed" for one in before) else "InstallFailed"
        if message.startswith(REFUSED):
            reason, message = "ManifestsRefused", message.removeprefix(REFUSED)
        message = await self._brought_back(target, before, message)
        revisions = await self._carrier.revisions(target)
        current = running_of(revisions)
        await self._teller.unready(
            target.release,
            "Failed",
            reason,
            message,
            **(facts_of(current, revisions) if current else {}),
            history=history_of(revisions),
            attempted=attempt(digest, target),
        )
        self._teller.event(target.release, reason, message, warning=True)

    async def _has_more(self, target: Target, before: Sequence[HelmRevision]) -> bool:
        """Whether anything of ours was applied that was not there before: what others installed meanwhile is theirs."""
        now = await self._carrier.revisions(target)
        is_new = bool(now) and [one.revision for one in now[:1]] != [one.revision for one in before[:1]]
        return is_new and now[0].owner == target.owner

    async def _brought_back(self, target: Target, before: Sequence[HelmRevision], message: str) -> str:
        """What is done about a failure, as `spec.onFailure` says; the message with it."""
        wish, working = target.spec.on_failure, next((one for one in before if one.status == "deployed"), None)
        if wish == "Keep" or not await self._has_more(target, before):
            return message
        if working is None or wish == "Uninstall":
            outcome = await self._carrier.uninstall(target, Running())
            return f"{message} (uninstalled again)" if not outcome.code else _and_then(message, "uninstalling", outcome)
        outcome = await self._carrier.roll_back(target, working.revision, Running(), wait=False)
        if outcome.code:
            return _and_then(message, "rolling back", outcome)
        return f"{message} (revision {working.revision} runs again)"


def _and_then(message: str, what: str, outcome: Outcome) -> str:
    return f"{message}; {what} failed as well: {complaint(outcome.complained)}"


def _raise_if_of_the_cluster(outcome: Outcome) -> None:
    if is_of_the_cluster(outcome.complained):
        raise ConnectionError(complaint(outcome.complained))


def _explained(outcome: Outcome, watch: Watch) -> Outcome:
    """With what was wrong with its pods: that Helm waited too long says little."""
    if not watch.trouble:
        return outcome
    return replace(outcome, complained=f"Error: {watch.trouble}; {complaint(outcome.complained)}")
