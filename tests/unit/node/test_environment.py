"""Environment, expansion, downward API, service variables."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.node.errors import ConfigError
from skerry.engine.node.spec.downward import NodeFacts, PodFacts, field_value, format_map, resource_value
from skerry.engine.node.spec.environment import Sources, environment, references, service_variables
from skerry.engine.node.spec.expansion import expand
from tests.unit.node.views import container, pod

NODE = NodeFacts("n1", ("192.168.0.9",), {"cpu": Decimal(4), "memory": Decimal(8 * 2**30)})
FACTS = PodFacts(pod(serviceAccountName="robot"), NODE, ("10.0.0.5",))


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y2"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A", "$A"),
        ("$(A", "$(A"),
        ("", ""),
        ("$", "$"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expanded


@given(st.text(alphabet="$()AB ", max_size=12))
def test_expansion_never_fails_and_leaves_plain_text(text: str) -> None:
    expanded = expand(text, {})
    assert expanded == text.replace("$$", "$") or "$$" in text


def test_order_and_reference_to_earlier_variables() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}, {"name": "C", "value": "3"}]
    assert environment(FACTS, container(env=env), Sources({})) == {"A": "1", "B": "1$(C)", "C": "3"}


def test_sources_and_precedence() -> None:
    settings = {"data": {"A": "map", "B": "map"}}
    secret = {"data": {"B": base64.b64encode(b"secret").decode()}}
    objects = {("ConfigMap", "c"): settings, ("Secret", "s"): secret}
    source = container(
        envFrom=[{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}, "prefix": "P_"}],
        env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "B"}}}],
    )
    assert references(source) == set(objects)
    assert environment(FACTS, source, Sources(objects)) == {"A": "secret", "B": "map", "P_B": "secret"}


def test_missing_things() -> None:
    wanted = container(env=[{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}])
    with pytest.raises(ConfigError, match='configmap "c" not found'):
        environment(FACTS, wanted, Sources({("ConfigMap", "c"): None}))
    with pytest.raises(ConfigError, match="couldn't find key k in ConfigMap default/c"):
        environment(FACTS, wanted, Sources({("ConfigMap", "c"): {"data": {}}}))
    optional = container(envFrom=[{"secretRef": {"name": "s", "optional": True}}])
    assert environment(FACTS, optional, Sources({("Secret", "s"): None})) == {}
    unsupported = container(env=[{"name": "A", "valueFrom": {"futureRef": {"path": "x"}}}])
    with pytest.raises(ConfigError, match="unsupported env valueFrom: futureRef"):
        environment(FACTS, unsupported, Sources({}))


def test_fields() -> None:
    values = {
        path: field_value(FACTS, path) for path in ("metadata.name", "spec.nodeName", "status.podIP", "status.hostIP")
    }
    assert list(values.values()) == ["web", "n1", "10.0.0.5", "192.168.0.9"]
    assert field_value(FACTS, "spec.serviceAccountName") == "robot"
    labelled = PodFacts({**pod(), "metadata": {"labels": {"a.b/c": "d"}}}, NODE)
    assert field_value(labelled, "metadata.labels['a.b/c']") == "d"
    assert field_value(labelled, "metadata.annotations['none']") == ""
    with pytest.raises(ConfigError):
        field_value(FACTS, "spec.containers")


def test_label_files_are_quoted() -> None:
    assert format_map({"b": 'x"y', "a": "l1\nl2"}) == 'a="l1\\nl2"\nb="x\\"y"'


def test_resources() -> None:
    limited = PodFacts(pod(container(resources={"limits": {"cpu": "250m"}, "requests": {"memory": "1500Ki"}})), NODE)
    assert resource_value(limited, {"resource": "limits.cpu"}, "main") == "1"
    assert resource_value(limited, {"resource": "limits.cpu", "divisor": "1m"}, "main") == "250"
    assert resource_value(limited, {"resource": "requests.memory", "divisor": "1Mi"}, "main") == "2"
    assert resource_value(limited, {"resource": "limits.memory", "divisor": "1Gi"}, "main") == "8"
    with pytest.raises(ConfigError, match="container other not found"):
        resource_value(limited, {"resource": "limits.cpu", "containerName": "other"}, "main")


def test_service_variables() -> None:
    ports = [{"name": "http", "port": 80}, {"port": 443, "protocol": "TCP"}]
    web = {"metadata": {"name": "my-web", "namespace": "default"}, "spec": {"clusterIP": "10.1.0.2", "ports": ports}}
    headless = {"metadata": {"name": "db", "namespace": "default"}, "spec": {"clusterIP": "None", "ports": ports}}
    variables = dict(service_variables([web, headless], "default", links=True))
    assert variables["MY_WEB_SERVICE_HOST"] == "10.1.0.2"
    assert variables["MY_WEB_SERVICE_PORT_HTTP"] == "80"
    assert variables["MY_WEB_PORT_443_TCP_ADDR"] == "10.1.0.2"
    assert not any(name.startswith("DB") for name in variables)
    assert dict(service_variables([web], "default", links=False)) == {}
    assert dict(service_variables([web], "other", links=True)) == {}
