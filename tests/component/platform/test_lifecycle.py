"""From a request to sleep and back, on a test cluster: decisions by right, one free project each, gentle ends."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Forbidden, Invalid
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    SECRETS,
)
from skerry.platform.projects.lifecycle.archiving.packing import part_secret
from skerry.platform.projects.lifecycle.controller import Lifecycle
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS, SLEEPS_BECAUSE, TIERS
from tests.support.cli import run
from tests.support.clock import SetClock
from tests.support.platform import RunningPlatform, running_platform
from tests.support.waiting import until

DAY = 24 * 3600
ADMISSION = "admissionregistration.k8s.io"
POLICIES = Resource(ADMISSION, "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False)
BINDINGS = Resource(
    ADMISSION, "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", namespaced=False
)
_LIMITS = {"limits": {"cpu": "100m", "memory": "64Mi"}}
_POD = {"spec": {"containers": [{"name": "c", "image": "x", "resources": _LIMITS}]}}
FREE = {"kind": "Project", "project": "lidar", "tier": "free", "reason": "maps"}


async def ask(client: HttpClient, name: str, **spec: Any) -> Obj:
    return await client.create(PROJECT_REQUESTS, {"metadata": {"name": name}, "spec": spec})


async def said(running: RunningPlatform, name: str) -> tuple[str, str]:
    """A request's phase and what its condition says, once it has one."""

    async def status() -> Obj:
        return (await running.admin.get(PROJECT_REQUESTS, name)).get("status") or {}

    async def is_said() -> bool:
        return (await status()).get("phase") is not None

    await until(is_said, f"{name} is looked at")
    found = await status()
    return found["phase"], found["conditions"][0]["message"]


async def allow(running: RunningPlatform, user: str, role: str, rules: list[Obj]) -> None:
    await running.admin.create(CLUSTER_ROLES, {"metadata": {"name": role}, "rules": rules})
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    await running.admin.create(
        CLUSTER_ROLE_BINDINGS, {"metadata": {"name": role}, "roleRef": ref, "subjects": [subject]}
    )


async def test_requests_are_made_in_ones_own_name_and_decided_by_right() -> None:
    async with running_platform() as running:
        anna, ben = running.as_user("anna"), running.as_user("ben")
        made = await ask(anna, "first", **FREE, requester="ben")
        assert made["spec"]["requester"] == "anna"
        assert await said(running, "first") == ("Approved", "")
        lidar = await running.admin.get(PROJECTS, "lidar")
        assert (lidar["spec"]["owner"], lidar["spec"]["tier"]) == ("anna", "free")
        await ask(anna, "second", **{**FREE, "project": "sonar"})
        assert await said(running, "second") == ("Pending", "an operator has to decide")
        await _cannot_be_asked_for(ben)
        await _are_read_and_decided_by_right(running)
        await _are_carried_out(running)


async def _cannot_be_asked_for(ben: HttpClient) -> None:
    with pytest.raises(Forbidden, match="there is a project lidar already"):
        await ask(ben, "third", **FREE)
    with pytest.raises(Forbidden, match="there is no tier gold: there are free, guaranteed"):
        await ask(ben, "third", kind="Project", project="gold", tier="gold")
    with pytest.raises(Forbidden, match="ben owns no project lidar: its owners ask for more"):
        await ask(ben, "third", kind="Quota", project="lidar", quota={"pods": 100})
    with pytest.raises(Forbidden, match="a request is decided after it was made"):
        await ask(ben, "third", kind="Project", project="x", decision="Approved")
    with pytest.raises(Invalid, match="names of the cluster itself"):
        await ask(ben, "third", kind="Project", project="kube-system")
    with pytest.raises(Invalid, match="a letter first"):
        await ask(ben, "third", kind="Project", project="2lidar")


