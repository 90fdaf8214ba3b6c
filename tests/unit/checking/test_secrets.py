"""Check "secrets": what looks like one is found and never repeated."""

from __future__ import annotations

import pytest

from skerry.kube.objects import Obj
from tests.unit.checking.objects import deployment, found


def config_map(**data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_PASSWORD", "hunter22"), ("DB_PASS", "geheim"), ("API_KEY", "0a1b2c"), ("apiKey", "0a1b2c"),
        ("SECRET_KEY", "django-insecure-1"), ("GITHUB_TOKEN", "abc"), ("AWS_SECRET_ACCESS_KEY", "abc/def"),
        ("MINIO_ROOT_PASSWORD", "minio123"), ("DATABASE_URL", "postgres://me:hunter22@db/x"), ("SESSION_SALT",
        "k29dXm4pQz81vTbWs0Lr"), ("X", "AKIAIOSFODNN7EXAMPLE"), ("X", "ghp_" + "a1" * 18),
        ("KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
    ],
)  # fmt: skip
def test_secrets_in_environments(name: str, value: str) -> None:
    (said,) = found("secrets", deployment({"env": [{"name": name, "value": value}]}))
    assert said.startswith("Warning: Deployment web: spec.template.spec.containers[0].env[0].value: ")
    assert value not in said
    assert said.endswith("(keep it in a Secret, and name that with secretKeyRef or a volume)")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD_FILE", "/run/secrets/pw"), ("SECRET_NAME", "web"), ("TOKEN_TTL", "3600s"), ("USE_TOKEN", "true"),
        ("DB_PASSWORD", ""), ("DB_PASSWORD", "$(FROM_ELSEWHERE)"), ("TOKENIZER", "bert"), ("COMPASS", "north"),
        ("IMAGE", "web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("URL", "https://example.org/path"), ("PRIMARY_KEY", "id"), ("password_encryption", "scram-sha-256"),
        ("DATABASE_URL", "postgres://me:$(PASS)@db/x"),
    ],
)  # fmt: skip
def test_what_only_talks_of_secrets(name: str, value: str) -> None:
    assert found("secrets", deployment({"env": [{"name": name, "value": value}]})) == []


def test_secrets_in_arguments_and_config_maps() -> None:
    (option,) = found("secrets", deployment({"args": ["--port=80", "--password=hunter22"]}))
    assert "args[1]: the value of password in clear" in option
    (file,) = found("secrets", config_map(**{"app.ini": "[db]\nhost = db\npassword = hunter22\n"}))
    assert file.startswith("Warning: ConfigMap c: data[app.ini]: the value of password in clear")
    (key,) = found("secrets", config_map(id="-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n"))
    assert "data[id]: a private key" in key
    assert found("secrets", config_map(readme="ask for a password when you sign in\n", mode="fast")) == []
    assert found("secrets", {"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "hunter22"}}) == []


def test_applied_configurations_carry_secrets_too() -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    noted = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "annotations": {
        key: '{"stringData": {"url": "amqp://me:hunter22@mq"}}'}}}  # fmt: skip
    assert f"metadata.annotations[{key}]: a password in an address" in found("secrets", noted)[0]
