"""One test cluster for all tests here: they use namespaces of their own, as they do upstream. It ends with them: it
runs in this process and draws random numbers, which Hypothesis would take for those of the tests that follow.

Replays of workloads look at whole clusters too, so each of their modules has one of its own.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.testing import cluster
from skerry.testing.cluster import Cluster
from tests.component.conformance.e2e_client import E2eClient
from tests.support.replay import Replay
from tests.support.waiting import eventually

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def running() -> Iterator[Cluster]:
    with cluster(2) as one:
        yield one


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Cluster]:
    with cluster(nodes=2) as running:
        yield running


@pytest.fixture
def replay(shared_cluster: Cluster) -> Iterator[Replay]:
    """A client in a namespace of the test's own, where pods may be made at once."""
    everywhere = whole(shared_cluster)
    name = f"replay-{next(_NUMBERS)}"
    everywhere.create("namespaces", {"metadata": {"name": name}})
    client = Replay(shared_cluster.kubeconfig, name)
    eventually(lambda: client.list("serviceaccounts")["items"], "the account of its pods")
    yield client
    everywhere.delete("namespaces", name)
    everywhere.close()
    client.close()


@pytest.fixture
def whole_cluster(shared_cluster: Cluster) -> Iterator[Replay]:
    """A client for what is in no namespace."""
    client = whole(shared_cluster)
    yield client
    client.close()


def whole(of: Cluster) -> Replay:
    return Replay(of.kubeconfig, "")
