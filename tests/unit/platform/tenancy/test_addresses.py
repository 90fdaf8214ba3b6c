"""Which names are the cluster's own, and which hosts an Ingress takes."""

from __future__ import annotations

import pytest

from skerry.platform.projects.guarding.addresses import covers, hosts, namespace_in


@pytest.mark.parametrize(
    ("host", "namespace"),
    [
        ("db.example.org", None),
        ("svc", None),
        ("web.lab.svc.cluster.local", "lab"),
        ("Web.Lab.svc.cluster.local.", "lab"),
        ("web.lab.svc", "lab"),
        ("web-0.web.lab.svc.cluster.local", "lab"),
        ("10-64-0-5.lab.pod.cluster.local", "lab"),
        ("kubernetes.cluster.local", ""),
        ("10.65.0.7", ""),
        ("[fd00::7]", ""),
        ("", ""),
    ],
)
def test_names_of_the_cluster_say_their_namespace(host: str, namespace: str | None) -> None:
    assert namespace_in(host) == namespace


def test_a_wildcard_takes_the_names_below_it() -> None:
    assert covers("portal.example.org", "portal.example.org")
    assert covers("*.example.org", "portal.example.org")
    assert not covers("*.org", "portal.example.org")
    assert not covers("web.example.org", "portal.example.org")


def test_an_ingress_asks_for_hosts_in_three_places() -> None:
    annotations = {"nginx.ingress.kubernetes.io/server-alias": "c.org, d.org"}
    spec = {"rules": [{"host": "a.org"}, {}], "defaultBackend": {"service": {"name": "web"}}}
    assert list(hosts({"metadata": {"annotations": annotations}, "spec": spec})) == ["a.org", "", "", "c.org", "d.org"]
