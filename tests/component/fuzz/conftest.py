"""A whole control plane to be ill-treated, in a thread of its own: whatever controllers trip over counts too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skerry.testing import cluster
from tests.component.fuzz.victim import Victim


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    with cluster(1) as running, Victim.connect(running.kubeconfig) as victim:
        yield victim
