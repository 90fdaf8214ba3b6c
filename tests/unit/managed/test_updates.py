"""What creations and updates write into managedFields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.kube.objects import Obj
from tests.unit.managed.writes import CONFIG_MAPS, DEPLOYMENTS, PODS, created, fields, obj, updated, write


def config_map(**content: Any) -> Obj:
    return created(obj(CONFIG_MAPS, **content), write(CONFIG_MAPS, "maker"))


def test_a_creator_manages_what_it_created_and_no_identity() -> None:
    made = config_map(data={"b": "1", "a": "2"}, metadata={"labels": {"app": "x"}, "generateName": "it-"})
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "maker",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {".": {}, "f:a": {}, "f:b": {}},
                "f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:app": {}}},
            },
        }
    ]
    assert list(fields(made, "maker")["f:data"]) == [".", "f:a", "f:b"]  # type: ignore[index]


def test_an_object_with_nothing_in_it_has_no_managers() -> None:
    assert "managedFields" not in config_map()["metadata"]


def test_items_are_told_apart_by_their_keys_and_structs_by_value_are_nobodys() -> None:
    containers = [{"name": "web", "resources": {}, "ports": [{"containerPort": 80, "protocol": "TCP"}]}]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template, "strategy": {"type": "x"}}
    made = created(obj(DEPLOYMENTS, spec=spec, status={"replicas": 3}), write(DEPLOYMENTS, "maker"))
    port = {".": {}, "f:containerPort": {}, "f:protocol": {}}
    assert fields(made, "maker") == {
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": {"f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"web"}': {
                            ".": {},
                            "f:name": {},
                            "f:ports": {".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': port},
                            "f:resources": {},
                        }
                    }
                },
            },
        }
    }


def test_an_update_takes_what_it_changes_and_leaves_the_rest() -> None:
    made = config_map(data={"a": "1", "b": "2"})
    later = updated(made, write(CONFIG_MAPS, "other", at=5), data={"a": "1", "b": "3", "c": "4"})
    assert fields(later, "maker") == {"f:data": {".": {}, "f:a": {}}}
    assert fields(later, "other") == {"f:data": {"f:b": {}, "f:c": {}}}
    assert [entry["time"][-3:] for entry in later["metadata"]["managedFields"]] == ["00Z", "05Z"]


def test_what_is_gone_is_nobodys_and_removing_makes_no_manager() -> None:
    made = config_map(data={"a": "1", "b": "2"})
    later = updated(made, write(CONFIG_MAPS, "other", at=5), data={"a": "1"})
    assert fields(later, "other") is None
    assert fields(later, "maker") == {"f:data": {".": {}, "f:a": {}}}
    assert later["metadata"]["managedFields"][0]["time"] == "2026-01-01T00:00:00Z"


def test_an_update_that_changes_nothing_leaves_the_entries() -> None:
    made = config_map(data={"a": "1"})
    same = updated(made, write(CONFIG_MAPS, "other", at=9))
    assert same["metadata"]["managedFields"] == made["metadata"]["managedFields"]


def test_status_has_entries_of_its_own() -> None:
    made = created(obj(PODS, spec={"nodeName": "n"}, status={"phase": "Pending"}), write(PODS, "maker"))
    assert fields(made, "maker") == {"f:spec": {"f:nodeName": {}}}
    conditions = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Running", "conditions": conditions}
    later = updated(made, write(PODS, "kubelet", "status"), status=status, spec={"nodeName": "other"})
    ready = {".": {}, "f:status": {}, "f:type": {}}
    expected = {"f:status": {"f:conditions": {".": {}, 'k:{"type":"Ready"}': ready}, "f:phase": {}}}
    assert fields(later, "kubelet", subresource="status") == expected
    assert fields(later, "maker") == {"f:spec": {"f:nodeName": {}}}


@pytest.mark.parametrize("reset", [[], [{}]])
def test_a_client_can_have_the_managers_forgotten(reset: list[Obj]) -> None:
    made = config_map(data={"a": "1"})
    forgotten = updated(made, write(CONFIG_MAPS, "other"), metadata={"managedFields": reset}, data={"a": "2"})
    assert "managedFields" not in forgotten["metadata"]
    assert "managedFields" not in updated(forgotten, write(CONFIG_MAPS, "other"), data={"a": "3"})["metadata"]


def test_a_client_that_knows_nothing_of_managers_does_not_lose_them() -> None:
    made = config_map(data={"a": "1"})
    later = updated(made, write(CONFIG_MAPS, "other"), metadata={"managedFields": None})
    assert later["metadata"]["managedFields"] == made["metadata"]["managedFields"]


@pytest.mark.parametrize(
    "broken",
    [
        {"operation": "Other", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}},
        {"operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV2", "fieldsV1": {"f:data": {}}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"data": {}}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"k:{": {}}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": 1}},
    ],
)
def test_entries_that_cannot_be_read_are_passed_over(broken: Obj) -> None:
    made = config_map(data={"a": "1"})
    later = updated(made, write(CONFIG_MAPS, "other"), metadata={"managedFields": [broken]})
    assert later["metadata"]["managedFields"] == made["metadata"]["managedFields"]


def test_a_client_may_name_managers_itself() -> None:
    made = config_map(data={"a": "1"})
    entry = {"manager": "me", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    fields_v1 = {"f:data": {".": {}, "x:what": {}, "f:a": {}}}
    later = updated(made, write(CONFIG_MAPS, "other"), metadata={"managedFields": [{**entry, "fieldsV1": fields_v1}]})
    assert later["metadata"]["managedFields"] == [{**entry, "fieldsV1": {"f:data": {".": {}, "f:a": {}}}}]


def test_ten_updaters_are_told_apart_and_the_oldest_become_one() -> None:
    now = config_map(data={"first": "1"})
    for number in range(1, 12):
        data = {**now["data"], f"key{number}": "1"}
        now = updated(now, write(CONFIG_MAPS, f"m{number}", at=number), data=data)
    entries = now["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["ancient-changes", *(f"m{number}" for number in range(3, 12))]
    oldest = {".": {}, "f:first": {}, "f:key1": {}, "f:key2": {}}
    assert fields(now, "ancient-changes") == {"f:data": oldest}
    assert entries[0]["time"] == "2026-01-01T00:00:02Z"


def test_numbers_in_keys_order_as_numbers() -> None:
    ports = [{"containerPort": port, "protocol": "TCP"} for port in (443, 80, 8080)]
    made = created(obj(PODS, spec={"containers": [{"name": "web", "ports": ports}]}), write(PODS, "maker"))
    found = fields(made, "maker")["f:spec"]["f:containers"]['k:{"name":"web"}']["f:ports"]  # type: ignore[index]
    assert [json.loads(key[2:])["containerPort"] for key in list(found)[1:]] == [80, 443, 8080]
