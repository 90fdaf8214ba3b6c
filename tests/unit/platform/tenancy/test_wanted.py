"""What a project comes to, decided without a cluster."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.quantities import parse_quantity
from skerry.platform.projects.tiers import granted
from skerry.platform.projects.types import MADE_LABEL, PLACED_LABEL, ProjectSpec, TierSpec
from skerry.platform.projects.wanted import (
    IN_NAMESPACE,
    Tenant,
    access_rules,
    beside,
    beside_names,
    covers,
    in_namespace,
    is_reserved,
    namespace_labels,
    subjects_of,
)

QUANTITIES = st.from_regex(r"[0-9]{1,6}(m|k|M|Ki|Mi|Gi)?", fullmatch=True)
QUOTAS = st.dictionaries(st.sampled_from(["requests.cpu", "limits.memory", "pods", "requests.storage"]), QUANTITIES)


def tenant(tier: Obj | None = None, **spec: Any) -> Tenant:
    """Of a project of anna's."""
    project = ProjectSpec.of({"owner": "anna", **spec})
    return Tenant("lidar", project, granted("lidar", "small", TierSpec.of(tier), project))


@given(QUOTAS, QUOTAS)
def test_overrides_stand_for_the_tier_name_by_name(tier: dict[str, str], own: dict[str, str]) -> None:
    quota = tenant({"quota": tier}, overrides={"quota": own}).granted.quota
    assert quota.keys() == tier.keys() | own.keys()
    for name, amount in quota.items():
        assert parse_quantity(amount) == parse_quantity(own.get(name, tier.get(name, "")))


def test_what_differs_from_the_tier() -> None:
    tier = {
        "podSecurity": "baseline",
        "priority": 5,
        "budgets": {"cpuHours": 1, "gpuHours": 2},
        "egress": ["10.0.0.0/8"],
    }
    same = tenant(tier).granted
    assert (same.pod_security, same.priority, same.priority_class) == ("baseline", 5, "skerry-tier-small")
    other = tenant(tier, overrides={"podSecurity": "privileged", "priority": 7, "budgets": {"gpuHours": 9}}).granted
    assert (other.pod_security, other.priority, other.priority_class) == ("privileged", 7, "skerry-project-lidar")
    assert (other.budgets.cpu_hours, other.budgets.gpu_hours, other.egress) == (1, 9, ("10.0.0.0/8",))
    assert tenant().granted.priority_class == ""


def test_everything_carries_its_project_and_is_known_by_name() -> None:
    members = [{"user": "ben", "role": "editor"}, {"group": "all", "role": "viewer"}]
    whole = tenant({"quota": {"pods": 1}, "limits": {"max": {"cpu": "1"}}, "priority": 1}, members=members)
    made = list(in_namespace(whole, "lidar"))
    assert {(resource, name_of(obj)) for resource, obj in made} == set(IN_NAMESPACE)
    aside = list(beside(tenant(members=members, overrides={"priority": 3})))
    assert {(resource, name_of(obj)) for resource, obj in aside} == set(beside_names("lidar"))
    assert {labels_of(obj)[MADE_LABEL] for _, obj in (*made, *aside)} == {"lidar"}
    bare = {name_of(obj) for _, obj in in_namespace(tenant(), "lidar")}
    assert not bare & {"skerry"}, "without quota and limits there are no objects for them"


def test_who_has_which_role() -> None:
    ben = {"user": "ben", "role": "editor"}
    found = subjects_of(ProjectSpec.of({"owner": "anna", "members": [ben, ben, {"group": "ben", "role": "editor"}]}))
    names = {role: [(one["kind"], one["name"]) for one in subjects] for role, subjects in found.items()}
    assert names == {"owner": [("User", "anna")], "editor": [("User", "ben"), ("Group", "ben")], "viewer": []}
    verbs = {role: {verb for rule in access_rules("lidar", role) for verb in rule["verbs"]} for role in found}
    assert verbs["viewer"] == {"get", "watch"}
    assert "update" not in verbs["editor"]
    assert {"update", "patch", "create", "divide"} < verbs["owner"]
    assert all("manage" not in one and "delete" not in one for one in verbs.values())


def test_labels_of_namespaces() -> None:
    assert PLACED_LABEL not in namespace_labels(tenant())
    assert PLACED_LABEL in namespace_labels(tenant(sites=["north"]))
    assert PLACED_LABEL in namespace_labels(tenant({"priority": 1}))
    assert [is_reserved(name) for name in ("default", "kube-system", "skerry-system", "lidar")] == [True] * 3 + [False]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_what_is_there_covers_itself_and_may_say_more(wanted: Any, more: dict[str, Any]) -> None:
    assert covers(wanted, wanted)
    assert covers({**more, "wanted": wanted}, {"wanted": wanted})
    assert not covers([wanted, 1], [wanted])
    assert not covers({"a": {"b": wanted}}, {"a": {"b": [wanted]}})
