"""One test cluster for the clients of a module; each test has a namespace of its own in it."""

from __future__ import annotations

import gc
import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.testing import Cluster, cluster
from tests.support.helm import Helm
from tests.support.raw_api import RawApi
from tests.support.waiting import eventually

_numbers = itertools.count()


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def api(shared_cluster: Cluster) -> Iterator[RawApi]:
    client = RawApi(shared_cluster.kubeconfig)
    yield client
    client.close()


@pytest.fixture
def namespace(api: RawApi) -> str:
    name = f"n{next(_numbers)}"
    code, answer = api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert code == 201, answer
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    eventually(lambda: api.call("GET", account)[0] == 200, "the account of its pods")
    return name


@pytest.fixture
def helm(shared_cluster: Cluster, namespace: str, tmp_path: Path) -> Helm:
    return Helm(shared_cluster.kubeconfig, tmp_path, namespace)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Some clients leave sockets to the garbage collector, which may come at any line."""
    for item in items:
        if "clients" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True)
def leftovers_collected() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
