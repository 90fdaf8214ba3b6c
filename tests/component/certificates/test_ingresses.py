"""Ingresses that ask for certificates by annotation, as in the manifest of EGI's talk; what is told at the Ingress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from skerry.engine.controllers.certmanager.challenges import controller as challenges
from skerry.engine.definitions.acme import ORDERS
from skerry.engine.definitions.certmanager import CERTIFICATES, CLUSTER_ISSUERS
from skerry.kube.objects import Obj
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, INGRESSES
from tests.component.certificates.answering import answering
from tests.component.certificates.test_acme import letsencrypt
from tests.component.certificates.test_authority import chain_of, names_of
from tests.component.certificates.world import World, running_certificates
from tests.support.kubectl import Kubectl
from tests.support.pebble import pebble
from tests.support.waiting import until

EGI = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: egi-webinar-application-ingress
  annotations:
    kubernetes.io/ingress.class: "nginx"
    kubernetes.io/tls-acme: "true"
    cert-manager.io/cluster-issuer: "letsencrypt-prod"
spec:
  tls:
  - hosts:
    - "egi-webinar.xrosinec.dyn.cloud.e-infra.cz"
    secretName: egi-webinar-xrosinec-dyn-clout-e-infra-cz-tls
  rules:
  - host: "egi-webinar.xrosinec.dyn.cloud.e-infra.cz"
    http:
      paths:
      - backend:
          service:
            name: egi-webinar-application-service
            port:
              number: 8080
        pathType: ImplementationSpecific
"""
EGI_HOST, EGI_SECRET = "egi-webinar.xrosinec.dyn.cloud.e-infra.cz", "egi-webinar-xrosinec-dyn-clout-e-infra-cz-tls"


async def ingress(world: World, noted: Mapping[str, str], tls: Sequence[Obj], name: str = "web") -> Obj:
    """Create one."""
    rule = {"host": "a.localhost"}
    return await world.create(INGRESSES, name, {"tls": list(tls), "rules": [rule]}, annotations=dict(noted))


async def test_the_manifest_of_egi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pebble(tmp_path) as server:
        monkeypatch.setattr(challenges, "HTTP_PORT", server.http_port)
        async with running_certificates() as world, answering(world, server.http_port):
            kubectl = Kubectl(world.api.kubeconfig, tmp_path)
            await kubectl("apply", "-f", "-", stdin=EGI)
            told = await world.event("CertificatePending", EGI_SECRET)
            assert 'there is no ClusterIssuer "letsencrypt-prod". Create it' in told
            await letsencrypt(world, server)
            await world.condition(CERTIFICATES, EGI_SECRET, "Ready")
            assert names_of(chain_of(await world.secret(EGI_SECRET))[0]) == [EGI_HOST]
            await world.event("CertificateReady", EGI_SECRET)
            described = (await kubectl("describe", "ingress")).out
            assert "CreateCertificate" in described
            assert "is ready, valid until" in described
            listed = (await kubectl("get", "certificate,certificaterequest,order,issuer,clusterissuer")).out
            assert f"certificate.cert-manager.io/{EGI_SECRET}   True" in listed


