"""What was written or decided counts before caches show it; how claims of a chosen node turn out."""

from __future__ import annotations

from typing import cast

import pytest

from skerry.engine.controllers.newest import Newest
from skerry.engine.controllers.scheduler.acting import Acting
from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.volumes.claiming import Claiming
from skerry.engine.controllers.scheduler.volumes.needs import needs_of
from skerry.engine.controllers.scheduler.volumes.promises import Promises
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.engine.controllers.scheduler.volumes.watching import StorageWatching
from skerry.kube.client import Client
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS
from tests.unit.controllers.builders import node
from tests.unit.volumes.objects import claim, storage_class, volume
from tests.unit.volumes.test_scheduling import DONE, using

LATE = storage_class("late", waits=True)
CHOSEN = {"volume.kubernetes.io/selected-node": "node"}


def cache() -> Informer:
    return Informer(cast("Client", None), PERSISTENT_VOLUME_CLAIMS)


def at(revision: int, **labels: str) -> Obj:
    metadata = {"name": "data", "namespace": "ns", "resourceVersion": str(revision), "labels": labels}
    return {"metadata": metadata}


def test_what_was_written_counts_until_the_cache_has_reached_it() -> None:
    informer = cache()
    newest = Newest(informer)
    informer._apply(("ns", "data"), at(3))
    informer.revision = 3
    written = newest.note(at(5, written="yes"))
    assert newest.get("data", "ns") is written
    informer.revision = 4
    assert newest.get("data", "ns") is written
    informer._apply(("ns", "data"), None)
    assert newest.get("data", "ns") is None  # also when nobody asked before: what is gone is not kept
    informer.revision = 6
    assert newest.get("data", "ns") is None
    newest.note(at(5))
    assert newest.get("data", "ns") is None


class World:
    """A scheduler's view that tests change."""

    def __init__(self) -> None:
        self.claim: Obj | None = claim(storageClassName="late", annotations=CHOSEN)
        self.volume: Obj | None = None
        self.cluster = Cluster()
        self.cluster.set_node(node("node"))
        self.promises = Promises()
        self.claims = self  # what is asked of it below is `get`
        self.storage = Storage(lambda *_: self.claim, lambda _: self.volume, lambda _: LATE)
        self.claiming = Claiming(cast("StorageWatching", self), cast("Acting", None))
        self.claiming._chosen["uid"] = ("node", float("inf"))

    def get(self, name: str, namespace: str) -> Obj | None:
        assert (name, namespace) == ("data", "ns")
        return self.claim

    def outcome(self) -> str:
        needs = needs_of(using("data"), self.storage)
        assert needs is not None
        return self.claiming.outcome("uid", needs, self.cluster.state("node"))


async def test_a_claim_that_says_where_its_volume_is_made_is_waited_for_until_it_is_bound() -> None:
    world = World()
    assert world.outcome() == "waiting"
    world.claim = claim(storageClassName="late", volumeName="disk", annotations=DONE)
    assert world.outcome() == "waiting"  # the cache of volumes is late
    world.volume = volume("disk")
    assert world.outcome() == "bound"
    assert world.claiming.pods_of("node") == ["uid"]
    world.claiming.finish("uid")
    assert world.claiming.node_of("uid") == ""


@pytest.mark.parametrize("what", ["provisioner", "elsewhere", "node", "claim", "late"])
async def test_a_pod_is_sent_back(what: str) -> None:
    world = World()
    if what == "provisioner":
        world.claim = claim(storageClassName="late")
    elif what == "elsewhere":
        world.claim = claim(storageClassName="late", volumeName="disk", annotations=DONE)
        term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z"]}]}
        world.volume = volume("disk", nodeAffinity={"required": {"nodeSelectorTerms": [term]}})
    elif what == "node":
        world.cluster.remove_node("node")
    elif what == "claim":
        world.claim = None
    else:
        world.claiming._chosen["uid"] = ("node", 0.0)
    assert world.outcome() == "failed"
