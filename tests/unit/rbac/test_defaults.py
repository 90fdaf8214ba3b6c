"""The default roles: what they say, and what is given back when the server starts."""

from __future__ import annotations

import copy

from skerry.engine.api.auth.rbac.cover import uncovered
from skerry.engine.api.auth.rbac.defaults import objects
from skerry.engine.api.auth.rbac.defaults.keeping import corrected
from skerry.engine.api.auth.rbac.defaults.notation import rules
from skerry.engine.api.auth.rbac.rules import Rule, rules_of
from skerry.engine.schema import validation
from skerry.engine.schema.registry import builtin
from skerry.kube.objects import Obj, name_of

ROLES = {name_of(role): role for role in objects.cluster_roles()}


def test_the_notation() -> None:
    assert rules("read core,apps pods b=x b=y\nget /z /a\nevents") == (
        Rule(("get", "list", "watch"), ("", "apps"), ("b", "pods"), ("x", "y")),
        Rule(("get",), urls=("/a", "/z")),
        Rule(("create", "patch", "update"), ("", "events.k8s.io"), ("events",)),
    )
    assert rules("* * *\n* *") == (Rule(("*",), ("*",), ("*",)), Rule(("*",), urls=("*",)))


def test_all_defaults_are_valid() -> None:
    registry = builtin()
    everything = [*ROLES.values(), *objects.roles(), *objects.cluster_role_bindings(), *objects.role_bindings()]
    for obj in everything:
        plural = f"{obj['kind'].lower()}s"
        kind = registry.kind(objects.GROUP, "v1", plural)
        assert kind is not None
        assert validation.validate(kind, obj) == [], name_of(obj)
    bound = {binding["roleRef"]["name"] for binding in objects.cluster_role_bindings()}
    assert bound <= set(ROLES)


def test_the_roles_people_are_given_contain_one_another() -> None:
    view, edit, admin = (set(rules_of(ROLES[name])) for name in ("view", "edit", "admin"))
    assert view < edit < admin
    assert not any("secrets" in rule.resources for rule in view)
    assert Rule(("impersonate",), ("",), ("serviceaccounts",)) in edit


def test_what_was_taken_away_comes_back_and_what_was_added_stays() -> None:
    wanted = ROLES["system:basic-user"]
    found: Obj = copy.deepcopy(wanted)
    assert corrected(found, wanted) is None
    added = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    found["rules"] = [added]
    mended = corrected(found, wanted)
    assert mended is not None
    assert mended["rules"][0] == added
    assert uncovered(rules_of(mended), rules_of(wanted)) == []
    found["metadata"]["annotations"][objects.AUTO_UPDATE] = "false"
    assert corrected(found, wanted) is None


def test_subjects_come_back_and_another_role_means_another_binding() -> None:
    wanted = next(each for each in objects.cluster_role_bindings() if name_of(each) == "cluster-admin")
    other = {"kind": "User", "apiGroup": objects.GROUP, "name": "anna"}
    mended = corrected({**wanted, "subjects": [other]}, wanted)
    assert mended is not None
    assert mended["subjects"] == [other, *wanted["subjects"]]
    assert corrected({**wanted, "roleRef": {**wanted["roleRef"], "name": "view"}}, wanted) == {}
