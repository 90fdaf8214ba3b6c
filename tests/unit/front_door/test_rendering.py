"""haproxy.cfg and keepalived.conf say what the talk's hand-written ones do; what is better is tested beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skerry.cli.front_door import haproxy, keepalived
from skerry.cli.front_door.resource import FrontDoor
from tests.unit.front_door.documents import PASSWORD, document, door, sections

HOST = "req.hdr(host),field(1,:)"


@pytest.fixture
def talk(tmp_path: Path) -> FrontDoor:
    return door(tmp_path)


@pytest.fixture
def parts(talk: FrontDoor) -> dict[str, list[str]]:
    return sections(haproxy.configuration(talk))


def options(server: str) -> str:
    """What follows name and address in a `server` line."""
    return server.split(" ", 3)[3]


def test_https_goes_by_host(parts: dict[str, list[str]]) -> None:
    https = parts["frontend https"]
    assert https[0] == "bind *:443 ssl crt /etc/ssl/private/ strict-sni alpn h2,http/1.1"
    assert "option forwardfor" in https
    assert https[-3:] == [
        f"use_backend web-k8s if {{ {HOST} -i example.com }}",
        f"use_backend web-k8s if {{ {HOST} -i api.example.com }}",
        "default_backend nobody",
    ]
    assert parts["backend nobody"][0].startswith("http-request return status 404 ")


def test_http_is_for_challenges_and_redirects_the_rest(parts: dict[str, list[str]]) -> None:
    assert parts["frontend http"] == [
        "bind *:80",
        "option idle-close-on-response",
        "acl acme_challenge path_beg /.well-known/acme-challenge/",
        f"http-request redirect location https://%[{HOST}]%[pathq] code 308 unless acme_challenge",
        "use_backend certbot if acme_challenge",
    ]
    assert parts["backend certbot"] == [
        "server certbot certbot-letsencrypt:80 resolvers names init-addr last,libc,none"
    ]
    assert "parse-resolv-conf" in parts["resolvers names"]


def test_servers_are_checked_trusted_and_taken_in_turn(parts: dict[str, list[str]]) -> None:
    assert "balance roundrobin" in parts["defaults"]
    servers = [line for line in parts["backend web-k8s"] if line.startswith("server k8s.")]
    assert [line.split()[1:3] for line in servers] == [
        ["k8s.worker01", "10.0.1.46:32443"],
        ["k8s.worker02", "10.0.1.55:32443"],
        ["k8s.worker03", "10.0.1.80:32443"],
    ]
    for server in servers:
        assert options(server).startswith("check inter 2s fastinter 500ms fall 3 rise 2 ")
        assert f"ssl verify required ca-file /etc/ssl/backend-certs/k8s/ sni {HOST} check-sni example.com" in server
        assert "backup" not in server


def test_the_second_cluster_takes_over_with_all_its_servers(parts: dict[str, list[str]]) -> None:
    backend = parts["backend web-k8s"]
    assert "option allbackups" in backend
    backups = [line for line in backend if line.endswith(" backup")]
    assert [line.split()[1:3] for line in backups] == [
        ["second.s3", "10.0.0.103:80"],
        ["second.s4", "10.0.0.104:80"],
    ]
    assert all(" ssl " not in line and " check " in line for line in backups)


def test_the_api_passes_and_its_servers_are_asked_over_verified_tls(parts: dict[str, list[str]]) -> None:
    assert parts["frontend api-k8s"] == [
        "bind *:7443",
        "mode tcp",
        "option tcplog",
        "option clitcpka",
        "default_backend api-k8s",
    ]
    backend = parts["backend api-k8s"]
    assert backend[0] == "mode tcp"
    assert "http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host kubernetes" in backend
    assert "http-check expect status 200" in backend
    servers = [line for line in backend if line.startswith("server ")]
    assert [line.split()[2] for line in servers] == ["10.0.1.92:7443", "10.0.1.27:7443", "10.0.1.35:7443"]
    verified = "check-ssl verify required ca-file /etc/ssl/backend-certs/api.pem check-sni kubernetes"
    assert all(verified in line and " ssl " not in line for line in servers)


def test_nothing_but_the_balancer_itself_sees_its_statistics(parts: dict[str, list[str]]) -> None:
    assert "stats socket /run/haproxy/admin.sock mode 600 level admin expose-fd listeners" in parts["global"]
    assert not any("stats" in line for name, lines in parts.items() if name != "global" for line in lines)
    assert parts["frontend health"][0] == "bind 127.0.0.1:8405"


def test_without_certificates_port_80_has_the_routes(tmp_path: Path) -> None:
    changed = document()
    del changed["spec"]["web"]["tls"], changed["spec"]["web"]["challenges"]
    parts = sections(haproxy.configuration(door(tmp_path, changed)))
    assert "frontend https" not in parts
    assert "backend certbot" not in parts
    assert not any("redirect" in line for line in parts["frontend http"])
    assert f"use_backend web-k8s if {{ {HOST} -i example.com }}" in parts["frontend http"]


def test_the_most_specific_host_wins_wherever_it_is_written(tmp_path: Path) -> None:
    changed = document()
    changed["spec"]["web"]["routes"] = [
        {"name": "rest", "hosts": ["*"], "active": ["second"]},
        {"name": "wild", "hosts": ["*.example.com"], "active": ["second"]},
        {"name": "exact", "hosts": ["a.example.com"], "active": ["k8s"]},
    ]
    rules = sections(haproxy.configuration(door(tmp_path, changed)))["frontend https"][-3:]
    assert [rule.split()[1] for rule in rules] == ["web-exact", "web-wild", "web-rest"]
    pattern = re.search(r"'(.+)'", rules[1])
    assert pattern is not None
    matching = [host for host in ("a.example.com", "a.b.example.com", "example.com") if re.match(pattern[1], host)]
    assert matching == ["a.example.com"]


def test_names_of_certificates_can_be_given_or_left_unverified(tmp_path: Path) -> None:
    changed = document()
    tls = changed["spec"]["clusters"][0]["ingress"]["tls"]
    tls["serverName"] = "ingress.local"
    given = haproxy.configuration(door(tmp_path, changed))
    assert given.count(" sni str(ingress.local) check-sni ingress.local") == 3
    del tls["serverName"]
    tls["verifyName"] = False
    chain_only = sections(haproxy.configuration(door(tmp_path, changed)))["backend web-k8s"]
    assert sum("verify required" in line and "sni" not in line for line in chain_only) == 3


def test_a_page_can_tell_health(tmp_path: Path) -> None:
    changed = document()
    changed["spec"]["web"]["routes"][0]["health"] = {"path": "/healthz?full=1"}
    backend = sections(haproxy.configuration(door(tmp_path, changed)))["backend web-k8s"]
    assert "http-check send meth GET uri /healthz?full=1 ver HTTP/1.1 hdr Host example.com" in backend
    assert "http-check expect status 200-399" in backend


def test_keepalived_is_the_talks(talk: FrontDoor) -> None:
    text = keepalived.configuration(talk, talk.balancers[0])
    for line in (
        "vrrp_script front_door {",
        "state MASTER",
        "interface eth0",
        "virtual_router_id 51",
        "auth_type PASS",
        f"auth_pass {PASSWORD}",
        "10.0.1.128/24",
        "track_script {",
        'script "/etc/keepalived/check_front_door.sh"',
    ):
        assert line in text


def number(text: str, word: str) -> int:
    found = re.search(rf"\b{word} (-?\d+)", text)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("count", [2, 3, 20])
def test_a_balancer_that_serves_is_above_any_that_does_not(tmp_path: Path, count: int) -> None:
    changed = document()
    changed["spec"]["balancers"] = [{"name": f"lb{n}", "address": f"10.0.1.{n}"} for n in range(1, count + 1)]
    found = door(tmp_path, changed)
    texts = [keepalived.configuration(found, one) for one in found.balancers]
    priorities = [number(text, "priority") for text in texts]
    weight = number(texts[0], "weight")
    assert priorities == sorted(set(priorities), reverse=True)
    assert priorities[0] + weight < priorities[-1]
    assert priorities[-1] + weight >= 1, "or they would be equal when all fail"
    assert [text.count("state MASTER") for text in texts] == [1] + [0] * (count - 1)
    for text, balancer in zip(texts, found.balancers, strict=True):
        peers = re.search(r"unicast_peer \{(.*?)\}", text, re.S)
        assert peers is not None
        assert sorted(peers[1].split()) == sorted(one.address for one in found.balancers if one is not balancer)
        assert f"unicast_src_ip {balancer.address}" in text


def test_without_pre_emption_a_balancer_gives_the_address_up_by_itself(tmp_path: Path) -> None:
    changed = document()
    changed["spec"]["virtualAddress"]["preempt"] = False
    found = door(tmp_path, changed)
    text = keepalived.configuration(found, found.balancers[0])
    assert "state BACKUP" in text
    assert "nopreempt" in text
    assert number(text, "weight") == 0


def test_ipv6_addresses_move_along_and_are_listened_on(tmp_path: Path) -> None:
    changed = document()
    changed["spec"]["virtualAddress"]["addresses"] = ["fd00::80/64", "10.0.1.128/24"]
    changed["spec"]["clusters"][1]["ingress"]["servers"][0]["address"] = "fd00::103"
    found = door(tmp_path, changed)
    text = keepalived.configuration(found, found.balancers[0])
    assert re.search(r"virtual_ipaddress \{\s+10.0.1.128/24\s+\}", text)
    assert re.search(r"virtual_ipaddress_excluded \{\s+fd00::80/64\s+\}", text)
    parts = sections(haproxy.configuration(found))
    assert "bind [::]:80 v6only" in parts["frontend http"]
    assert "bind [::]:7443 v6only" in parts["frontend api-k8s"]
    assert any("[fd00::103]:80" in line for line in parts["backend web-k8s"])
