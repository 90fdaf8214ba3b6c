"""The built-in authority, and certificates it issues: asked for by a Certificate, kept in a Secret."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CERTIFICATES, CLUSTER_ISSUERS
from skerry.kube.objects import Obj, annotations_of
from skerry.kube.resources import CONFIG_MAPS, SECRETS
from tests.component.certificates.world import running_certificates
from tests.support.clock import SetClock
from tests.support.waiting import until

BUILT_IN = {"name": "skerry-ca", "kind": "ClusterIssuer"}


def chain_of(secret: Obj, key: str = "tls.crt") -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(base64.b64decode(secret["data"][key]))


def names_of(certificate: x509.Certificate) -> list[str]:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    )


async def test_a_certificate_of_the_built_in_authority() -> None:
    async with running_certificates() as world:
        await world.condition(CLUSTER_ISSUERS, "skerry-ca", "Ready", reason="KeyPairVerified")
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        ready = await world.condition(CERTIFICATES, "web", "Ready", reason="Ready")
        assert ready["status"]["revision"] == 1
        secret = await world.secret("web")
        assert secret["type"] == "kubernetes.io/tls"
        leaf, root = chain_of(secret)[0], chain_of(secret, "ca.crt")[0]
        leaf.verify_directly_issued_by(root)
        assert names_of(leaf) == ["web.localhost"]
        assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=90)
        published = await world.client.get(CONFIG_MAPS, "skerry-ca", "kube-public")
        assert x509.load_pem_x509_certificate(published["data"]["ca.crt"].encode()) == root
        assert list(published["data"]) == ["ca.crt"]
        noted = annotations_of(secret)
        assert noted["cert-manager.io/certificate-name"] == "web"
        assert noted["cert-manager.io/issuer-name"] == "skerry-ca"
        assert (await world.condition(CERTIFICATE_REQUESTS, "web-1", "Ready"))["spec"]["issuerRef"] == BUILT_IN
        await until(lambda: _only(world, {"web"}), "the temporary key is gone")


async def _only(world: object, names: set[str]) -> bool:
    found = (await world.client.list(SECRETS, "default")).items  # type: ignore[attr-defined]
    return {one["metadata"]["name"] for one in found} == names


async def test_the_authority_is_renewed_with_its_key_and_goes_on_to_be_trusted() -> None:
    clock = SetClock(datetime(2026, 1, 1, tzinfo=UTC))
    async with running_certificates(clock=clock) as world:
        before = await world.secret("skerry-ca", "kube-system")
        await world.condition(CLUSTER_ISSUERS, "skerry-ca", "Ready")
        clock.advance(7 * 365 * 86400)
        world.look()

        async def renewed() -> Obj | None:
            secret = await world.secret("skerry-ca", "kube-system")
            return secret if secret["data"]["tls.crt"] != before["data"]["tls.crt"] else None

        after = await until(renewed, "another certificate")
        assert after["data"]["tls.key"] == before["data"]["tls.key"]
        old, new = chain_of(before)[0], chain_of(after)[0]
        assert (new.subject, new.public_key()) == (old.subject, old.public_key())
        assert new.not_valid_after_utc == clock.now() + timedelta(days=3650)
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        secret = await world.secret("web")
        chain_of(secret)[0].verify_directly_issued_by(old)
        key = serialization.load_pem_private_key(base64.b64decode(after["data"]["tls.key"]), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)


async def test_deleted_secrets_are_issued_again() -> None:
    async with running_certificates() as world:
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        first = await world.secret("web")
        await world.condition(CERTIFICATES, "web", "Ready")
        await world.client.delete(SECRETS, "web", "default")

        async def again() -> bool:
            secret = await world.get(SECRETS, "web")
            return bool(secret) and secret["metadata"]["uid"] != first["metadata"]["uid"]

        await until(again, "another Secret")
