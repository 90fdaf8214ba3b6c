"""Secrets of Certificates that were there before, were spoilt, or are wanted by two; renewal by hand."""

from __future__ import annotations

import base64

from skerry.engine.definitions.certmanager import CERTIFICATES, ISSUERS
from skerry.kube.objects import Obj, annotations_of
from skerry.kube.resources import SECRETS
from tests.component.certificates.test_authority import BUILT_IN, chain_of
from tests.component.certificates.world import World, running_certificates
from tests.support.waiting import until


async def revision(world: World, name: str, number: int) -> Obj:
    """Wait until the Certificate is ready at a revision."""

    async def holds() -> bool:
        return (await world.client.get(CERTIFICATES, name, "default"))["status"].get("revision") == number

    await until(holds, f"revision {number} of {name}")
    return await world.condition(CERTIFICATES, name, "Ready")


async def test_a_secret_that_was_there_is_taken_over_and_keeps_what_else_is_in_it() -> None:
    async with running_certificates() as world:
        data = {"metadata": {"name": "web"}, "stringData": {"notes": "mine"}, "type": "Opaque"}
        before = await world.client.create(SECRETS, data, "default")
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        await world.condition(CERTIFICATES, "web", "Ready")
        after = await world.secret("web")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["type"] == "Opaque"  # a type never changes
        assert base64.b64decode(after["data"]["notes"]) == b"mine"
        assert annotations_of(after)["cert-manager.io/issuer-name"] == "skerry-ca"


async def test_a_spoilt_secret_is_issued_again() -> None:
    async with running_certificates() as world:
        for name in ("web", "other"):
            await world.certificate(name, dnsNames=["web.localhost"], issuerRef=BUILT_IN)
            await world.condition(CERTIFICATES, name, "Ready")
        stolen = (await world.secret("other"))["data"]["tls.key"]
        await world.client.patch(SECRETS, "web", {"data": {"tls.key": stolen}}, "default")
        await world.event("Issuing", "invalid key-pair: the private key does not match the certificate")
        await revision(world, "web", 2)


async def test_of_two_certificates_with_one_secret_the_second_is_told() -> None:
    async with running_certificates() as world:
        await world.certificate("first", dnsNames=["a.localhost"], issuerRef=BUILT_IN)
        await world.condition(CERTIFICATES, "first", "Ready")
        spec = {"secretName": "first", "dnsNames": ["b.localhost"], "issuerRef": BUILT_IN}
        await world.create(CERTIFICATES, "second", spec)
        told = await world.condition(CERTIFICATES, "second", "Ready", "False", "DuplicateSecretName")
        assert 'belongs to the Certificate "first"' in told["status"]["conditions"][0]["message"]
        assert (await revision(world, "first", 1))["status"]["revision"] == 1
        await world.client.delete(CERTIFICATES, "first", "default")
        await revision(world, "second", 1)


async def test_a_template_that_changes_needs_no_new_certificate() -> None:
    async with running_certificates() as world:
        made = await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN)
        await world.condition(CERTIFICATES, "web", "Ready")
        template = {"labels": {"team": "a"}, "annotations": {"for": "b"}}
        formats = [{"type": "CombinedPEM"}, {"type": "DER"}]
        made = await world.client.get(CERTIFICATES, "web", "default")
        spec = {**made["spec"], "secretTemplate": template, "additionalOutputFormats": formats}
        await world.client.update(CERTIFICATES, {**made, "spec": spec})

        async def has_it() -> bool:
            secret = await world.secret("web")
            return secret["metadata"]["labels"].get("team") == "a" and "key.der" in secret["data"]

        await until(has_it, "the template")
        secret = await world.secret("web")
        assert b"BEGIN CERTIFICATE" in base64.b64decode(secret["data"]["tls-combined.pem"])
        assert (await revision(world, "web", 1))["status"]["revision"] == 1


async def test_renewal_by_hand_and_a_key_that_is_kept() -> None:
    async with running_certificates() as world:
        key = {"algorithm": "ECDSA", "rotationPolicy": "Never"}
        await world.certificate("web", dnsNames=["web.localhost"], issuerRef=BUILT_IN, privateKey=key)
        made = await world.condition(CERTIFICATES, "web", "Ready")
        before = chain_of(await world.secret("web"))[0]
        asked = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "message": "by cmctl"}
        status = {**made["status"], "conditions": [*made["status"]["conditions"], asked]}
        await world.client.update(CERTIFICATES, {**made, "status": status}, "status")
        await revision(world, "web", 2)
        after = chain_of(await world.secret("web"))[0]
        assert after.serial_number != before.serial_number
        assert after.public_key() == before.public_key()


async def test_an_authority_whose_key_does_not_match_is_refused() -> None:
    async with running_certificates() as world:
        for name in ("one", "two"):
            spec = {"isCA": True, "commonName": name, "issuerRef": BUILT_IN}
            await world.certificate(name, **spec)
            await world.condition(CERTIFICATES, name, "Ready")
        one, two = await world.secret("one"), await world.secret("two")
        data = {"tls.crt": one["data"]["tls.crt"], "tls.key": two["data"]["tls.key"]}
        await world.client.create(SECRETS, {"metadata": {"name": "mixed"}, "data": data}, "default")
        await world.create(ISSUERS, "mixed", {"ca": {"secretName": "mixed"}})
        told = await world.condition(ISSUERS, "mixed", "Ready", "False", "ErrInvalidKeyPair")
        assert "does not match" in told["status"]["conditions"][0]["message"]
        await world.create(ISSUERS, "missing", {"ca": {"secretName": "later"}})
        await world.condition(ISSUERS, "missing", "Ready", "False", "ErrGetKeyPair")
        await world.client.create(SECRETS, {"metadata": {"name": "later"}, "data": one["data"]}, "default")
        await world.condition(ISSUERS, "missing", "Ready", reason="KeyPairVerified")
