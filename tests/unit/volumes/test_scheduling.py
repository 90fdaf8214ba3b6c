"""What the claims of a pod say about nodes."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.decide import Placement, Unschedulable, decide
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.templates import facts_of
from skerry.engine.controllers.scheduler.volumes.binding import Plan, plan_at
from skerry.engine.controllers.scheduler.volumes.needs import VolumeNeeds, needs_of
from skerry.engine.controllers.scheduler.volumes.promises import Promise, Promises
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.kube.objects import Obj, name_of
from tests.unit.controllers.builders import node, pod
from tests.unit.volumes.objects import claim, storage_class, volume

ZONE = "topology.kubernetes.io/zone"
DONE = {"pv.kubernetes.io/bind-completed": "yes"}
LATE = storage_class("late", waits=True)
NOW = storage_class("now")


def using(*names: str, name: str = "web", placed: str = "") -> Obj:
    volumes = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in names]
    return pod(name, node=placed, spec={"volumes": volumes})


def storage(
    *claims: Obj, volumes: tuple[Obj, ...] = (), classes: tuple[Obj, ...] = (LATE, NOW), **more: Any
) -> Storage:
    of = {name_of(one): one for one in claims}
    made = {name_of(one): one for one in volumes}
    known = {name_of(one): one for one in classes}
    more.setdefault("candidates", lambda _: volumes)
    return Storage(lambda name, _: of.get(name), made.get, known.get, **more)


def needs(one: Obj, known: Storage) -> VolumeNeeds:
    found = needs_of(one, known)
    assert found is not None
    return found


def nodes() -> Cluster:
    cluster = Cluster()
    for name, zone in (("a", "x"), ("b", "y")):
        cluster.set_node(node(name, labels={ZONE: zone, "kubernetes.io/hostname": name}))
    return cluster


def where(one: Obj, known: Storage, cluster: Cluster | None = None) -> str:
    """The node, or why there is none."""
    decision = decide(facts_of(one), Rankings(cluster or nodes()), needs(one, known).objection)
    return decision.node if isinstance(decision, Placement) else decision.message


def on(name: str) -> Obj:
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}
    return {"required": {"nodeSelectorTerms": [term]}}


def bound(name: str = "data", **spec: Any) -> Obj:
    return claim(name, volumeName="disk", annotations=DONE, phase="Bound", **spec)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ([], 'persistentvolumeclaim "data" not found'),
        ([claim(storageClassName="now")], "pod has unbound immediate PersistentVolumeClaims"),
        ([claim(storageClassName="late", volumeName="disk")], "pod has unbound immediate PersistentVolumeClaims"),
        (
            [claim(phase="Lost", volumeName="disk")],
            'persistentvolumeclaim "data" bound to non-existent persistentvolume "disk"',
        ),
    ],
)
def test_a_claim_may_keep_its_pod_from_every_node(there: list[Obj], why: str) -> None:
    assert needs(using("data"), storage(*there)).refusal == why


def test_claims_that_go_and_those_of_somebody_else_are_refused_and_no_claims_are_no_needs() -> None:
    assert needs_of(using(), storage()) is None
    going = claim()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert needs(using("data"), storage(going)).refusal == 'persistentvolumeclaim "data" is being deleted'
    scratch = pod("web", spec={"volumes": [{"name": "tmp", "ephemeral": {}}]})
    why = 'waiting for ephemeral volume controller to create the persistentvolumeclaim "web-tmp"'
    assert needs(scratch, storage()).refusal == why
    assert "was not created for pod ns/web" in needs(scratch, storage(claim("web-tmp"))).refusal


def test_a_bound_claim_leads_to_where_its_volume_is() -> None:
    near = volume("disk", nodeAffinity=on("b"))
    assert where(using("data"), storage(bound(), volumes=(near,))) == "b"
    far = volume("disk", nodeAffinity=on("z"))
    reason = "2 node(s) didn't match PersistentVolume's node affinity"
    assert reason in where(using("data"), storage(bound(), volumes=(far,)))
    missing = "2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    assert missing in where(using("data"), storage(bound()))
    assert where(using("data"), storage(bound(), volumes=(volume("disk", labels={ZONE: "y__z"}),))) == "b"
    elsewhere = volume("disk", labels={"failure-domain.beta.kubernetes.io/zone": "z"})
    assert "2 node(s) had no available volume zone" in where(using("data"), storage(bound(), volumes=(elsewhere,)))


def test_volumes_for_claims_that_wait_are_the_smallest_on_the_node() -> None:
    static = storage_class("late", waits=True, provisioner="kubernetes.io/no-provisioner")
    disks = [("big", "9Gi", "b"), ("small", "2Gi", "b"), ("other", "1Gi", "a")]
    volumes = tuple(volume(name, size, storageClassName="late", nodeAffinity=on(at)) for name, size, at in disks)
    two = (claim("one", "1Gi", storageClassName="late"), claim("two", "2Gi", storageClassName="late"))
    known = storage(*two, volumes=volumes, classes=(static,))
    assert where(using("one", "two"), known) == "b"
    state = nodes().state("b")
    assert state is not None
    plan = plan_at(two, state, known)
    assert isinstance(plan, Plan)
    assert {name_of(one): name_of(disk) for one, disk in plan.found} == {"one": "small", "two": "big"}
    three = (*two, claim("three", "3Gi", storageClassName="late"))
    none = where(using("one", "two", "three"), storage(*three, volumes=volumes, classes=(static,)))
    assert "2 node(s) didn't find available persistent volumes to bind" in none


def test_volumes_are_made_where_the_class_and_the_room_allow() -> None:
    waiting = claim(storageClassName="late")
    assert where(using("data"), storage(waiting)) in ("a", "b")
    allowed = [{"matchLabelExpressions": [{"key": ZONE, "values": ["y", "z"]}]}]
    placed = storage_class("late", waits=True, allowedTopologies=allowed)
    assert where(using("data"), storage(waiting, classes=(placed,))) == "b"
    chosen = claim(storageClassName="late", annotations={"volume.kubernetes.io/selected-node": "a"})
    assert where(using("data"), storage(chosen)) == "a"
    driver = {"spec": {"storageCapacity": True}}
    topology = {"matchLabels": {ZONE: "x"}}
    room = {"nodeTopology": topology, "capacity": "100Gi", "maximumVolumeSize": "1Gi"}

    def with_room(capacity: Obj) -> Storage:
        return storage(waiting, driver=lambda _: driver, capacities=lambda _: [capacity])

    assert where(using("data"), with_room(room)) == "a"
    for full in ({**room, "maximumVolumeSize": "1Mi"}, {"nodeTopology": topology}, {"capacity": "9Gi"}):
        assert "2 node(s) did not have enough free storage" in where(using("data"), with_room(full))


def test_a_promise_counts_before_it_is_written() -> None:
    promises = Promises()
    promises.make("uid-first", {"ns/data": Promise("b", "disk")})
    waiting = claim(storageClassName="late")
    assert where(using("data"), storage(waiting, promise=promises.of)) == "b"
    assert promises.claim_with("disk") == "ns/data"
    promises.release("uid-first")
    assert promises.of("ns/data") is None
    assert promises.claim_with("disk") == ""


def test_a_claim_for_one_pod_only_is_not_given_to_a_second() -> None:
    alone = bound(accessModes=["ReadWriteOncePod"])
    cluster = nodes()
    first = using("data", name="first", placed="a")
    cluster.place(facts_of(first), "a")
    known = storage(alone, volumes=(volume("disk", accessModes=["ReadWriteOncePod"]),), users=cluster.claim_users.of)
    why = "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
    assert why in where(using("data"), known, cluster)
    decision = decide(facts_of(using("data")), Rankings(cluster), needs(using("data"), known).objection)
    assert isinstance(decision, Unschedulable)
    assert set(decision.resolvable or ()) == {"a", "b"}
    trial = cluster.state("a")
    assert trial is not None
    trial = trial.copy()
    trial.take_out("uid-first")
    assert needs(using("data"), known).objection(trial) is None
    cluster.remove("uid-first")
    assert where(using("data"), known, cluster) in ("a", "b")


def test_a_node_takes_as_many_volumes_as_its_driver_says() -> None:
    csi = {name: {"driver": "disks", "volumeHandle": name} for name in ("d1", "d2")}
    volumes = tuple(volume(name, csi=source) for name, source in csi.items())
    claims = [claim(f"c{name}", volumeName=name, annotations=DONE) for name in ("d1", "d2")]
    limited = {"spec": {"drivers": [{"name": "disks", "allocatable": {"count": 1}}]}}
    cluster = nodes()
    cluster.place(facts_of(using("cd1", name="first", placed="a")), "a")
    known = storage(*claims, volumes=volumes, csi_node=lambda name: limited if name == "a" else None)
    assert where(using("cd2"), known, cluster) == "b"
    assert where(using("cd2"), storage(*claims, volumes=volumes, csi_node=lambda _: limited), cluster) == "b"
    cluster.place(facts_of(using("cd2", name="other", placed="b")), "b")
    both = where(using("cd1", "cd2"), storage(*claims, volumes=volumes, csi_node=lambda _: limited), cluster)
    assert "2 node(s) exceed max volume count" in both
    assert where(using("cd1"), storage(*claims, volumes=volumes, csi_node=lambda _: limited), cluster) == "a"
