"""Server-side apply on objects of known schemas: merging, removing, sharing, conflicts."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.managed.applying import apply
from skerry.engine.schema.managed.conflicts import ApplyConflict
from skerry.kube.objects import Obj
from tests.unit.managed.writes import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    SERVICES,
    Key,
    config,
    created,
    fields,
    obj,
    updated,
    write,
)


def applied(key: Key, live: Obj | None, by: str, *, force: bool = False, at: int = 0, **content: Any) -> Obj:
    """The object after `by` has applied this."""
    result = apply(live, config(key, **content), write(key, by, at=at), force=force)
    result["metadata"].setdefault("uid", "u")
    return result


def containers(*names: str, **more: Any) -> Obj:
    return {"containers": [{"name": name, "image": f"{name}:1", **more} for name in names]}


def test_apply_creates_with_only_what_was_applied() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1"}, metadata={"labels": {"x": "y"}})
    assert made["data"] == {"a": "1"}
    (entry,) = made["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["time"]) == ("me", "Apply", "2026-01-01T00:00:00Z")
    assert entry["fieldsV1"] == {"f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:x": {}}}}


def test_apply_again_changes_nothing_not_even_times() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1"})
    assert applied(CONFIG_MAPS, made, "me", at=9, data={"a": "1"}) == made


def test_what_is_no_longer_applied_goes() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1", "b": "2"})
    assert applied(CONFIG_MAPS, made, "me", data={"a": "1"})["data"] == {"a": "1"}
    assert "data" not in applied(CONFIG_MAPS, made, "me")


def test_what_others_manage_too_stays() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1", "b": "2"})
    shared = applied(CONFIG_MAPS, made, "you", data={"b": "2"})
    assert fields(shared, "you", "Apply") == {"f:data": {"f:b": {}}}
    assert "time" not in shared["metadata"]["managedFields"][0]  # it changed nothing
    assert applied(CONFIG_MAPS, shared, "me", data={"a": "1"})["data"] == {"a": "1", "b": "2"}


def test_what_nobody_applied_stays() -> None:
    made = created(obj(CONFIG_MAPS, data={"a": "1"}), write(CONFIG_MAPS, "other"))
    more = applied(CONFIG_MAPS, made, "me", data={"b": "2"})
    assert more["data"] == {"a": "1", "b": "2"}
    assert applied(CONFIG_MAPS, more, "me")["data"] == {"a": "1"}


def test_another_value_is_a_conflict_until_forced() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1", "b": "2"})
    with pytest.raises(ApplyConflict) as caught:
        applied(CONFIG_MAPS, made, "you", data={"a": "3"})
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "me": .data.a'
    taken = applied(CONFIG_MAPS, made, "you", force=True, data={"a": "3"})
    assert taken["data"] == {"a": "3", "b": "2"}
    assert (fields(taken, "me", "Apply"), fields(taken, "you", "Apply")) == (
        {"f:data": {"f:b": {}}},
        {"f:data": {"f:a": {}}},
    )


def test_updates_take_fields_from_who_applied_them() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1"})
    edited = updated(made, write(CONFIG_MAPS, "editor", at=3), data={"a": "2"})
    assert fields(edited, "me", "Apply") is None
    with pytest.raises(ApplyConflict, match=r'conflict with "editor" using v1: \.data\.a'):
        applied(CONFIG_MAPS, edited, "me", data={"a": "1"})


def test_giving_a_field_away_leaves_its_value() -> None:
    """The documented hand-over to an autoscaler: both manage it, then the first stops."""
    spec = {"replicas": 3, "minReadySeconds": 1}
    made = applied(DEPLOYMENTS, None, "me", spec=spec)
    shared = applied(DEPLOYMENTS, made, "hpa", spec={"replicas": 3})
    alone = applied(DEPLOYMENTS, shared, "me", spec={"minReadySeconds": 1})
    assert alone["spec"]["replicas"] == 3
    assert fields(alone, "hpa", "Apply") == {"f:spec": {"f:replicas": {}}}


def test_list_items_merge_by_their_keys() -> None:
    made = applied(PODS, None, "me", spec=containers("a", "b"))
    more = applied(
        PODS, made, "sidecars", spec={"containers": [{"name": "b", "tty": True}, *containers("c")["containers"]]}
    )
    assert [(each["name"], each.get("tty"), each.get("image")) for each in more["spec"]["containers"]] == [
        ("a", None, "a:1"),
        ("b", True, "b:1"),
        ("c", None, "c:1"),
    ]
    less = applied(PODS, more, "me", spec=containers("b"))
    assert [each["name"] for each in less["spec"]["containers"]] == ["b", "c"]


def test_the_applied_order_wins() -> None:
    made = applied(PODS, None, "me", spec=containers("a", "b", "c"))
    turned = applied(PODS, made, "me", spec=containers("c", "a", "b"))
    assert [each["name"] for each in turned["spec"]["containers"]] == ["c", "a", "b"]
    other = applied(PODS, turned, "you", spec={"containers": [{"name": "z"}, {"name": "a"}]})
    assert [each["name"] for each in other["spec"]["containers"]] == ["c", "z", "a", "b"]


def test_a_port_without_protocol_is_a_tcp_port() -> None:
    made = applied(SERVICES, None, "me", spec={"ports": [{"port": 53}]})
    made["spec"]["ports"][0]["protocol"] = "TCP"  # as defaulting does
    both = applied(SERVICES, made, "me", spec={"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]})
    assert both["spec"]["ports"] == [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    keys = fields(both, "me", "Apply")["f:spec"]["f:ports"]  # type: ignore[index]
    assert list(keys) == ['k:{"port":53,"protocol":"TCP"}', 'k:{"port":53,"protocol":"UDP"}']


def test_sets_are_shared_value_by_value() -> None:
    made = applied(CONFIG_MAPS, None, "me", metadata={"finalizers": ["a/b", "c/d"]})
    more = applied(CONFIG_MAPS, made, "you", metadata={"finalizers": ["e/f", "c/d"]})
    assert sorted(more["metadata"]["finalizers"]) == ["a/b", "c/d", "e/f"]
    less = applied(CONFIG_MAPS, more, "me")
    assert sorted(less["metadata"]["finalizers"]) == ["c/d", "e/f"]


def test_atomic_lists_and_structs_are_one_field() -> None:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": containers("a", args=["x", "y"])}}
    made = applied(DEPLOYMENTS, None, "me", spec=spec)
    template = {"spec": {"containers": [{"name": "a", "args": ["x"]}]}}
    other = {"selector": {"matchExpressions": []}, "template": template}
    with pytest.raises(ApplyConflict) as caught:
        applied(DEPLOYMENTS, made, "you", spec=other)
    assert [cause["field"] for cause in caught.value.details["causes"]] == [
        ".spec.selector",
        '.spec.template.spec.containers[name="a"].args',
    ]
    forced = applied(DEPLOYMENTS, made, "you", force=True, spec=other)
    assert forced["spec"]["selector"] == {"matchExpressions": []}


def test_null_asks_for_nothing_where_there_is_content() -> None:
    made = applied(CONFIG_MAPS, None, "me", data={"a": "1"})
    assert applied(CONFIG_MAPS, made, "you", data=None)["data"] == {"a": "1"}


def test_what_was_there_before_anybody_tracked_it_has_an_owner() -> None:
    untracked = obj(CONFIG_MAPS, data={"a": "1"})
    with pytest.raises(ApplyConflict, match=r'conflict with "before-first-apply" using v1: \.data\.a'):
        applied(CONFIG_MAPS, untracked, "me", data={"a": "2"})
    more = applied(CONFIG_MAPS, untracked, "me", data={"b": "2"})
    assert fields(more, "before-first-apply") == {"f:data": {".": {}, "f:a": {}}}


def test_status_cannot_be_applied_beside_the_spec() -> None:
    made = applied(DEPLOYMENTS, None, "me", spec={"replicas": 1}, status={"replicas": 9})
    assert fields(made, "me", "Apply") == {"f:spec": {"f:replicas": {}}}


def test_kubectl_takes_over_what_client_side_apply_set() -> None:
    text = '{"apiVersion":"v1","data":{"a":"1","b":"1"},"kind":"ConfigMap","metadata":{"name":"it"}}'
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": text}
    live = obj(CONFIG_MAPS, data={"a": "1", "b": "edited"}, metadata={"annotations": annotations})
    made = created(live, write(CONFIG_MAPS, "kubectl-client-side-apply"))
    taken = applied(CONFIG_MAPS, made, "kubectl", data={"a": "2"})
    assert taken["data"] == {"a": "2", "b": "edited"}
    assert '"data":{"a":"2"}' in taken["metadata"]["annotations"][next(iter(annotations))]
    with pytest.raises(ApplyConflict) as caught:
        applied(CONFIG_MAPS, made, "kubectl", data={"a": "2", "b": "2"})
    assert [cause["field"] for cause in caught.value.details["causes"]] == [".data.b"]
    with pytest.raises(ApplyConflict):
        applied(CONFIG_MAPS, made, "flux", data={"a": "2"})
