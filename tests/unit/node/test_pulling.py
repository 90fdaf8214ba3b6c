"""Image policies, names and credentials."""

from __future__ import annotations

import base64
import json

import pytest

from skerry.engine.node.pulling.credentials import credentials, registry_of
from skerry.engine.node.pulling.puller import policy_of
from skerry.kube.objects import Obj


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("app", "Always"),
        ("app:latest", "Always"),
        ("app:1", "IfNotPresent"),
        ("host:5000/app", "Always"),
        ("app@sha256:" + "0" * 64, "IfNotPresent"),
    ],
)
def test_policy_by_default(image: str, policy: str) -> None:
    assert policy_of({"image": image}) == policy
    assert policy_of({"image": image, "imagePullPolicy": "Never"}) == "Never"


@pytest.mark.parametrize(
    ("image", "registry"),
    [("app:1", "docker.io"), ("me/app", "docker.io"), ("localhost/x", "localhost"), ("a.example:5/x", "a.example:5")],
)
def test_registry(image: str, registry: str) -> None:
    assert registry_of(image) == registry


def secret(auths: Obj) -> Obj:
    text = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
    return {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": text}}


def users(image: str, *secrets: Obj) -> list[str]:
    return [auth.username for auth in credentials(image, secrets)]


def test_credentials_of_the_matching_registry() -> None:
    encoded = base64.b64encode(b"bob:pass:word").decode()
    both = secret({"https://index.docker.io/v1/": {"username": "hub"}, "r.example": {"auth": encoded}})
    assert users("app:1", both) == ["hub"]
    found = credentials("r.example/app:1", [both])
    assert [(auth.username, auth.password, auth.server_address) for auth in found] == [("bob", "pass:word", "")]
    assert users("other.example/app", both) == []


def test_longest_path_first_and_wildcards() -> None:
    several = secret({"r.example": {"username": "all"}, "r.example/team": {"username": "team"}})
    assert users("r.example/team/app", several) == ["team", "all"]
    assert users("r.example/teammate/app", several) == ["all"]
    assert users("eu.r.example/app", secret({"*.r.example": {"username": "any"}})) == ["any"]


@pytest.mark.parametrize(
    "data", [{}, {".dockerconfigjson": "!!"}, {".dockerconfigjson": base64.b64encode(b"[1]").decode()}]
)
def test_broken_secrets_count_as_absent(data: Obj) -> None:
    assert users("app", {"type": "kubernetes.io/dockerconfigjson", "data": data}) == []
