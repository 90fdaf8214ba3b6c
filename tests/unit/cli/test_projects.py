"""What `skerry projects` and `skerry members` work out before they write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from skerry.cli.errors import CommandFailed
from skerry.cli.members.changing import member, with_member, without_member
from skerry.cli.projects.extend import new_end
from skerry.cli.projects.printed import facts_of, history_rows, quota_rows, ready, row_of
from skerry.cli.projects.top_up import raised
from skerry.kube.objects import Obj

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROJECT: Obj = {
    "metadata": {"name": "lidar"},
    "spec": {"owner": "anna", "tier": "free", "members": [{"group": "crew", "role": "viewer"}]},
    "status": {
        "phase": "Active",
        "expires": "2026-06-01T00:00:00Z",
        "quota": {"requests.cpu": {"used": "500m", "hard": "2"}},
        "budgets": {"cpuHours": {"used": 12.5, "limit": 500}, "gpuHours": {"used": 0}},
        "history": [{"time": "2026-04-01T00:00:00Z", "what": f"thing {number}"} for number in range(12)],
        "conditions": [{"type": "Ready", "status": "False", "reason": "TierMissing", "message": "there is none"}],
    },
}


def test_a_project_in_tables() -> None:
    assert row_of(PROJECT) == ("lidar", "free", "anna", "Active", "500m/2", "-", "2026-06-01")
    assert ready(PROJECT) == "TierMissing: there is none"
    assert quota_rows(PROJECT) == [
        ("requests.cpu", "500m", "2"),
        ("cpuHours", "12.5", "500"),
        ("gpuHours", "0", "-"),
    ]
    assert [row[1] for row in history_rows(PROJECT)] == [f"thing {number}" for number in range(2, 12)]
    facts = dict(facts_of(PROJECT))
    assert (facts["members"], facts["sites"], facts["ready"]) == (
        "group crew (viewer)",
        "anywhere",
        "False, TierMissing: there is none",
    )
    bare: Obj = {"metadata": {"name": "new"}, "spec": {"owner": "anna", "tier": "free"}}
    assert (row_of(bare)[3], ready(bare)) == ("Pending", "not looked at yet")


def test_members_have_one_role_each() -> None:
    ben, group = member("ben", group=False), member("ben", group=True)
    members = with_member(with_member([], ben, "viewer"), group, "editor")
    assert with_member(members, ben, "owner") == [{"group": "ben", "role": "editor"}, {"user": "ben", "role": "owner"}]
    assert without_member(members, group) == [{"user": "ben", "role": "viewer"}]
    with pytest.raises(CommandFailed, match="eve is no member"):
        without_member(members, member("eve", group=False))


def test_more_days_come_after_the_end_or_after_now() -> None:
    assert new_end(PROJECT, 30, NOW) == datetime(2026, 7, 1, tzinfo=UTC)
    over = {**PROJECT, "spec": {**PROJECT["spec"], "expires": "2026-01-01T00:00:00Z"}}
    assert new_end(over, 1, NOW) == datetime(2026, 5, 2, 12, tzinfo=UTC)
    with pytest.raises(CommandFailed, match="this project has no end"):
        new_end({"spec": {}}, 1, NOW)


def test_budgets_add_up() -> None:
    tier = {"spec": {"budgets": {"cpuHours": 500}}}
    assert raised(PROJECT, tier, {"cpuHours": 100}) == {"cpuHours": 600}
    own = {"spec": {"overrides": {"budgets": {"cpuHours": 50, "gpuHours": 1}}}}
    assert raised(own, tier, {"cpuHours": 1, "gpuHours": 2}) == {"cpuHours": 51, "gpuHours": 3}
    with pytest.raises(CommandFailed, match="gpuHours of this project has no limit"):
        raised(PROJECT, tier, {"gpuHours": 1})