async def _are_read_and_decided_by_right(running: RunningPlatform) -> None:
    anna, ben, eve = (running.as_user(name) for name in ("anna", "ben", "eve"))

    async def anna_sees() -> bool:
        return bool((await anna.get(PROJECT_REQUESTS, "second"))["spec"])

    await until(anna_sees)
    for wrong in (ben, eve):
        with pytest.raises(Forbidden):
            await wrong.get(PROJECT_REQUESTS, "second")
    with pytest.raises(Forbidden):
        await anna.patch(PROJECT_REQUESTS, "second", {"spec": {"decision": "Approved"}})

    # Who may write requests may not decide them yet: that is a right of its own.
    rule = {"apiGroups": ["skerry.dev"], "resources": ["projectrequests"], "verbs": ["get", "patch"]}
    await allow(running, "eve", "clerk", [rule])
    with pytest.raises(Forbidden, match="eve may not decide requests: that needs the verb approve"):
        await eve.patch(PROJECT_REQUESTS, "second", {"spec": {"decision": "Approved"}})
    await allow(running, "ben", "decider", [{**rule, "verbs": ["get", "patch", "approve"]}])
    with pytest.raises(Forbidden, match="say why in"):
        await ben.patch(PROJECT_REQUESTS, "second", {"spec": {"decision": "Denied"}})
    denied = {"spec": {"decision": "Denied", "answer": "one is enough", "decidedBy": "anna"}}
    assert (await ben.patch(PROJECT_REQUESTS, "second", denied))["spec"]["decidedBy"] == "ben"
    with pytest.raises(Forbidden, match="this request was decided: make a new one"):
        await ben.patch(PROJECT_REQUESTS, "second", {"spec": {"decision": "Approved"}})

    async def is_denied() -> bool:
        return await said(running, "second") == ("Denied", "one is enough")

    await until(is_denied)


async def _are_carried_out(running: RunningPlatform) -> None:
    anna, ben = running.as_user("anna"), running.as_user("ben")
    await ask(anna, "more", kind="Quota", project="lidar", quota={"requests.cpu": "8"}, reason="a campaign")
    await ben.patch(PROJECT_REQUESTS, "more", {"spec": {"decision": "Approved"}})

    async def is_granted() -> bool:
        project = await running.admin.get(PROJECTS, "lidar")
        last = (project["status"].get("history") or [{}])[-1]
        granted = project["spec"].get("overrides", {}).get("quota") == {"requests.cpu": "8"}
        return granted and (last.get("what"), last.get("by")) == ("more: quota granted to anna", "ben")

    await until(is_granted, "what was approved is granted, and on record")

    # What was approved and cannot be is told, also when the cluster says so only then.
    rule = {"apiGroups": ["skerry.dev"], "apiVersions": ["*"], "resources": ["projects"], "operations": ["UPDATE"]}
    await _refuse(running.admin, "frozen", rule, "!has(object.spec.overrides.quota.pods)", "not this year")
    await ask(anna, "pods", kind="Quota", project="lidar", quota={"pods": 7})
    await ben.patch(PROJECT_REQUESTS, "pods", {"spec": {"decision": "Approved"}})

    async def is_failed() -> bool:
        phase, message = await said(running, "pods")
        return phase == "Failed" and "not this year" in message

    await until(is_failed, "what was approved cannot be done")


async def _refuse(admin: HttpClient, name: str, rule: Obj, expression: str, message: str) -> None:
    """By a policy of the cluster's own."""
    spec = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": message}],
    }
    await admin.create(POLICIES, {"metadata": {"name": name}, "spec": spec})
    bound = {"policyName": name, "validationActions": ["Deny"]}
    await admin.create(BINDINGS, {"metadata": {"name": name}, "spec": bound})


