"""What is done about a failure of Helm: with a Helm that fails as it is told."""

from __future__ import annotations

from typing import Any, cast

import pytest

from skerry.kube.objects import Obj
from skerry.platform.releases.accounts import Account
from skerry.platform.releases.carrying import Carrier
from skerry.platform.releases.charts import Chart
from skerry.platform.releases.helm.program import Outcome, Running
from skerry.platform.releases.helm.storage import HelmRevision
from skerry.platform.releases.revising import Reviser
from skerry.platform.releases.telling import Teller
from skerry.platform.releases.types import ReleaseSpec
from skerry.platform.releases.wanted import Target, Wanted
from skerry.platform.releases.watching import Watch

RELEASE: Obj = {"metadata": {"name": "web", "namespace": "lidar", "uid": "1"}, "spec": {}}
TARGET = Target(RELEASE, ReleaseSpec.of({"chart": {"name": "web"}}), Account("lidar", "lidar", "lidar"))
WANTED = Wanted(Chart("web", "1.0.0", "lidar", "a", "d"), ())
OURS = HelmRevision(1, "failed", owner=("lidar", "web"))
THEIRS = HelmRevision(1, "deployed", owner=("lidar", "other"))


class Accounts:
    def acting(self, account: Account) -> None:
        del account


class Failing:
    """A carrier: `then` is what Helm keeps once it was tried."""

    accounts = Accounts()

    def __init__(self, complaint: str, then: HelmRevision) -> None:
        self._complaint, self._then = complaint, then
        self.kept: list[HelmRevision] = []
        self.uninstalled = False

    async def revisions(self, target: Target) -> list[HelmRevision]:
        del target
        return self.kept

    async def apply(self, target: Target, wanted: Wanted, running: Running) -> Outcome:
        del target, wanted, running
        self.kept = [self._then]
        return Outcome(1, complained=self._complaint)

    async def uninstall(self, target: Target, running: Running) -> Outcome:
        del target, running
        self.uninstalled = True
        return Outcome(0)


class Heard:
    """A teller."""

    def __init__(self) -> None:
        self.reasons: list[tuple[str, str]] = []

    async def progress(self, *said: Any) -> None: ...

    def event(self, *said: Any, warning: bool = False) -> None: ...

    async def unready(self, release: Obj, phase: str, reason: str, message: str, **fields: Any) -> None:
        del release, phase, fields
        self.reasons.append((reason, message))


async def tried(carrier: Failing, trouble: str = "") -> Heard:
    heard = Heard()
    reviser = Reviser(cast("Carrier", carrier), cast("Teller", heard), cast("Any", None))
    watch = Watch()
    watch.trouble = trouble

    class Watching:
        async def __aenter__(self) -> Watch:
            return watch

        async def __aexit__(self, *_: object) -> None: ...

    reviser._watching = lambda target, phase: Watching()  # type: ignore[method-assign]  # no pods are there to look at
    await reviser.apply(TARGET, WANTED, Running())
    return heard


async def test_what_others_installed_meanwhile_is_not_uninstalled() -> None:
    for there in (THEIRS, HelmRevision(1, "deployed")):
        carrier = Failing("Error: cannot reuse a name that is still in use", there)
        assert (await tried(carrier)).reasons == [("InstallFailed", "cannot reuse a name that is still in use")]
        assert not carrier.uninstalled
    carrier = Failing("Error: no", OURS)
    await tried(carrier)
    assert carrier.uninstalled


async def test_that_a_registry_does_not_answer_a_pod_is_a_failure() -> None:
    trouble = "pod web-1: image nowhere.example/a cannot be pulled: dial tcp: lookup nowhere.example: no such host"
    heard = await tried(Failing("Error: context deadline exceeded", OURS), trouble)
    assert heard.reasons == [("InstallFailed", f"{trouble}; context deadline exceeded (uninstalled again)")]
    with pytest.raises(ConnectionError):
        await tried(Failing("Error: Get https://10.0.0.1: dial tcp: connection refused", OURS))
