"""Custom resources as people use them, with the real kubectl."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.api import RunningApi
from tests.support.definitions import definition, version
from tests.support.kubectl import Kubectl
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

SPEC = {
    "type": "object",
    "description": "What the widget is to be.",
    "properties": {"size": {"type": "string", "description": "How big."}, "replicas": {"type": "integer"}},
}
COLUMNS = [
    {"name": "Size", "type": "string", "jsonPath": ".spec.size"},
    {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
SCALE = {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}, "status": {}}
FIELDS = [{"jsonPath": ".spec.size"}]
OLD = version("v1alpha1", {"spec": SPEC}, storage=False, deprecated=True, deprecationWarning="v1alpha1 is going")
CRD = definition(
    version("v1", {"spec": SPEC}, additionalPrinterColumns=COLUMNS, subresources=SCALE, selectableFields=FIELDS), OLD,
    names={"plural": "widgets", "kind": "Widget", "shortNames": ["wg"], "categories": ["toys"]},
)  # fmt: skip
OBJECT = """
apiVersion: example.com/v1
kind: Widget
metadata: {name: %s, namespace: default}
spec: {size: %s, replicas: 2}
"""


async def make(kubectl: Kubectl) -> None:
    await kubectl("create", "-f", "-", stdin=json.dumps(CRD))
    await kubectl("wait", "--for", "condition=established", "crd/widgets.example.com", WITHIN)
    await kubectl("apply", "-f", "-", stdin=OBJECT % ("a", "big") + "---" + OBJECT % ("b", "small"))


async def test_short_names_columns_and_categories(kubectl: Kubectl) -> None:
    await make(kubectl)
    lines = (await kubectl("get", "wg")).out.splitlines()
    assert lines[0].split() == ["NAME", "SIZE", "AGE"]
    assert lines[1].split()[:2] == ["a", "big"]
    wide = (await kubectl("get", "widgets", "a", "-o", "wide")).out.splitlines()
    assert wide[0].split() == ["NAME", "SIZE", "REPLICAS", "AGE"]
    assert wide[1].split()[:3] == ["a", "big", "2"]
    assert "widget.example.com/a" in (await kubectl("get", "toys", "-o", "name")).out


async def test_what_was_applied_is_changed_by_applying_again(kubectl: Kubectl) -> None:
    """kubectl takes the format of its patch from what the OpenAPI document says PATCH consumes."""
    await make(kubectl)
    again = await kubectl("apply", "-f", "-", stdin=OBJECT % ("a", "small"))
    assert (again.out, again.err) == ("widget.example.com/a configured\n", "")
    assert (await kubectl("get", "wg", "a", "-o", "jsonpath={.spec.size}")).out == "small"


async def test_explain_scale_and_field_selectors(kubectl: Kubectl) -> None:
    await make(kubectl)
    assert "How big." in (await kubectl("explain", "widgets.spec.size")).out
    await kubectl("scale", "wg/a", "--replicas=5")
    assert (await kubectl("get", "wg", "a", "-o", "jsonpath={.spec.replicas}")).out == "5"
    assert (await kubectl("get", "wg", "--field-selector", "spec.size=small", "-o", "name")).out.split() == [
        "widget.example.com/b"
    ]
    refused = await kubectl.attempt("get", "wg", "--field-selector", "spec.replicas=2")
    assert "field label not supported: spec.replicas" in refused.err


async def test_unknown_fields_are_refused_warned_of_or_dropped(kubectl: Kubectl) -> None:
    await make(kubectl)
    odd = (OBJECT % ("c", "big")).replace("replicas: 2", "replicas: 2, colour: red")
    strict = await kubectl.attempt("create", "-f", "-", "--validate=strict", stdin=odd)
    assert 'strict decoding error: unknown field "spec.colour"' in strict.err
    warned = await kubectl("create", "-f", "-", "--validate=warn", stdin=odd)
    assert 'Warning: unknown field "spec.colour"' in warned.err
    assert (await kubectl("get", "wg", "c", "-o", "jsonpath={.spec.colour}")).out == ""


async def test_users_of_a_deprecated_version_are_told(kubectl: Kubectl) -> None:
    await make(kubectl)
    told = await kubectl("get", "widgets.v1alpha1.example.com")
    assert "Warning: v1alpha1 is going" in told.err


async def test_discovery_and_openapi_say_so_at_once(api: RunningApi, kubectl: Kubectl) -> None:
    await make(kubectl)
    assert "widgets" in (await kubectl("api-resources", "--api-group=example.com")).out
    raw = RawApi(api.kubeconfig)
    try:
        code, document = await _get(raw, "/openapi/v3/apis/example.com/v1")
        assert code == 200
        schema = document["components"]["schemas"]["com.example.v1.Widget"]
        assert schema["x-kubernetes-group-version-kind"] == [
            {"group": "example.com", "kind": "Widget", "version": "v1"}
        ]
        code, swagger = await _get(raw, "/openapi/v2")
        assert "com.example.v1.WidgetList" in swagger["definitions"]
        code, group = await _get(raw, "/apis/example.com")
        assert group["preferredVersion"]["version"] == "v1"
    finally:
        raw.close()


async def _get(raw: RawApi, path: str) -> tuple[int, Any]:
    return await asyncio.to_thread(raw.call, "GET", path)


async def test_server_side_apply_merges_maps_by_their_keys(kubectl: Kubectl) -> None:
    ports = {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"],
                  "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}},
    }  # fmt: skip
    listed = version("v1", {"spec": {"type": "object", "properties": {"ports": ports}}})
    await kubectl("create", "-f", "-", stdin=json.dumps(definition(listed)))
    await kubectl("wait", "--for", "condition=established", "crd/widgets.example.com", WITHIN)
    for manager, port in (("one", 1), ("two", 2)):
        spec = {"ports": [{"name": manager, "port": port}]}
        obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}
        await kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=json.dumps(obj))
    assert (await kubectl("get", "widget", "a", "-o", "jsonpath={.spec.ports[*].port}")).out == "1 2"