class Lidar:
    """A project of that name, with a Deployment of two pods, and the time that passes for it."""

    def __init__(self, running: RunningPlatform, clock: SetClock) -> None:
        self.admin, self._clock = running.admin, clock

    async def begin(self) -> None:
        """Make it, and what runs in it."""
        loose = {"owner": "anna", "tier": "free", "overrides": {"podSecurity": "privileged"}}
        await self.admin.create(PROJECTS, {"metadata": {"name": "lidar"}, "spec": loose})
        await self.is_in("Active")
        await until(self._has_namespace)
        container = {"name": "c", "image": "x", "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}}}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        await self.admin.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec}, "lidar")
        await self.admin.create(CONFIG_MAPS, {"metadata": {"name": "kept"}, "data": {"a": "b"}}, "lidar")

    async def days_pass(self, days: float) -> None:
        self._clock.advance(days * DAY)
        metadata = {"annotations": {"looked-at": str(self._clock.now())}}  # delays go by the machine's time
        await self.admin.patch(PROJECTS, "lidar", {"metadata": metadata})

    async def is_in(self, phase: str) -> None:
        async def there() -> bool:
            return (await self.status()).get("phase") == phase

        await until(there, phase)

    async def status(self) -> Obj:
        return (await self.admin.get(PROJECTS, "lidar")).get("status") or {}

    async def history(self) -> list[Obj]:
        return (await self.status()).get("history") or []

    async def runs(self) -> tuple[int, int]:
        """Replicas that are wanted, and pods that are there."""
        deployment = await self.admin.get(DEPLOYMENTS, "web", "lidar")
        return deployment["spec"]["replicas"], len((await self.admin.list(PODS, "lidar")).items)

    async def is_awake(self) -> bool:
        return await self.runs() == (2, 2)

    async def sleeps(self) -> bool:
        return await self.runs() == (0, 0)

    async def _has_namespace(self) -> bool:
        return any(one["metadata"]["name"] == "lidar" for one in (await self.admin.list(NAMESPACES)).items)


async def test_a_project_ends_gently_and_comes_back() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        lidar = Lidar(running, clock)
        await lidar.begin()
        await until(lidar.is_awake)
        await lidar.days_pass(84)

        async def is_told() -> bool:
            return [one["what"][:22] for one in await lidar.history()] == ["made", "the project ends on 20"]

        await until(is_told, "told once, of the nearest")
        await lidar.days_pass(6)
        await lidar.is_in("Draining")
        assert await lidar.is_awake(), "what runs goes on for a while"
        await lidar.days_pass(1)
        await lidar.is_in("Hibernated")
        await until(lidar.sleeps, "nothing runs")
        assert (await running.admin.get(CONFIG_MAPS, "kept", "lidar"))["data"] == {"a": "b"}

        await ask(running.as_user("anna"), "longer", kind="Extension", project="lidar", days=30)
        await running.admin.patch(PROJECT_REQUESTS, "longer", {"spec": {"decision": "Approved"}})
        await lidar.is_in("Active")
        await until(lidar.is_awake, "as it was")
        await running.admin.patch(PROJECTS, "lidar", {"spec": {"state": "Hibernated"}})
        await until(lidar.sleeps, "asleep as asked")

        async def is_recorded() -> bool:
            history = await lidar.history()
            said = [(one["what"].partition(":")[0], one.get("by", "")) for one in history if one.get("by")]
            admin = history[0]["by"]
            return said == [("made", admin), ("longer", admin), ("state", admin)]

        await until(is_recorded, "each change and who made it")


async def test_a_project_that_nobody_uses_sleeps_until_somebody_wakes_it() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        admin = running.admin
        await admin.patch(TIERS, "free", {"spec": {"idle": {"afterHours": 2}}})
        lidar = Lidar(running, clock)
        await lidar.begin()
        await until(lidar.is_awake)

        async def measured(last: datetime) -> None:
            activity = {"last": rfc3339(last), "until": rfc3339(clock.now())}
            await admin.patch(PROJECTS, "lidar", {"status": {"activity": activity}}, subresource="status")

        began = clock.now()
        clock.advance(3 * 3600)
        await measured(began + timedelta(hours=1))
        await lidar.is_in("Hibernated")
        await until(lidar.sleeps, "nothing runs")
        last = (await lidar.history())[-1]["what"]
        assert last.startswith("Hibernated: its pods have used less than 20m CPU since")
        with pytest.raises(Forbidden, match="To wake it: skerry projects wake lidar"):
            await running.as_user("anna").create(PODS, {**_POD, "metadata": {"name": "x"}}, "lidar")

        await running.as_user("anna").patch(PROJECTS, "lidar", {"spec": {"state": "Active"}})
        await until(lidar.is_awake, "as it was")
        await measured(began + timedelta(hours=1))

        async def is_forgotten() -> bool:
            project = await admin.get(PROJECTS, "lidar")
            return SLEEPS_BECAUSE not in project["metadata"]["annotations"] and project["spec"]["state"] == "Active"

        await until(is_forgotten, "it stays awake: who woke it makes use of it")


async def test_a_project_that_stays_ended_is_archived_and_deleted_in_the_end() -> None:
    clock = SetClock()
    async with running_platform(clock=clock) as running:
        admin = running.admin
        await admin.patch(TIERS, "free", {"spec": {"archiveDays": 10, "purgeDays": 20}})
        lidar = Lidar(running, clock)
        await lidar.begin()
        await until(lidar.is_awake)
        await admin.create(SECRETS, {"metadata": {"name": "key"}, "stringData": {"a": "hidden"}}, "lidar")
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        await admin.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "data"}, "spec": claim}, "lidar")
        longer = part_secret(await admin.get(PROJECTS, "lidar"), 1, b"of an archiving that was cut short")
        await admin.create(SECRETS, longer)
        await running.as_user("anna").patch(PROJECTS, "lidar", {"spec": {"state": "Archived"}})
        await lidar.is_in("Archived")
        await until(lidar.sleeps, "nothing runs")
        assert await until_kept(lidar) == ["lidar/data (1Gi): it has no volume yet"]
        kept = await _exported(running)
        found = {(one["kind"], one["metadata"]["name"]) for one in kept["items"]}
        theirs = {("ConfigMap", "kept"), ("Secret", "key"), ("PersistentVolumeClaim", "data"), ("Deployment", "web")}
        assert found == {("Project", "lidar"), *theirs}
        with pytest.raises(Forbidden):
            await running.as_user("anna").list(SECRETS, "skerry-archives")

        await running.as_user("anna").patch(PROJECTS, "lidar", {"spec": {"state": "Active"}})
        await until(lidar.is_awake, "as it was")

        async def is_dropped() -> bool:
            parts = (await admin.list(SECRETS, "skerry-archives")).items
            return not parts and "archive" not in await lidar.status()

        await until(is_dropped, "what was kept is out of date")
        await lidar.days_pass(90)
        await lidar.is_in("Draining")
        await lidar.days_pass(1)
        await lidar.is_in("Hibernated")
        await lidar.days_pass(10)
        await lidar.is_in("Archived")
        await until_kept(lidar)
        await lidar.days_pass(13)

        async def is_told() -> bool:
            return any("is deleted on" in one["what"] for one in await lidar.history())

        await until(is_told, "in time")
        await lidar.days_pass(7)

        async def is_gone() -> bool:
            return not any(name_of(one) == "lidar" for one in (await admin.list(PROJECTS)).items)

        await until(is_gone, "with everything in it")
        assert {one["kind"] for one in (await _exported(running))["items"]} >= {"Project", "Secret"}


