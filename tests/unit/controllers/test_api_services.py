"""Which APIServices there are by themselves, and what their condition says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from skerry.engine.controllers.apiservice import wanted

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _definition(established: str, *served: bool) -> Any:
    versions = [{"name": f"v{number}", "served": here} for number, here in enumerate(served, 1)]
    status = {"conditions": [{"type": "Established", "status": established}]}
    return {"spec": {"group": "example.com", "versions": versions}, "status": status}


def test_one_for_each_built_in_group_version_that_is_served() -> None:
    found = wanted.builtin(["v1.", "v1.apps", "v1.apiregistration.k8s.io", "v1.example.com"])
    assert set(found) == {"v1.", "v1.apps"}
    assert found["v1."]["spec"] == {"group": "", "version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1}


def test_one_for_each_served_version_of_an_established_definition() -> None:
    assert set(wanted.of_definition(_definition("True", True, False, True))) == {"v1.example.com", "v3.example.com"}
    assert wanted.of_definition(_definition("False", True)) == {}


def test_only_what_was_made_for_definitions_becomes_superfluous() -> None:
    (made,) = wanted.of_definition(_definition("True", True)).values()
    assert wanted.is_superfluous(made, {})
    assert not wanted.is_superfluous(made, {"v1.example.com": made})
    assert not wanted.is_superfluous({"metadata": {"name": "v1.example.com"}}, {})


def test_what_was_made_for_definitions_is_kept_as_it_was() -> None:
    (made,) = wanted.of_definition(_definition("True", True)).values()
    assert wanted.mended(made, {"v1.example.com": made}) is None
    other = {**made, "spec": {**made["spec"], "versionPriority": 7}}
    assert wanted.mended(other, {"v1.example.com": made}) == made
    mine = {**other, "metadata": {"name": "v1.example.com"}}
    assert wanted.mended(mine, {"v1.example.com": made}) is None


def test_local_ones_are_available_and_others_are_for_the_api_server_to_judge() -> None:
    service = {"metadata": {}, "spec": {}}
    told = wanted.with_availability(service, NOW)
    assert told is not None
    condition = told["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("True", "Local")
    assert wanted.with_availability(told, NOW + timedelta(days=1)) is None
    assert "status" not in service
    elsewhere = {"metadata": {}, "spec": {"service": {"namespace": "a", "name": "b"}}}
    assert wanted.with_availability(elsewhere, NOW) is None
