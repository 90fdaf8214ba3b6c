"""How far a project is on its way down, what its people are told, and what sleep does to workloads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.kube.resources import CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS
from skerry.platform.projects.lifecycle.deciding import approves_itself, longer, more, new_project
from skerry.platform.projects.lifecycle.idling import idle_for
from skerry.platform.projects.lifecycle.landing import Landing, landing_of
from skerry.platform.projects.lifecycle.sleeping import AWAKE, asleep, awake
from skerry.platform.projects.types import SLEEPS_BECAUSE, ProjectRequestSpec, ProjectSpec, TierSpec

BORN = datetime(2026, 1, 1, tzinfo=UTC)
END = BORN + timedelta(days=90)
FREE = TierSpec.of({"lifetimeDays": 90, "drainHours": 24, "approval": "Automatic"})


def landing(
    now: datetime, since: datetime | None = None, *, cpu: float = 0, limit: float = 500, **spec: Any
) -> Landing:
    """The status has not heard yet of a limit other than 500."""
    budgets = {"cpuHours": {"used": cpu, "limit": 500}}
    spec["overrides"] = {"budgets": {"cpuHours": limit}}
    project: Obj = {"metadata": {"creationTimestamp": rfc3339(BORN)}, "status": {"budgets": budgets}}
    return landing_of(project, ProjectSpec.of({"owner": "anna", **spec}), FREE, since, now)


@pytest.mark.parametrize(
    ("now", "since", "phase"),
    [
        (BORN, None, "Active"),
        (END - timedelta(seconds=1), None, "Active"),
        (END, None, "Draining"),
        (END + timedelta(hours=23), END, "Draining"),
        (END + timedelta(hours=24), END, "Hibernated"),
    ],
)
def test_a_project_ends_gently(now: datetime, since: datetime | None, phase: str) -> None:
    found = landing(now, since)
    assert (found.phase, found.expires) == (phase, END)
    if phase != "Active":
        assert "the project ended on 2026-04-01" in found.message
        assert "skerry requests create" in found.message


def test_people_are_told_in_time_and_of_each_thing_by_a_mark_of_its_own() -> None:
    assert landing(END - timedelta(days=15)).warnings == ()
    marks = [[one.mark for one in landing(END - timedelta(days=days)).warnings] for days in (14, 13, 7, 1)]
    assert marks[0] == marks[1] == ["14d before 2026-04-01T00:00Z"]
    assert [one[0].partition(" ")[0] for one in marks[2:]] == ["7d", "1d"]
    (seventy_five,) = landing(BORN, cpu=375).warnings
    assert seventy_five.message == "375 of 500 CPU-hours are used (75 %)"
    assert [one.mark for one in landing(BORN, cpu=450).warnings] == ["90% of 500 cpuHours"]
    later = landing(END - timedelta(days=1), expires=rfc3339(END + timedelta(days=30)))
    assert (later.warnings, later.phase) == ((), "Active")


def test_a_budget_that_is_used_up_is_an_end_and_more_of_it_is_none() -> None:
    over = landing(BORN, cpu=500)
    assert (over.phase, over.again) == ("Draining", 24 * 3600)
    assert over.message.startswith("its 500 CPU-hours are used up: nothing new starts")
    assert landing(BORN, BORN, cpu=500, limit=800).phase == "Active"


def test_sleep_that_was_asked_for_needs_no_draining() -> None:
    assert landing(BORN, state="Hibernated").phase == "Hibernated"


@given(st.integers(0, 200 * 24), st.none() | st.integers(0, 100))
def test_time_alone_changes_nothing_before_it_is_said_to(hours: int, since: int | None) -> None:
    now = BORN + timedelta(hours=hours)
    draining = None if since is None or now < END else min(END + timedelta(hours=since), now)
    found = landing(now, draining)
    if found.again is not None:
        before = landing(
            now + timedelta(seconds=found.again - 1), draining or (now if found.phase == "Draining" else None)
        )
        assert (before.phase, [one.mark for one in before.warnings]) == (
            found.phase,
            [one.mark for one in found.warnings],
        )


@pytest.mark.parametrize(
    ("resource", "spec", "changed"),
    [
        (DEPLOYMENTS, {"replicas": 3}, {"replicas": 0}),
        (CRON_JOBS, {}, {"suspend": True}),
        (JOBS, {"suspend": False}, {"suspend": True}),
        (DAEMON_SETS, {}, {"template": {"spec": {"nodeSelector": {"skerry.dev/hibernated": "true"}}}}),
    ],
)
def test_what_sleeps_wakes_as_it_was(resource: Any, spec: Obj, changed: Obj) -> None:
    patch = asleep(resource, {"metadata": {"name": "x"}, "spec": spec})
    assert patch is not None
    assert patch["spec"] == changed
    sleeping = {"metadata": {"name": "x", "annotations": patch["metadata"]["annotations"]}, "spec": changed}
    assert asleep(resource, sleeping) is None
    woken = awake(resource, sleeping)
    assert woken is not None
    assert woken["metadata"] == {"annotations": {AWAKE: None}}
    assert awake(resource, {"metadata": {}, "spec": spec}) is None
    if resource is DEPLOYMENTS:
        assert woken["spec"] == spec


def test_what_rests_already_is_left_alone() -> None:
    owned = {"ownerReferences": [{"controller": True, "kind": "Deployment", "name": "x"}]}
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    assert asleep(DEPLOYMENTS, {"metadata": owned, "spec": {"replicas": 2}}) is None
    assert asleep(DEPLOYMENTS, {"metadata": {}, "spec": {"replicas": 0}}) is None
    assert asleep(CRON_JOBS, {"metadata": {}, "spec": {"suspend": True}}) is None
    assert asleep(JOBS, {"metadata": {}, "spec": {}, "status": done}) is None


KEPT = TierSpec.of({"lifetimeDays": 90, "drainHours": 24, "archiveDays": 30, "purgeDays": 60})


def late(days: float, archived: datetime | None = None, **spec: Any) -> Landing:
    """So many days after its end, drained since then."""
    return _late(days, {"archive": {"time": rfc3339(archived), "data": []}} if archived else {}, **spec)


def _late(days: float, status: Obj, **spec: Any) -> Landing:
    project: Obj = {"metadata": {"creationTimestamp": rfc3339(BORN)}, "status": status}
    now = END + timedelta(days=days)
    return landing_of(project, ProjectSpec.of({"owner": "anna", **spec}), KEPT, END if days >= 0 else None, now)


def test_a_project_that_stays_ended_is_archived_and_purged_where_its_tier_says_so() -> None:
    assert [late(days).phase for days in (0, 1, 30.9, 31)] == ["Draining", "Hibernated", "Hibernated", "Archived"]
    assert "it is archived on 2026-05-02" in late(5).message
    assert late(100).purges is None, "nothing is purged that is not archived"
    when = END + timedelta(days=31)
    assert _late(100, {"archive": {"time": rfc3339(when)}}).purges is None, "an earlier release kept no data"
    kept = late(31, when)
    assert (kept.phase, kept.reason, kept.purges) == ("Archived", "Ended", when + timedelta(days=60))
    assert kept.warnings == ()
    assert "deleted on 2026-07-01 00:00 UTC, its volumes as well" in kept.message
    marks = [late(31 + days, when).warnings[0].mark.partition(" ")[0] for days in (46, 53, 59)]
    assert marks == ["14d", "7d", "1d"]
    assert late(0, when, expires=rfc3339(END + timedelta(days=9))).phase == "Active"


def test_owners_archive_and_a_project_that_sleeps_ends_too() -> None:
    asked = late(-50, state="Archived")
    assert (asked.phase, asked.reason, asked.purges) == ("Archived", "Archived", None)
    assert late(-50, END - timedelta(days=55), state="Archived").purges == END + timedelta(days=5)
    assert [late(days, state="Hibernated").reason for days in (-1, 0, 29)] == ["Hibernated", "Ended", "Ended"]
    assert late(30, state="Hibernated").phase == "Archived", "it was asleep already"


def used(last: int, until: int, awake: int = 0, **tier: Any) -> str:
    """A project whose pods were last used and measured so many hours after it was made."""
    moments = {name: rfc3339(BORN + timedelta(hours=one)) for name, one in (("last", last), ("until", until))}
    lasting = {"type": "Lasting", "status": "True", "lastTransitionTime": rfc3339(BORN + timedelta(hours=awake))}
    project: Obj = {"metadata": {}, "status": {"activity": moments, "conditions": [lasting]}}
    return idle_for(project, TierSpec.of(tier))


def test_a_project_that_nobody_uses_is_put_to_sleep_by_the_tier_s_policy_only() -> None:
    policy = {"afterHours": 12, "cpu": "50m"}
    assert used(3, 15, idle=policy) == "its pods have used less than 50m CPU since 2026-01-01 03:00 UTC"
    assert not used(3, 14, idle=policy)
    assert not used(3, 15, awake=4, idle=policy), "who wakes it makes use of it"
    assert not used(3, 15)
    assert not idle_for({"metadata": {}, "status": {}}, TierSpec.of({"idle": policy}))
    why = {"metadata": {"annotations": {SLEEPS_BECAUSE: "nobody is there"}}}
    found = landing_of(why, ProjectSpec.of({"owner": "anna", "expires": rfc3339(END), "state": "Hibernated"}), FREE,
                       None, BORN)  # fmt: skip
    assert found.message == "nobody is there: `skerry projects wake` brings it back"


def request(**spec: Any) -> ProjectRequestSpec:
    return ProjectRequestSpec.of({"project": "lidar", "requester": "anna", **spec})


def test_what_approval_changes() -> None:
    asked = request(kind="Project", tier="free", reason="lidar maps")
    assert new_project(asked)["spec"] == {"owner": "anna", "description": "lidar maps", "tier": "free"}
    wanted = request(kind="Quota", quota={"requests.cpu": 8}, budgets={"cpuHours": 900})
    overrides = {"quota": {"requests.cpu": "8"}, "budgets": {"cpuHours": 900.0}}
    assert more(wanted) == {"spec": {"overrides": overrides}}
    extension = request(kind="Extension", days=30)
    assert longer(extension, END, BORN) == {"spec": {"expires": "2026-05-01T00:00:00Z"}}
    assert longer(extension, BORN, END) == {"spec": {"expires": "2026-05-01T00:00:00Z"}}
    assert longer(extension, None, BORN) == {"spec": {"expires": "2026-01-31T00:00:00Z"}}


def test_only_a_first_plain_project_approves_itself() -> None:
    first = request(kind="Project", tier="free")
    another = ProjectSpec.of({"owner": "anna", "tier": "free"})
    assert approves_itself(first, FREE, [])
    assert approves_itself(first, FREE, [ProjectSpec.of({"owner": "ben", "tier": "free"})])
    assert not approves_itself(first, FREE, [another])
    assert not approves_itself(first, TierSpec.of({"approval": "Manual"}), [])
    assert not approves_itself(request(kind="Project", quota={"pods": 100}), FREE, [])
    assert not approves_itself(request(kind="Extension", days=3), FREE, [])
