"""The index of bindings, and decisions that follow the store."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from skerry.engine.api.auth.access import Access
from skerry.engine.api.auth.rbac.authorizer import RbacAuthorizer
from skerry.engine.api.auth.rbac.bindings import Bindings
from skerry.engine.api.auth.rbac.table import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from skerry.engine.api.request import User
from skerry.engine.store.contract import Entry, Key
from skerry.engine.store.memory import MemoryStore

ANNA, BEN = User("anna", ("team",)), User("ben")
ROBOT = User("system:serviceaccount:default:robot", ("system:serviceaccounts",))


def binding(role: str, *subjects: dict[str, str], kind: str = "ClusterRole") -> dict[str, Any]:
    return {"roleRef": {"kind": kind, "name": role}, "subjects": list(subjects)}


def named(kind: str, name: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "name": name, **more}


def role(*verbs: str, names: tuple[str, ...] = ()) -> dict[str, Any]:
    rule: dict[str, Any] = {"verbs": list(verbs), "apiGroups": [""], "resources": ["pods"]}
    return {"rules": [rule | ({"resourceNames": list(names)} if names else {})]}


def asks(user: User, verb: str, namespace: str = "default", name: str = "") -> Access:
    return Access(verb, "", "pods", "", namespace, "", user, name)


def test_bindings_are_found_by_subject() -> None:
    bindings = Bindings()
    bindings.put(Key(CLUSTER_ROLE_BINDINGS, "", "all"), binding("view", named("Group", "team"), named("User", "ben")))
    bindings.put(Key(ROLE_BINDINGS, "default", "local"), binding("edit", named("ServiceAccount", "robot")))
    assert [grant.role.name for grant in bindings.of(ANNA, "default")] == ["view"]
    assert [grant.role.name for grant in bindings.of(ROBOT, "default")] == ["edit"]
    assert list(bindings.of(ROBOT, "other")) == []
    (grant,) = bindings.of(BEN, "")
    assert grant.source == 'ClusterRoleBinding "all" of ClusterRole "view" to User "ben"'
    bindings.put(Key(CLUSTER_ROLE_BINDINGS, "", "all"), binding("view", named("User", "ben")))
    assert list(bindings.of(ANNA, "default")) == []
    bindings.remove(Key(CLUSTER_ROLE_BINDINGS, "", "all"))
    assert list(bindings.of(BEN, "")) == []


class Cluster:
    """A store with roles and bindings, and the authorizer on it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.rbac = RbacAuthorizer(self.store)

    async def put(self, resource: str, name: str, obj: dict[str, Any], namespace: str = "") -> Entry:
        key = Key(resource, namespace, name)
        known = self.store.get(key)
        if known is None:
            return await self.store.create(key, lambda revision: orjson.dumps(obj))
        return await self.store.update(key, lambda revision: orjson.dumps(obj), known.revision)

    async def remove(self, resource: str, name: str, namespace: str = "") -> None:
        key = Key(resource, namespace, name)
        known = self.store.get(key)
        assert known is not None
        await self.store.delete(key, lambda revision: b"{}", known.revision)

    async def close(self) -> None:
        await self.rbac.close()
        await self.store.close()


@pytest.mark.parametrize("following", [True, False])
async def test_a_decision_knows_of_a_write_as_soon_as_the_writer(following: bool) -> None:
    cluster = Cluster()
    if following:
        cluster.rbac.start()
    assert not cluster.rbac(asks(ANNA, "get")).allowed
    await cluster.put(CLUSTER_ROLE_BINDINGS, "all", binding("reader", named("User", "anna")))
    decision = cluster.rbac(asks(ANNA, "get"))
    assert decision == (False, 'RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found')
    await cluster.put(CLUSTER_ROLES, "reader", role("get"))
    decision = cluster.rbac(asks(ANNA, "get"))
    assert decision == (True, 'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to User "anna"')
    await cluster.put(CLUSTER_ROLES, "reader", role("list"))
    assert not cluster.rbac(asks(ANNA, "get")).allowed
    await cluster.remove(CLUSTER_ROLE_BINDINGS, "all")
    assert not cluster.rbac(asks(ANNA, "list")).allowed
    await cluster.close()


async def test_a_binding_that_cannot_be_read_keeps_no_rights_alive(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that passed validation is like this one; should it be there all the same, removals are noticed."""
    cluster = Cluster()
    cluster.rbac.start()
    await cluster.put(CLUSTER_ROLES, "reader", role("get"))
    await cluster.put(CLUSTER_ROLE_BINDINGS, "good", binding("reader", named("User", "anna")))
    assert cluster.rbac(asks(ANNA, "get")).allowed
    await cluster.put(CLUSTER_ROLE_BINDINGS, "bad", {"subjects": [named("User", "ben")]})
    await cluster.remove(CLUSTER_ROLE_BINDINGS, "bad")
    await cluster.remove(CLUSTER_ROLE_BINDINGS, "good")
    assert not cluster.rbac(asks(ANNA, "get")).allowed
    assert "cannot be followed" in caplog.text
    await cluster.close()


async def test_a_role_binding_gives_rights_in_its_namespace_only() -> None:
    cluster = Cluster()
    cluster.rbac.start()
    await cluster.put(ROLES, "one", role("get", names=("x",)), "default")
    await cluster.put(ROLE_BINDINGS, "b", binding("one", named("User", "anna"), kind="Role"), "default")
    assert cluster.rbac(asks(ANNA, "get", name="x")).allowed
    assert not cluster.rbac(asks(ANNA, "get", name="y")).allowed
    assert not cluster.rbac(asks(ANNA, "get", "other", "x")).allowed
    assert not cluster.rbac(asks(ANNA, "get", "", "x")).allowed
    await cluster.close()


async def test_a_flood_of_changes_loses_nothing() -> None:
    """More changes than a watch keeps: the table reads everything again."""
    cluster = Cluster()
    cluster.rbac.start()
    assert not cluster.rbac(asks(ANNA, "get")).allowed
    names = [f"b{number}" for number in range(3000)]
    work = [cluster.put(CLUSTER_ROLE_BINDINGS, name, binding("reader", named("User", name))) for name in names]
    await asyncio.gather(*work, cluster.put(CLUSTER_ROLES, "reader", role("get")))
    await asyncio.sleep(0)
    assert all(cluster.rbac(asks(User(name), "get")).allowed for name in names)
    await cluster.close()
