"""Solvers, issuers and what Ingresses ask for: decided on plain data."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.controllers.certmanager.ingresses.reports import Progress, report
from skerry.engine.controllers.certmanager.ingresses.wanted import BadConfig, asks, certificates_for, issuer_of
from skerry.engine.controllers.certmanager.issuers.settings import objection
from skerry.engine.controllers.certmanager.looks import Looks
from skerry.engine.controllers.certmanager.orders.solvers import solver_for
from skerry.kube.objects import Obj
from tests.unit.certmanager.objects import certificate

BOTH = ("http-01", "dns-01")
HTTP: Obj = {"http01": {"ingress": {}}}
RFC2136 = {"nameserver": "192.0.2.53"}
KEY = {"server": "https://acme.example.org/dir", "privateKeySecretRef": {"name": "key"}}


def dns(**selector: Any) -> Obj:
    return {"dns01": {"rfc2136": RFC2136}, "selector": selector}


def chosen(solvers: list[Obj], name: str, labels: dict[str, str] | None = None) -> int | None:
    found = solver_for(solvers, labels or {}, name, BOTH)
    return next((number for number, one in enumerate(solvers) if one is found), None)


@pytest.mark.parametrize(
    ("name", "labels", "number"),
    [
        ("a.example.com", {}, 0),
        ("a.example.org", {}, 1),
        ("example.org", {}, 1),
        ("notexample.org", {}, 0),
        ("a.lab.example.org", {}, 2),
        ("*.lab.example.org", {}, 2),
        ("www.lab.example.org", {}, 3),
        ("a.example.com", {"team": "x"}, 4),
        ("*.example.com", {}, None),
    ],
)
def test_the_most_specific_solver_is_taken(name: str, labels: dict[str, str], number: int | None) -> None:
    solvers = [
        HTTP,
        dns(dnsZones=["example.org"]),
        dns(dnsZones=["example.org", "lab.example.org"]),
        {**HTTP, "selector": {"dnsNames": ["www.lab.example.org"]}},
        dns(matchLabels={"team": "x"}),
    ]
    assert chosen(solvers, name, labels) == number


def test_what_the_server_does_not_offer_is_not_taken() -> None:
    assert solver_for([HTTP], {}, "a.example.org", ["dns-01"]) is None


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        ({"selfSigned": {}}, ""),
        ({"ca": {"secretName": "x"}}, ""),
        ({"acme": {**KEY, "solvers": [HTTP, dns()]}}, ""),
        ({}, "none of them"),
        ({"ca": {}, "selfSigned": {}}, "ca, selfSigned"),
        ({"vault": {}}, "type vault are not supported"),
        ({"venafi": {}}, "type venafi are not supported"),
        ({"acme": {**KEY, "server": "acme.example.org"}}, "not the URL"),
        ({"acme": {**KEY, "preferredChain": "X"}}, "preferredChain is not supported"),
        ({"acme": {**KEY, "solvers": [{}]}}, "solvers[0]: a solver is one of"),
        ({"acme": {**KEY, "solvers": [HTTP, {"dns01": {"cloudflare": {}}}]}}, "solvers[1]: dns01 solvers other than"),
        ({"acme": {**KEY, "solvers": [{"http01": {"gatewayHTTPRoute": {}}}]}}, "other than ingress"),
    ],
)
def test_issuers_that_cannot_issue_say_so_by_name(spec: Obj, part: str) -> None:
    why = objection(spec)
    assert part in why
    assert bool(why) == bool(part)


def ingress(noted: dict[str, str], *tls: Obj) -> Obj:
    metadata = {"name": "web", "namespace": "default", "uid": "u", "annotations": noted, "labels": {"app": "web"}}
    return {"metadata": metadata, "spec": {"tls": list(tls)}}


def test_which_issuer_an_ingress_asks() -> None:
    assert not asks(ingress({}))
    assert not asks(ingress({"kubernetes.io/tls-acme": "false"}))
    assert asks(ingress({"kubernetes.io/tls-acme": "true"}))
    reference = issuer_of(ingress({"kubernetes.io/tls-acme": "true"}), "default")
    assert reference == {"name": "default", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    reference = issuer_of(
        ingress({"cert-manager.io/issuer": "mine", "cert-manager.io/issuer-group": "x.io"}), "default"
    )
    assert reference == {"name": "mine", "kind": "Issuer", "group": "x.io"}


def test_what_an_ingress_asks_for() -> None:
    noted = {
        "cert-manager.io/common-name": "a.example.org",
        "cert-manager.io/private-key-size": "4096",
        "cert-manager.io/usages": "server auth, client auth",
        "cert-manager.io/renew-before": "360h",
    }
    tls = (
        {"hosts": ["a.example.org"], "secretName": "one"},
        {"hosts": ["b.example.org", "192.0.2.1", "a.example.org"], "secretName": "one"},
        {"hosts": ["c.example.org"]},
    )
    (found,) = certificates_for(ingress(noted, *tls), {"name": "x"})
    assert found["metadata"]["name"] == "one"
    assert found["metadata"]["labels"] == {"app": "web"}
    assert found["spec"] == {
        "secretName": "one",
        "issuerRef": {"name": "x"},
        "commonName": "a.example.org",
        "dnsNames": ["a.example.org", "b.example.org"],
        "ipAddresses": ["192.0.2.1"],
        "privateKey": {"size": 4096},
        "usages": ["server auth", "client auth"],
        "renewBefore": "360h",
    }
    with pytest.raises(BadConfig, match="private-key-size"):
        certificates_for(ingress({"cert-manager.io/private-key-size": "big"}, *tls), {"name": "x"})


def test_what_is_told_at_the_ingress() -> None:
    issuer = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    waiting = certificate()
    found = report(Progress(waiting, None, None))
    assert found is not None
    assert 'there is no ClusterIssuer "ours". Create it' in found.message
    assert report(Progress(waiting, issuer, None)) is None
    found = report(Progress(waiting, issuer, {"status": {"reason": "429 rateLimited"}}))
    assert found is not None
    assert found == ("Warning", "CertificatePending", 'Certificate "web" waits: 429 rateLimited')
    failed = {**waiting, "status": {"conditions": [{"type": "Issuing", "status": "False", "message": "no"}]}}
    found = report(Progress(failed, issuer, None))
    assert found is not None
    assert (found.reason, found.message) == ("CertificateFailed", 'Certificate "web": no')


def test_looks_become_rarer_and_heed_what_is_asked() -> None:
    looks = Looks()
    waits = [looks.next("a") for _ in range(20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.1, 10.0)
    assert looks.next("b", asked=3) == 3
    looks.forget("a")
    assert looks.next("a") == 0.1