async def until_kept(lidar: Lidar) -> list[str]:
    """The volumes that the archive does not have, once there is one."""

    async def is_kept() -> bool:
        return "archive" in await lidar.status()

    await until(is_kept, "archived")
    volumes: list[str] = (await lidar.status())["archive"]["volumes"]
    return volumes


async def _exported(running: RunningPlatform) -> Any:
    return json.loads((await run(running.cluster.kubeconfig, "projects", "export", "lidar")).output)


async def test_a_project_of_which_nothing_changed_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its status says what the API completes it with, so that a look at it ends there."""
    writes, looked = list[str](), asyncio.Queue[str]()
    update, reconcile = HttpClient.update, Lifecycle.reconcile

    async def noting(self: HttpClient, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        writes.append(resource.plural)
        return await update(self, resource, obj, subresource)

    async def telling(self: Lifecycle, key: str) -> float | None:
        before = self._projects.get(key) or {"metadata": {}}
        again = await reconcile(self, key)
        looked.put_nowait((before["metadata"].get("labels") or {}).get("seen", ""))
        return again

    monkeypatch.setattr(HttpClient, "update", noting)
    monkeypatch.setattr(Lifecycle, "reconcile", telling)
    async with running_platform() as running:
        await running.admin.create(PROJECTS, {"metadata": {"name": "lidar"}, "spec": {"owner": "anna", "tier": "free"}})

        async def is_settled() -> bool:
            status = (await running.admin.get(PROJECTS, "lidar")).get("status") or {}
            return status.get("phase") == "Active" and bool(status.get("namespaces")) and bool(status.get("quota"))

        await until(is_settled, "the project is there")
        writes.clear()
        await running.admin.patch(PROJECTS, "lidar", {"metadata": {"labels": {"seen": "yes"}}})
        while await looked.get() != "yes":
            pass
        assert PROJECTS.plural not in writes
