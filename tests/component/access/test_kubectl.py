"""What people do with `kubectl auth` and `--as`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import RunningApi, running_api
from tests.support.kubectl import Kubectl
from tests.support.users import kubeconfig_of


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api() as running:
        yield running


@pytest.fixture
def admin(api: RunningApi, tmp_path: Path) -> Kubectl:
    return Kubectl(api.kubeconfig, tmp_path)


@pytest.fixture
async def anna(api: RunningApi, admin: Kubectl, tmp_path: Path) -> Kubectl:
    """She may edit in `default`."""
    await admin("create", "rolebinding", "anna", "--clusterrole=edit", "--user=anna", "-n", "default")
    return Kubectl(kubeconfig_of(api, tmp_path, "anna", "lab"), tmp_path / "anna")


async def test_can_i(anna: Kubectl, admin: Kubectl) -> None:
    assert (await anna("auth", "can-i", "create", "deployments")).out == "yes\n"
    refused = await anna.attempt("auth", "can-i", "create", "deployments", "-n", "kube-system")
    assert (refused.code, refused.out) == (1, "no\n")
    refused = await anna.attempt("auth", "can-i", "create", "roles")
    assert refused.out == "no\n"
    assert (await admin("auth", "can-i", "*", "*", "--all-namespaces")).out == "yes\n"
    assert (await anna("auth", "can-i", "get", "/version")).out == "yes\n"
    assert (await admin("auth", "can-i", "get", "pods", "--subresource=log", "--as=anna")).out == "yes\n"
    listed = (await anna("auth", "can-i", "--list", "--no-headers")).out
    assert "selfsubjectaccessreviews.authorization.k8s.io" in listed
    assert any(line.split()[0] == "deployments.apps" and "create" in line for line in listed.splitlines())


async def test_whoami(anna: Kubectl, admin: Kubectl) -> None:
    shown = (await anna("auth", "whoami")).out
    assert "Username" in shown
    assert "[lab system:authenticated]" in shown
    assert "X509SHA256=" in shown
    shown = (await admin("auth", "whoami", "--as=ben", "--as-group=team", "--as-uid=7", "--as-user-extra=k=v")).out
    assert [line.split() for line in shown.splitlines()[1:]] == [
        ["Username", "ben"],
        ["UID", "7"],
        ["Groups", "[team", "system:authenticated]"],
        ["Extra:", "k", "[v]"],
    ]


async def test_acting_as_somebody(anna: Kubectl, admin: Kubectl) -> None:
    await admin("create", "configmap", "x", "--as=anna")
    refused = await admin.attempt("create", "configmap", "x", "--as=anna", "-n", "kube-system")
    assert (
        'User "anna" cannot create resource "configmaps" in API group "" in the namespace "kube-system"' in refused.err
    )
    refused = await anna.attempt("get", "--raw", "/api/v1/namespaces/default/pods", "--as=ben")
    assert 'User "anna" cannot impersonate' in refused.err
    robot = "--as=system:serviceaccount:default:robot"
    assert (await anna.attempt("get", "pods", robot)).code == 1  # she may act as it, but it may do nothing
    await admin("create", "rolebinding", "robot", "--clusterrole=view", "--serviceaccount=default:robot")
    assert "No resources found" in (await anna("get", "pods", robot)).err


async def test_reconcile_and_roles(admin: Kubectl) -> None:
    assert (await admin("create", "role", "pods", "--verb=get,list", "--resource=pods")).out
    described = (await admin("describe", "clusterrole", "system:basic-user")).out
    assert "selfsubjectreviews.authentication.k8s.io" in described
    listed = (await admin("get", "clusterroles", "-o", "name")).out.splitlines()
    assert len(listed) > 60
    manifest = (await admin("get", "clusterrole", "view", "-o", "yaml")).out
    assert "reconciled" in (await admin("auth", "reconcile", "-f", "-", stdin=manifest)).out
