"""A FrontDoor is read, or everything that is wrong with it is said, by path."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.cli.front_door import discovery, files
from skerry.cli.front_door.discovery import Found
from skerry.cli.front_door.reading import NotUsable, read
from tests.unit.front_door.documents import ROOT, document, door


def mistakes(directory: Path, change: Callable[[dict[str, Any]], object]) -> list[str]:
    changed = document()
    change(changed["spec"])
    with pytest.raises(NotUsable) as caught:
        door(directory, changed)
    return caught.value.mistakes


def test_what_is_not_given_has_its_usual_value(tmp_path: Path) -> None:
    found = door(tmp_path)
    assert found.web is not None
    assert (found.web.http_port, found.web.https_port) == (80, 443)
    second = found.ingress("second")
    assert (second.servers[0].port, second.tls) == (80, None)
    assert (second.check.interval, second.check.fall, second.check.rise) == (2.0, 3, 2)
    api = found.clusters[0].api
    assert api is not None
    assert (api.health_path, api.tls.server_name) == ("/readyz", "kubernetes")


def test_all_mistakes_are_told_at_once_with_their_paths(tmp_path: Path) -> None:
    def change(spec: dict[str, Any]) -> None:
        spec["virtualAddress"]["routerId"] = 300
        spec["web"]["routes"][0]["hosts"] = ["a b"]
        spec["web"]["colour"] = "red"
        spec["clusters"][0]["ingress"]["tls"] = {}
        spec["clusters"][1]["ingress"]["check"] = {"interval": "soon"}
        spec["clusters"].append("third")

    assert mistakes(tmp_path, change) == [
        "spec.virtualAddress.routerId: Invalid value: 300: must be between 1 and 255",
        'spec.web.routes[0].hosts[0]: Invalid value: "a b": must be a host name, *.domain or *',
        "spec.web.colour: unknown field",
        "spec.clusters[0].ingress.tls.caFile: Required value",
        'spec.clusters[1].ingress.check.interval: Invalid value: "soon": must be a duration from 1ms to 576h, like 2s',
        "spec.clusters[2]: must be an object",
        "spec.clusters[2].name: Required value",
    ]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (lambda s: s["balancers"].clear(), "spec.balancers: Required value: at least one machine"),
        (lambda s: s["balancers"][1].update(name="lb1"), 'spec.balancers[1].name: Duplicate value: "lb1"'),
        (
            lambda s: s["balancers"][1].update(address="lb2.example.com"),
            'spec.balancers[1].address: Invalid value: "lb2.example.com": VRRP needs an IPv4 address',
        ),
        (
            lambda s: s["virtualAddress"].update(addresses=["fd00::1/64"]),
            "spec.virtualAddress.addresses: Required value: at least one IPv4 address; IPv6 ones go with it",
        ),
        (
            lambda s: s["web"]["routes"][0].update(active=["third"]),
            'spec.web.routes[0].active[0]: Not found: "third": no cluster of that name has an ingress',
        ),
        (
            lambda s: s["web"]["routes"][0].update(backup=["k8s"]),
            'spec.web.routes[0].backup: Invalid value: "k8s": is among the active ones',
        ),
        (
            lambda s: s["web"]["routes"].append({"name": "b", "hosts": ["example.com"], "active": ["k8s"]}),
            'spec.web.routes[1].hosts: Duplicate value: "example.com" belongs to route k8s',
        ),
        (
            lambda s: s["clusters"][0]["api"].update(listen=443),
            "spec.web.httpsPort: Invalid value: 443: the port is taken by the API of cluster k8s",
        ),
        (
            lambda s: s["web"].update(httpPort=8405),
            "spec.web.httpPort: Invalid value: 8405: the port is taken by the balancer's own health check",
        ),
        (lambda s: s["clusters"][1].pop("ingress"), "spec.clusters[1]: needs an ingress or an api"),
        (
            lambda s: s["clusters"][1]["ingress"].update(servers=[]),
            "spec.clusters[1].ingress.servers: Required value: at least one",
        ),
        (
            lambda s: s["clusters"][0]["ingress"]["tls"].update(serverName="x", verifyName=False),
            "spec.clusters[0].ingress.tls.serverName: has no meaning with verifyName: false",
        ),
        (
            lambda s: s["clusters"][0]["ingress"]["tls"].update(caFile="/etc/x y"),
            'spec.clusters[0].ingress.tls.caFile: Invalid value: "/etc/x y": must be an absolute path without spaces',
        ),
    ],
)
def test_what_does_not_fit(tmp_path: Path, change: Callable[[dict[str, Any]], object], mistake: str) -> None:
    assert mistake in mistakes(tmp_path, change)


def test_nothing_to_balance_is_a_mistake(tmp_path: Path) -> None:
    def change(spec: dict[str, Any]) -> None:
        del spec["web"]
        spec["clusters"] = []

    assert mistakes(tmp_path, change) == ["spec: needs web, or a cluster with an api: there is nothing to balance"]


@pytest.mark.parametrize("password", ["", "ninechars", "two words", "semi;", "#hash", 'quote"'])
def test_a_password_that_keepalived_would_cut_or_misread_is_refused(tmp_path: Path, password: str) -> None:
    (tmp_path / "other").write_text(password)
    told = mistakes(tmp_path, lambda spec: spec["virtualAddress"].update(passwordFile="other"))
    assert len(told) == 1
    assert told[0].startswith("spec.virtualAddress.passwordFile: a VRRP password has 1 to 8")
    assert not password or password not in told[0]


@pytest.mark.parametrize("value", [None, 7, [], "text", {"spec": 3}, {"kind": "Pod", "spec": {"web": [1]}}])
def test_a_document_of_another_shape_is_refused_in_words(tmp_path: Path, value: Any) -> None:
    with pytest.raises(NotUsable) as caught:
        read(value, tmp_path)
    assert "apiVersion: Required value" in caught.value.mistakes


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["a\nb", "x y", "/a", "2s", "::1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
PLACES = [
    ("balancers", 0, "address"), ("virtualAddress", "interface"), ("web", "routes", 0, "hosts"), ("web", "challenges"),
    ("web", "routes", 0, "health"), ("clusters", 0, "ingress", "servers"), ("clusters", 0, "api", "tls"), ("timeouts",),
    ("clusters", 0, "ingress", "servers", 0, "name"), ("web", "tls", "certificates"), ("clusters", 0, "kubeconfig"),
    ("virtualAddress", "addresses"),
]  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_whatever_is_written_is_read_or_refused_and_never_adds_a_line(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: Any
) -> None:
    changed = document()
    inner = changed["spec"]
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    if discovery.sources(changed):  # nothing is asked here; what is of another shape must not stop it
        changed = discovery.filled(changed, {})
    with contextlib.suppress(NotUsable):
        for one in files.render(door(tmp_path_factory.getbasetemp(), changed)):
            assert all(line == line.rstrip() for line in one.text.split("\n"))
            assert one.text.isascii()


def test_examples_of_the_page_can_be_rendered(tmp_path: Path) -> None:
    page = (ROOT / "docs/resources/frontdoor.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    assert examples
    nodes = (("worker01", "10.0.1.46"),)
    found = Found(nodes, {443: 30443}, (("10.0.1.92", 6443),), ("example.com",))
    for example in map(yaml.safe_load, examples):
        filled = discovery.filled(example, {source.cluster: found for source in discovery.sources(example)})
        assert files.render(door(tmp_path, filled))


def test_every_field_is_on_the_page() -> None:
    page = (ROOT / "docs/resources/frontdoor.md").read_text()
    source = (ROOT / "src/skerry/cli/front_door/reading.py").read_text()
    fields = set(re.findall(r"""\.(?:text|number|flag|seconds|child|children|texts)\(\s*"(\w+)\"""", source))
    assert len(fields) > 30
    assert [field for field in fields - {"metadata", "name"} if f"{field}" not in page] == []
