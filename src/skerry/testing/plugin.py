"""pytest fixtures and a marker, found by pytest when skerry is installed (entry point `pytest11`).

- `skerry_cluster`: a `Cluster` of the test's own; `@pytest.mark.skerry_cluster(nodes=3)` sets what `cluster` takes.
- `skerry_session_cluster`: one for all tests of a session, with one node.

Loaded in every run of pytest: nothing heavy is imported before a fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from skerry.testing import Cluster

MARKER = "skerry_cluster"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{MARKER}(nodes=1, clock=None): what the test's own cluster is like")


@pytest.fixture
def skerry_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A Kubernetes cluster of the test's own."""
    from skerry.testing import cluster

    marker = request.node.get_closest_marker(MARKER)
    with cluster(*(marker.args if marker else ()), **(marker.kwargs if marker else {})) as made:
        yield made


@pytest.fixture(scope="session")
def skerry_session_cluster() -> Iterator[Cluster]:
    """One Kubernetes cluster for the session."""
    from skerry.testing import cluster

    with cluster() as made:
        yield made
