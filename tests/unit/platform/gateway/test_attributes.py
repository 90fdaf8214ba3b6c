"""Requests in the words of access control."""

from __future__ import annotations

import pytest

from skerry.platform.identity.gateway.attributes import attributes_of, is_watch

CORE = {"group": "", "version": "v1"}
LAB = {**CORE, "namespace": "lab"}


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/api/v1/namespaces/lab/pods", {**LAB, "resource": "pods", "verb": "list"}),
        ("GET", "/api/v1/namespaces/lab/pods?watch=true", {**LAB, "resource": "pods", "verb": "watch"}),
        ("GET", "/api/v1/namespaces/lab/pods?watch=0", {**LAB, "resource": "pods", "verb": "list"}),
        ("GET", "/api/v1/pods?watch=1&fieldSelector=metadata.name%3Dbox",
         {**CORE, "resource": "pods", "verb": "watch", "name": "box"}),
        ("GET", "/api/v1/namespaces/lab/pods/box/log?follow=1",
         {**LAB, "resource": "pods", "name": "box", "subresource": "log", "verb": "get"}),
        ("POST", "/api/v1/namespaces/lab/pods/box/exec?command=id",
         {**LAB, "resource": "pods", "name": "box", "subresource": "exec", "verb": "create"}),
        ("GET", "/api/v1/namespaces/lab/services/web:80/proxy/a/b",
         {**LAB, "resource": "services", "name": "web:80", "subresource": "proxy", "verb": "get"}),
        ("GET", "/api/v1/namespaces/lab", {**LAB, "resource": "namespaces", "name": "lab", "verb": "get"}),
        ("PUT", "/api/v1/namespaces/lab/finalize",
         {**LAB, "resource": "namespaces", "name": "lab", "subresource": "finalize", "verb": "update"}),
        ("DELETE", "/apis/apps/v1/namespaces/lab/deployments",
         {"group": "apps", "version": "v1", "namespace": "lab", "resource": "deployments", "verb": "deletecollection"}),
        ("PATCH", "/apis/apps/v1/namespaces/lab/deployments/web/scale",
         {"group": "apps", "version": "v1", "namespace": "lab", "resource": "deployments", "name": "web",
          "subresource": "scale", "verb": "patch"}),
        ("GET", "/api/v1/watch/namespaces/lab/pods", {**LAB, "resource": "pods", "verb": "watch"}),
        ("HEAD", "/api/v1/nodes/one", {**CORE, "resource": "nodes", "name": "one", "verb": "get"}),
    ],
)  # fmt: skip
def test_resources(method: str, target: str, expected: dict[str, str]) -> None:
    assert attributes_of(method, target) == {"resourceAttributes": expected}
    assert is_watch(attributes_of(method, target)) == (expected["verb"] == "watch")


@pytest.mark.parametrize("path", ["/", "/api", "/apis", "/apis/apps/v1", "/version", "/openapi/v3/api/v1", "/logs/x"])
def test_other_paths(path: str) -> None:
    assert attributes_of("GET", f"{path}?x=1") == {"nonResourceAttributes": {"path": path, "verb": "get"}}
