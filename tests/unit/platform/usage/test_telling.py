"""What is told of usage: measured figures, budgets, metrics, reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from skerry.kube.objects import Obj
from skerry.platform.usage.amounts import Amounts, Tally
from skerry.platform.usage.attributing.deciding import acts_for_others, annotated, release_of, stateful_sets_of
from skerry.platform.usage.ledger.budgets import budgets_patch, budgets_status, noted_hours, used_hours
from skerry.platform.usage.measuring.activity import Measured, activity_after, idle_below
from skerry.platform.usage.measuring.summary import counters_of, seen_since
from skerry.platform.usage.projects import budgets_of
from skerry.platform.usage.reporting.making import Subject, is_outdated, last_week, lately, week_name, weekly
from skerry.platform.usage.serving.metrics import exposition
from skerry.platform.usage.types import Counters

ANNA, BEN = ("lidar", "anna"), ("lidar-test", "ben")


def _summary(uid: str, cpu: int, sent: int) -> Obj:
    pod = {"podRef": {"uid": uid}, "cpu": {"usageCoreNanoSeconds": cpu * 10**6}, "network": {"txBytes": sent}}
    return {"pods": [pod, {"podRef": {"uid": "silent"}}]}


def test_counters_are_counted_from_where_they_were() -> None:
    first = counters_of(_summary("one", 5000, 100))
    assert first["silent"] == Counters(cpu_milliseconds=0, egress_bytes=0)
    owners = {"one": ANNA, "away": BEN}
    before = {"away": Counters(cpu_milliseconds=9, egress_bytes=9), "deleted": Counters(cpu_milliseconds=1)}
    seen = seen_since(before, first, owners)
    assert seen.more == {ANNA: Amounts(used_cpu=5000, egress=100)}
    assert set(seen.counters) == {"one", "away"}
    assert seen_since(seen.counters, first, owners).more == {}
    grown = seen_since(seen.counters, counters_of(_summary("one", 4000, 250)), owners)
    assert grown.more == {ANNA: Amounts(egress=150)}


def _measured(at: datetime, cpu: int, *, seconds: int = 300, is_whole: bool = True) -> Measured:
    return Measured(seconds, int(at.timestamp()), cpu, is_whole)


def test_what_is_next_to_nothing_is_no_use_and_what_is_not_known_is() -> None:
    begun = datetime(2026, 11, 22, 12, tzinfo=UTC)
    five = timedelta(minutes=5)
    below = idle_below({"spec": {"idle": {"afterHours": 2}}})
    assert (below, idle_below({"spec": {}}), idle_below(None)) == (20, None, None)
    assert below is not None
    first = activity_after(None, _measured(begun, 0), below)
    assert first == {"last": "2026-11-22T12:00:00Z", "until": "2026-11-22T12:00:00Z"}
    idle = activity_after(first, _measured(begun + five, 5900), below)
    assert idle == {"last": "2026-11-22T12:00:00Z", "until": "2026-11-22T12:05:00Z"}
    again = begun + 2 * five
    for used in (
        _measured(again, 6000),
        _measured(again, 0, is_whole=False),
        _measured(again + 3 * five, 0),  # nobody looked meanwhile
    ):
        after = activity_after(idle, used, below)
        assert after["last"] == after["until"]
    assert activity_after(idle, _measured(again, 900, seconds=3), below)["last"] == first["last"], "a moment's work"


def test_budgets_say_what_is_used_of_what_was_agreed() -> None:
    project = {"spec": {"overrides": {"budgets": {"cpuHours": 900}}}, "status": {"budgets": {"cpuHours": {"used": 2}}}}
    tier = {"spec": {"budgets": {"cpuHours": 500, "gpuHours": 10}}}
    limits = budgets_of(project, tier)
    assert budgets_status(used_hours(Amounts(cpu=5_400_000)), limits) == {
        "cpuHours": {"used": 1.5, "limit": 900.0},
        "gpuHours": {"used": 0.0, "limit": 10.0},
    }
    assert budgets_status(noted_hours(project), {}) == {"cpuHours": {"used": 2.0}}
    patch = budgets_patch({"cpuHours": {}, "gpuHours": {}}, {"cpuHours": {"used": 2.0}})
    assert patch == {"cpuHours": {"limit": None, "used": 2.0}, "gpuHours": None}


def test_what_helm_makes_belongs_to_its_release() -> None:
    said = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "lidar"}
    assert release_of({"metadata": {"annotations": said}}, "lidar") == "web"
    assert release_of({"metadata": {"annotations": said}}, "sonar") == ""
    hook = {"metadata": {"annotations": {**said, "helm.sh/hook": "test"}}}
    assert release_of(hook, "lidar") == "", "what a hook's chart says of itself does not count"


def test_metrics_are_prometheus_text() -> None:
    quota = {"requests.cpu": {"used": "500m", "hard": "2"}, "pods": {"used": "1", "hard": "0"}}
    budgets = {"cpuHours": {"used": 250.0, "limit": 500.0}, "gpuHours": {"used": 3.0}}
    text = exposition([
        {"metadata": {"name": "zeta"}},
        {"metadata": {"name": 'li"dar'}, "status": {"quota": quota, "budgets": budgets, "phase": "Active"}},
    ])  # fmt: skip
    assert text.splitlines() == [
        "# HELP project_quota_used_percent How much of a quota a project uses.",
        "# TYPE project_quota_used_percent gauge",
        r'project_quota_used_percent{project="li\"dar",resource="pods"} 100',
        r'project_quota_used_percent{project="li\"dar",resource="requests.cpu"} 25',
        "# HELP project_budget_used_percent How much of a budget a project has used up.",
        "# TYPE project_budget_used_percent gauge",
        r'project_budget_used_percent{project="li\"dar",budget="cpuHours"} 50',
        "# HELP project_budget_used_hours Hours of a budget that a project has used up.",
        "# TYPE project_budget_used_hours gauge",
        r'project_budget_used_hours{project="li\"dar",budget="cpuHours"} 250',
        r'project_budget_used_hours{project="li\"dar",budget="gpuHours"} 3',
        "# HELP project_phase 1 for the phase that a project is in.",
        "# TYPE project_phase gauge",
        r'project_phase{project="li\"dar",phase="Active"} 1',
    ]
    assert text.endswith("\n")


def test_a_week_is_reported_beside_the_week_before() -> None:
    today = date(2026, 11, 22)
    week = last_week(today)
    assert (week.begins, week.ends) == (date(2026, 11, 9), date(2026, 11, 15))
    hour = 3_600_000
    days: dict[date, Tally] = {
        date(2026, 11, 8): {ANNA: Amounts(cpu=hour)},
        date(2026, 11, 9): {ANNA: Amounts(cpu=hour), BEN: Amounts(cpu=3 * hour)},
        date(2026, 11, 15): {ANNA: Amounts(cpu=hour)},
        date(2026, 11, 16): {ANNA: Amounts(cpu=50 * hour)},
    }
    now = datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC)
    said = weekly(Subject("lidar", week.begins, week.ends), days, {"cpuHours": {"used": 6, "limit": 500}}, now)
    assert said["total"]["cpuHours"] == 5
    assert said["before"]["cpuHours"] == 1
    assert [(one["name"], one["cpuHours"]) for one in said["users"]] == [("ben", 3), ("anna", 2)]
    assert [one["name"] for one in said["days"]] == ["2026-11-09", "2026-11-15"]
    assert said["updated"] == "2026-11-22T12:00:00Z"
    assert said["budgets"] == {"cpuHours": {"used": 6, "limit": 500}}


def test_weekly_reports_are_kept_for_a_quarter() -> None:
    today = date(2027, 1, 5)
    names = [week_name(last_week(today - timedelta(weeks=back)).begins) for back in range(15)]
    assert names[0] == "week-2026-w53"
    assert [name for name in names if is_outdated(name, today)] == names[13:]
    assert not is_outdated("recent", today)
    assert lately(today).begins == date(2026, 12, 6)


def test_who_belongs_to_the_cluster_speaks_for_owners() -> None:
    assert acts_for_others("system:serviceaccount:kube-system:replicaset-controller", of_project=False)
    assert not acts_for_others("system:serviceaccount:lidar:hub", of_project=True)
    assert not acts_for_others("anna@uni.example", of_project=False)


def test_claims_of_stateful_sets_are_known_by_their_names() -> None:
    assert list(stateful_sets_of("data-my-db-0")) == [("my-db", "data"), ("db", "data-my")]
    assert list(stateful_sets_of("data")) == []
    assert list(stateful_sets_of("my-data")) == []


def test_the_annotation_is_put_or_taken() -> None:
    path = "/metadata/annotations"
    assert annotated({"metadata": {}}, "anna") == ({"op": "add", "path": path, "value": {"skerry.dev/user": "anna"}},)
    forged = {"metadata": {"annotations": {"skerry.dev/user": "ben"}}}
    assert annotated(forged, "anna") == ({"op": "add", "path": f"{path}/skerry.dev~1user", "value": "anna"},)
    assert annotated(forged, "") == ({"op": "remove", "path": f"{path}/skerry.dev~1user"},)
    assert annotated(forged, "ben") == ()
