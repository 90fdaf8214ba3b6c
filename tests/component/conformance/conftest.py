"""One test cluster for all tests here: they use namespaces of their own, as they do upstream."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.testing import cluster
from skerry.testing.cluster import Cluster
from tests.component.conformance.e2e_client import E2eClient


@pytest.fixture(scope="session")
def running() -> Iterator[Cluster]:
    with cluster(2) as one:
        yield one


@pytest.fixture(scope="session")
def kubeconfig(running: Cluster) -> Path:
    return running.kubeconfig


@pytest.fixture
def api(running: Cluster) -> Iterator[E2eClient]:
    client = E2eClient(running.kubeconfig)
    yield client
    client.close()


@pytest.fixture
def unique() -> str:
    """A word nobody else has."""
    return uuid.uuid4().hex[:8]


@pytest.fixture
def ns(api: E2eClient, unique: str) -> Iterator[str]:
    """A namespace as the e2e framework makes one, with what it waits for."""
    name = f"e2e-{unique}"
    labels = {"e2e-framework": "replay", "e2e-run": unique, "pod-security.kubernetes.io/enforce": "privileged"}
    api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    api.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda found: True)
    api.until(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt", lambda found: True)
    yield name
    api.delete(f"/api/v1/namespaces/{name}")
