"""What requests ask for, with the answers Kubernetes gives to mistakes."""

from __future__ import annotations

import pytest

from skerry.engine.api.pod_access import StreamOptions
from skerry.engine.api.streams.targets import choose_container, command_target, forwarded_ports, parse_query
from skerry.engine.api.streams.upgrade import check_plain_request
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj


def pod(*containers: str, init: tuple[str, ...] = (), node: str = "here") -> Obj:
    spec: Obj = {"containers": [{"name": name} for name in containers]}
    if init:
        spec["initContainers"] = [{"name": name} for name in init]
    return {"metadata": {"name": "web"}, "spec": {**spec, "nodeName": node}}


def test_the_only_container_need_not_be_named() -> None:
    assert choose_container(pod("a"), "") == "a"
    assert choose_container(pod("a", "b", init=("setup",)), "setup") == "setup"


@pytest.mark.parametrize(
    ("of", "asked", "message"),
    [
        (pod("a", "b"), "", "a container name must be specified for pod web, choose one of: [a b]"),
        (
            pod("a", "b", init=("i", "j")),
            "",
            "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i j]",
        ),
        (pod("a"), "x", "container x is not valid for pod web"),
    ],
)
def test_no_single_container(of: Obj, asked: str, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        choose_container(of, asked)
    assert caught.value.message == message


def test_a_command_keeps_its_words_in_order() -> None:
    query = parse_query(b"command=sh&stdout=true&command=-c&command=echo+%C3%A4+%26&stderr=1&command=")
    target = command_target(pod("a"), query, attach=False)
    assert target.command == ["sh", "-c", "echo ä &", ""]
    assert target.options == StreamOptions(stdin=False, stdout=True, stderr=True, tty=False)


def test_a_terminal_has_one_output() -> None:
    target = command_target(pod("a"), parse_query(b"stdin=1&stdout=1&stderr=1&tty=1"), attach=True)
    assert target.options == StreamOptions(stdin=True, stdout=True, stderr=False, tty=True)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (b"stdout=1", "you must specify at least one command for the container"),
        (b"command=x", "you must specify at least 1 of stdin, stdout, stderr"),
        (b"command=x&stdout=false&stderr=0", "you must specify at least 1 of stdin, stdout, stderr"),
    ],
)
def test_incomplete_requests(query: bytes, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        command_target(pod("a"), parse_query(query), attach=False)


def test_a_pod_without_a_node_has_no_streams() -> None:
    with pytest.raises(BadRequest, match="pod web does not have a host assigned"):
        command_target(pod("a", node=""), parse_query(b"command=x&stdout=1"), attach=False)


def test_ports_in_both_spellings() -> None:
    assert forwarded_ports(parse_query(b"ports=80,443&ports=22")) == [80, 443, 22]


@pytest.mark.parametrize(
    "query", [b"", b"ports=", b"ports=80,", b"ports=0", b"ports=65536", b"ports=-1", b"ports=%C2%B2"]
)
def test_ports_that_are_none(query: bytes) -> None:
    with pytest.raises(BadRequest):
        forwarded_ports(parse_query(query))


def test_other_versions_of_spdy_are_refused_by_name_after_other_mistakes() -> None:
    refused = check_plain_request(pod("a"), "portforward", b"", "SPDY/3")
    assert refused.message == "SPDY/3 upgrades are not supported, use SPDY/3.1 or WebSocket"
    mistaken = check_plain_request(pod("a"), "exec", b"command=x&stdout=1&container=b", "SPDY/3")
    assert mistaken.message == "container b is not valid for pod web"
    assert check_plain_request(pod("a"), "attach", b"stdout=1", "").message == "Upgrade request required"
