"""`pods/resize`: what it may change, and what it refuses."""

from __future__ import annotations

from skerry.engine.schema.kinds.core.pod import PodStrategy
from skerry.kube.objects import Obj, copy_of

from .objects import CORE, container, created

STRATEGY = PodStrategy()


def stored(**resources: Obj) -> Obj:
    return created(CORE["pods"], container(resources=resources))


def resized(old: Obj, **resources: Obj) -> tuple[Obj, dict[str, str]]:
    new = copy_of(old)
    new["spec"]["containers"][0] |= {"resources": resources, "image": "smuggled"}
    STRATEGY.default(new)
    STRATEGY.prepare_resize(new, old)
    return new, {cause.field: cause.message for cause in STRATEGY.validate_resize(new, old)}


def test_resources_change_and_nothing_else() -> None:
    old = stored(requests={"cpu": "1", "memory": "1Gi"})
    new, wrong = resized(old, requests={"cpu": "2", "memory": "1Gi"}, limits={"cpu": "3"})
    assert wrong == {}
    assert new["spec"]["containers"][0]["image"] == old["spec"]["containers"][0]["image"]
    assert new["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "3"}
    assert new["metadata"]["generation"] == old["metadata"]["generation"] + 1


def test_what_may_not_change() -> None:
    old = stored(requests={"cpu": "1", "memory": "1Gi", "example.com/gpu": "1"}, limits={"example.com/gpu": "1"})
    _, wrong = resized(old, requests={"cpu": "1", "example.com/gpu": "1"}, limits={"example.com/gpu": "1"})
    assert wrong == {"spec.containers[0].resources.requests": "Forbidden: resource requests cannot be removed"}
    more = {"example.com/gpu": "2"}
    _, wrong = resized(old, requests={"cpu": "1", "memory": "1Gi", **more}, limits=more)
    assert wrong == {"spec": "Forbidden: only cpu and memory resources are mutable"}
    whole = {"cpu": "1", "memory": "1Gi"}
    _, wrong = resized(stored(requests=whole, limits=whole), requests=whole, limits={**whole, "cpu": "2"})
    assert "Pod QOS Class may not change as a result of resizing" in wrong["spec"]


def test_the_pod_as_a_whole() -> None:
    asked = container(resources={"requests": {"cpu": "1"}})
    asked["spec"]["resources"] = {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "4"}}
    old = created(CORE["pods"], asked)
    new = copy_of(old)
    new["spec"]["resources"] = {"requests": {"cpu": "3", "memory": "1Gi"}, "limits": {"cpu": "5"}}
    STRATEGY.prepare_resize(new, old)
    assert STRATEGY.validate_resize(new, old) == []
    assert new["spec"]["resources"]["limits"] == {"cpu": "5"}
    new["spec"]["resources"] = {"requests": {"cpu": "500m"}, "limits": {"cpu": "5"}}
    STRATEGY.prepare_resize(new, old)
    wrong = {cause.field: cause.message for cause in STRATEGY.validate_resize(new, old)}
    assert "cannot be removed" in wrong["spec.resources.requests"]
    assert "aggregate container requests of 1" in wrong["spec.resources.requests[cpu]"]
    without = copy_of(old)
    del without["spec"]["resources"]
    STRATEGY.prepare_resize(without, old)
    assert without["spec"]["resources"] == old["spec"]["resources"], "a client that does not know of it changes nothing"
