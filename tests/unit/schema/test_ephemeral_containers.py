"""`pods/ephemeralcontainers`: what it may change, and what it refuses."""

from __future__ import annotations

from skerry.engine.schema.kinds.core.pod import PodStrategy
from skerry.kube.objects import Obj, copy_of

from .objects import CORE, container, created

STRATEGY = PodStrategy()


def with_ephemeral(old: Obj, *containers: Obj) -> Obj:
    new = copy_of(old)
    new["spec"]["ephemeralContainers"] = [copy_of(each) for each in containers]
    STRATEGY.default(new)
    STRATEGY.prepare_ephemeral_containers(new, old)
    return new


def complaints(old: Obj, *containers: Obj) -> list[tuple[str, str]]:
    new = with_ephemeral(old, *containers)
    return [(cause.field, cause.message) for cause in STRATEGY.validate_ephemeral_containers(new, old)]


def stored() -> Obj:
    return created(CORE["pods"], container())


def debugger(name: str = "debug", **more: object) -> Obj:
    return {"name": name, "image": "busybox", **more}


def test_only_ephemeral_containers_change_and_the_generation_with_them() -> None:
    old = stored()
    new = copy_of(old)
    new["spec"]["ephemeralContainers"] = [debugger()]
    new["spec"]["containers"][0]["image"] = "other"
    new["metadata"]["labels"] = {"smuggled": "in"}
    new["status"] = {"phase": "Failed"}
    STRATEGY.default(new)
    STRATEGY.prepare_ephemeral_containers(new, old)
    assert new["spec"]["containers"] == old["spec"]["containers"]
    assert new["metadata"] == {**old["metadata"], "generation": old["metadata"]["generation"] + 1}
    assert new["status"] == old["status"]
    assert STRATEGY.validate_ephemeral_containers(new, old) == []


def test_what_is_there_neither_changes_nor_goes() -> None:
    old = with_ephemeral(stored(), debugger())
    assert complaints(old, debugger(), debugger("second", targetContainerName="main")) == []
    ((field, message),) = complaints(old, debugger(image="other"))
    assert field == "spec.ephemeralContainers"
    assert 'existing ephemeral containers "debug" may not be changed' in message
    assert 'existing ephemeral containers "debug" may not be removed' in complaints(old)[0][1]


def test_what_an_ephemeral_container_cannot_have() -> None:
    where = "spec.ephemeralContainers[0]"
    assert complaints(stored(), debugger(targetContainerName="nobody")) == [
        (f"{where}.targetContainerName", 'Not found: "nobody"')
    ]
    assert complaints(stored(), debugger("main"))[0] == (f"{where}.name", 'Duplicate value: "main"')
    wrong = complaints(stored(), debugger(ports=[{"containerPort": 80}], resources={"limits": {"cpu": "1"}}))
    assert [field for field, _ in wrong] == [f"{where}.ports", f"{where}.resources"]
    assert all(message == "Forbidden: cannot be set for an Ephemeral Container" for _, message in wrong)


def test_a_new_pod_has_none() -> None:
    pod = stored()
    pod["spec"]["ephemeralContainers"] = [debugger()]
    STRATEGY.default(pod)
    assert ("spec.ephemeralContainers", "Forbidden: cannot be set on create") in [
        (cause.field, cause.message) for cause in STRATEGY.validate(pod)
    ]
