"""Which certificate is shown to whom: by the name a client asks for, and nothing else. Pure.

Certificates are given to Caddy with tags and chosen by tag, so that a certificate is used for the hosts whose Ingresses
name its Secret only, whatever names it bears.
"""

from __future__ import annotations

from collections import defaultdict

from skerry.engine.network.ingress.materials import Certificate, Materials
from skerry.kube.objects import Obj


def tls_app(materials: Materials) -> Obj:
    """The certificates. Caddy neither obtains nor renews any itself."""
    by_tag = {one.tag: one for one in materials.certificates.values()}
    return {"certificates": {"load_pem": [_loaded(by_tag[tag]) for tag in sorted(by_tag)]}}


def connection_policies(materials: Materials) -> list[Obj]:
    """The first that fits counts: names, then wildcards, then everybody else."""
    hosts: dict[str, list[str]] = defaultdict(list)
    wildcards: dict[str, list[str]] = defaultdict(list)
    for host, certificate in sorted(materials.certificates.items()):
        if host:
            (wildcards if host.startswith("*") else hosts)[certificate.tag].append(host)
    found = [_policy(tag, names) for kind in (hosts, wildcards) for tag, names in kind.items()]
    if "" in materials.certificates:
        found.append({"certificate_selection": {"any_tag": [materials.certificates[""].tag]}})
    return found


def _policy(tag: str, names: list[str]) -> Obj:
    return {"match": {"sni": names}, "certificate_selection": {"any_tag": [tag]}}


def _loaded(one: Certificate) -> Obj:
    return {"certificate": one.certificate, "key": one.key, "tags": [one.tag]}