async def test_hosts_of_one_entry_have_one_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One order with a challenge for each name, and one Secret."""
    hosts = ["shop.example.org", "www.shop.example.org", "api.example.org"]
    with pebble(tmp_path) as server:
        monkeypatch.setattr(challenges, "HTTP_PORT", server.http_port)
        async with running_certificates() as world, answering(world, server.http_port):
            await letsencrypt(world, server)
            noted = {"kubernetes.io/tls-acme": "true", "cert-manager.io/cluster-issuer": "letsencrypt-prod"}
            await ingress(world, noted, [{"hosts": hosts, "secretName": "shop"}])
            await world.condition(CERTIFICATES, "shop", "Ready")
            assert sorted(names_of(chain_of(await world.secret("shop"))[0])) == sorted(hosts)
            (order,) = (await world.client.list(ORDERS)).items
            assert sorted(order["spec"]["dnsNames"]) == sorted(hosts)
            assert len((await world.client.list(CERTIFICATES)).items) == 1


async def test_without_an_issuer_the_default_is_asked() -> None:
    async with running_certificates() as world:
        tls = [{"hosts": ["a.localhost"], "secretName": "a"}]
        await ingress(world, {"kubernetes.io/tls-acme": "true"}, tls)
        ready = await world.condition(CERTIFICATES, "a", "Ready")
        assert ready["spec"]["issuerRef"]["name"] == "skerry-ca"
        noted = {"skerry.dev/is-default-issuer": "true"}
        await world.create(CLUSTER_ISSUERS, "ours", {"selfSigned": {}}, annotations=noted)

        async def changed() -> bool:
            found = await world.get(CERTIFICATES, "a")
            return found is not None and found["spec"]["issuerRef"]["name"] == "ours"

        await until(changed, "the new default")
        await world.event("UpdateCertificate")


async def test_certificates_follow_the_ingress() -> None:
    async with running_certificates() as world:
        noted = {
            "cert-manager.io/cluster-issuer": "skerry-ca",
            "cert-manager.io/private-key-algorithm": "ECDSA",
            "cert-manager.io/duration": "24h",
            "cert-manager.io/subject-organizations": "EGI, CESNET",
        }
        tls = [{"hosts": ["a.localhost"], "secretName": "a"}, {"hosts": ["b.localhost"], "secretName": "b"}]
        made = await ingress(world, noted, tls)
        ready = await world.condition(CERTIFICATES, "a", "Ready")
        assert ready["spec"]["privateKey"] == {"algorithm": "ECDSA"}
        assert ready["spec"]["subject"] == {"organizations": ["EGI", "CESNET"]}
        assert ready["spec"]["duration"] == "24h"
        await world.condition(CERTIFICATES, "b", "Ready")
        spec = {**made["spec"], "tls": [{"hosts": ["a.localhost", "c.localhost"], "secretName": "a"}]}
        made = await world.client.get(INGRESSES, "web", "default")
        await world.client.update(INGRESSES, {**made, "spec": spec})

        async def follows() -> bool:
            secret = await world.secret("a")
            return names_of(chain_of(secret)[0]) == ["a.localhost", "c.localhost"]

        await until(follows, "a certificate with the new name")
        await until(lambda: _is_gone(world, "b"), "b is gone")


async def _is_gone(world: World, name: str) -> bool:
    return await world.get(CERTIFICATES, name) is None


async def test_bad_annotations_and_certificates_of_others() -> None:
    async with running_certificates() as world:
        await world.certificate("a", dnsNames=["mine.localhost"], issuerRef={"name": "mine"})
        tls = [{"hosts": ["a.localhost"], "secretName": "a"}, {"hosts": ["b.localhost"]}]
        await ingress(world, {"cert-manager.io/cluster-issuer": "skerry-ca"}, tls)
        assert "not owned by this Ingress" in await world.event("BadConfig", '"a"')
        assert "secretName must be specified" in await world.event("BadConfig", "TLS entry 1")
        both = {"cert-manager.io/cluster-issuer": "skerry-ca", "cert-manager.io/issuer": "x"}
        await ingress(world, both, tls, "both")
        await world.event("BadConfig", "may not be set")
        assert (await world.client.get(CERTIFICATES, "a", "default"))["spec"]["dnsNames"] == ["mine.localhost"]


async def test_definitions_of_cert_manager_itself_are_left_alone() -> None:
    async with running_certificates() as world:
        await world.condition(CLUSTER_ISSUERS, "skerry-ca", "Ready")
        name = CERTIFICATES.group_resource
        theirs = await world.client.get(CUSTOM_RESOURCE_DEFINITIONS, name)
        noted = {"skerry.dev/bundled": None, "theirs": "true"}
        await world.client.patch(CUSTOM_RESOURCE_DEFINITIONS, name, {"metadata": {"annotations": noted}})
        definitions = world.context.informers.metadata_of(CUSTOM_RESOURCE_DEFINITIONS)
        await until(lambda: "theirs" in definitions.get(name)["metadata"]["annotations"], "the cache")  # type: ignore[index]
        assert theirs["metadata"]["annotations"]["skerry.dev/bundled"]
        await ingress(world, {"kubernetes.io/tls-acme": "true"}, [{"hosts": ["a.localhost"], "secretName": "a"}])
        await world.certificate("b", dnsNames=["b.localhost"], issuerRef={"name": "skerry-ca", "kind": "ClusterIssuer"})
        await world.settle((INGRESSES, "web"), (CERTIFICATES, "b"))
        assert await world.get(CERTIFICATES, "a") is None
        assert "status" not in (await world.client.get(CERTIFICATES, "b", "default"))
