"""The whole life of a definition and its objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.store.sqlite import SqliteStore
from skerry.kube.errors import BadRequest, Expired, Invalid, MethodNotAllowed, NotFound, UnsupportedMediaType
from skerry.kube.objects import Resource
from skerry.kube.resources import LEASES
from tests.support.api import RunningApi, running_api
from tests.support.definitions import (
    CRDS,
    NAME,
    WIDGETS,
    condition,
    define,
    definition,
    has_condition,
    version,
    widget,
)
from tests.support.waiting import until, until_raises

SPEC = {
    "type": "object",
    "properties": {
        "size": {"type": "string", "enum": ["s", "m"]},
        "replicas": {"type": "integer", "default": 1, "minimum": 0},
        "fixed": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is fixed"}]},
    },
    "x-kubernetes-validations": [
        {
            "rule": "self.replicas < 10 || self.size == 'm'", "fieldPath": ".replicas",
            "messageExpression": "'too many: %d'.format([self.replicas])", "reason": "FieldValueForbidden",
        }
    ],
}  # fmt: skip
STATUS = {"type": "object", "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}}}
SUBRESOURCES = {
    "status": {},
    "scale": {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    },
}
WIDGET = definition(version("v1", {"spec": SPEC, "status": STATUS}, subresources=SUBRESOURCES))


async def test_a_definition_gets_its_names_and_is_served(api: RunningApi) -> None:
    served = await define(api.client, WIDGET)
    assert served["status"]["acceptedNames"]["listKind"] == "WidgetList"
    assert served["status"]["storedVersions"] == ["v1"]
    assert condition(served, "NamesAccepted")["reason"] == "NoConflicts"
    made = await api.client.create(WIDGETS, widget("a", spec={"size": "s", "junk": 1}))
    assert made["spec"] == {"size": "s", "replicas": 1}
    assert made["metadata"]["generation"] == 1
    assert (await api.client.list(WIDGETS, "default")).items == [made]


async def test_names_that_are_taken_are_not_accepted_until_they_are_free(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    other = definition(plural="gadgets", kind="Widget")
    await api.client.create(CRDS, other)
    refused = await has_condition(api.client, "gadgets.example.com", "NamesAccepted", "False")
    assert condition(refused, "NamesAccepted")["message"] == '"WidgetList" is already in use'
    assert condition(refused, "Established")["status"] == "False"
    await api.client.delete(CRDS, NAME)
    await has_condition(api.client, "gadgets.example.com", "Established")


async def test_generation_status_and_scale(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    made = await api.client.create(WIDGETS, widget("a", spec={"size": "s"}, status={"replicas": 9}))
    assert "status" not in made
    labelled = await api.client.patch(WIDGETS, "a", {"metadata": {"labels": {"x": "y"}}}, "default")
    assert labelled["metadata"]["generation"] == 1
    bigger = await api.client.patch(WIDGETS, "a", {"spec": {"replicas": 2}, "status": {"replicas": 9}}, "default")
    assert (bigger["metadata"]["generation"], "status" in bigger) == (2, False)
    seen = {"spec": {"replicas": 7}, "status": {"replicas": 2, "selector": "a=b"}}
    reported = await api.client.patch(WIDGETS, "a", seen, "default", subresource="status")
    assert (reported["spec"]["replicas"], reported["status"]["replicas"]) == (2, 2)
    assert reported["metadata"]["generation"] == 2
    scale = await api.client.get(WIDGETS, "a", "default", "scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 2, "selector": "a=b"})
    await api.client.patch(WIDGETS, "a", {"spec": {"replicas": 5}}, "default", subresource="scale")
    assert (await api.client.get(WIDGETS, "a", "default"))["spec"]["replicas"] == 5


async def test_values_and_rules_are_checked(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    with pytest.raises(Invalid, match=r'spec\.size: Unsupported value: "x": supported values: "s", "m"'):
        await api.client.create(WIDGETS, widget("a", spec={"size": "x"}))
    with pytest.raises(Invalid, match=r"spec\.replicas: Forbidden: too many: 11"):
        await api.client.create(WIDGETS, widget("a", spec={"size": "s", "replicas": 11}))
    await api.client.create(WIDGETS, widget("a", spec={"size": "s", "fixed": "x"}))
    with pytest.raises(Invalid, match=r'spec\.fixed: Invalid value: "y": is fixed'):
        await api.client.patch(WIDGETS, "a", {"spec": {"fixed": "y"}}, "default")


async def test_patches(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    await api.client.create(WIDGETS, widget("a", spec={"size": "s"}))
    changed = await api.client.patch(
        WIDGETS, "a", [{"op": "replace", "path": "/spec/size", "value": "m"}], "default", kind="json"
    )
    assert changed["spec"]["size"] == "m"
    with pytest.raises(UnsupportedMediaType):
        await api.client.patch(WIDGETS, "a", {"spec": {}}, "default", kind="strategic")


async def test_new_defaults_show_on_what_was_stored_before(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    await api.client.create(WIDGETS, widget("a", spec={"size": "s"}))
    spec = {**SPEC, "properties": {**SPEC["properties"], "colour": {"type": "string", "default": "red"}}}
    newer = version("v1", {"spec": spec, "status": STATUS}, subresources=SUBRESOURCES)
    await api.client.patch(CRDS, NAME, {"spec": {"versions": [newer]}})
    await until(lambda: _is_red(api))
    assert (await api.client.list(WIDGETS)).items[0]["spec"]["colour"] == "red"


async def _is_red(api: RunningApi) -> bool:
    return (await api.client.get(WIDGETS, "a", "default"))["spec"].get("colour") == "red"


async def test_a_watch_ends_when_the_definition_changes(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    revision = (await api.client.list(WIDGETS)).resource_version
    async with api.client.watch(WIDGETS, resource_version=revision) as events:
        await api.client.create(WIDGETS, widget("a", spec={"size": "s"}))
        assert (await anext(events)).object["metadata"]["name"] == "a"
        await api.client.patch(CRDS, NAME, {"spec": {"names": {"shortNames": ["wg"]}}})
        with pytest.raises(Expired):
            await anext(events)


async def test_objects_go_with_their_definition_finalizers_first(api: RunningApi) -> None:
    await define(api.client, WIDGET)
    held = widget("held", spec={"size": "s"})
    held["metadata"]["finalizers"] = ["example.com/hold"]
    await api.client.create(WIDGETS, held)
    await api.client.create(WIDGETS, widget("free", spec={"size": "s"}))
    await api.client.delete(CRDS, NAME)
    ending = await has_condition(api.client, NAME, "Terminating")
    assert ending["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    await until(lambda: _are_left(api, "held"))
    with pytest.raises(MethodNotAllowed):
        await api.client.create(WIDGETS, widget("late", spec={"size": "s"}))
    left = (await api.client.get(WIDGETS, "held", "default"))["metadata"]
    assert left["deletionTimestamp"]
    await _release(api)
    await until_raises(NotFound, lambda: api.client.get(CRDS, NAME))
    with pytest.raises(NotFound, match="could not find the requested resource"):
        await api.client.list(WIDGETS)
    await define(api.client, WIDGET)
    assert (await api.client.list(WIDGETS)).items == []


async def _are_left(api: RunningApi, *names: str) -> bool:
    return [one["metadata"]["name"] for one in (await api.client.list(WIDGETS)).items] == list(names)


async def _release(api: RunningApi) -> None:
    """Take the finalizer off, as its controller would."""
    await api.client.patch(WIDGETS, "held", {"metadata": {"finalizers": None}}, "default")


async def test_definitions_are_known_before_requests_are_served(tmp_path: Path) -> None:
    async with running_api(store=await SqliteStore.open(tmp_path / "db"), folder=tmp_path) as first:
        await define(first.client, WIDGET)
        await first.client.create(WIDGETS, widget("a", spec={"size": "s"}))
    async with running_api(store=await SqliteStore.open(tmp_path / "db"), folder=tmp_path) as second:
        assert (await second.client.get(WIDGETS, "a", "default"))["spec"] == {"size": "s", "replicas": 1}
        assert condition(await second.client.get(CRDS, NAME), "Established")["status"] == "True"


async def test_versions_with_the_same_schema_differ_in_name_only(api: RunningApi) -> None:
    spec = {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    await define(api.client, definition(version("v1", spec), version("v2", spec, storage=False)))
    newer = Resource("example.com", "v2", "widgets", "Widget")
    made = await api.client.create(newer, widget("a", "example.com/v2", spec={"x": 1}))
    assert made["apiVersion"] == "example.com/v2"
    assert (await api.client.get(WIDGETS, "a", "default"))["apiVersion"] == "example.com/v1"
    assert [each["apiVersion"] for each in (await api.client.list(newer)).items] == ["example.com/v2"]
    stored = api.store.list(NAME)[0].decode()
    assert stored["apiVersion"] == "example.com/v1"
    with pytest.raises(BadRequest, match="does not match the expected API version"):
        await api.client.create(newer, widget("b", "example.com/v1"))


async def test_a_definition_of_a_built_in_resource_leaves_that_alone(api: RunningApi) -> None:
    obj = definition(plural="leases", kind="Lease", group="coordination.k8s.io")
    name = "leases.coordination.k8s.io"
    obj["metadata"] = {"name": name, "annotations": {"api-approved.kubernetes.io": "unapproved, a test"}}
    lease = await api.client.create(LEASES, {"metadata": {"name": "held"}, "spec": {"holderIdentity": "me"}}, "default")
    await define(api.client, obj)
    assert await api.client.get(LEASES, "held", "default") == lease
    await api.client.delete(CRDS, name)
    await until_raises(NotFound, lambda: api.client.get(CRDS, name))
    assert await api.client.get(LEASES, "held", "default") == lease
