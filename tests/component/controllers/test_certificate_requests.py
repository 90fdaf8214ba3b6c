"""Certificates by request: asked for, decided with kubectl, signed, used, tidied away."""

from __future__ import annotations

import asyncio
import base64
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from skerry.kube.errors import Forbidden, Invalid
from skerry.kube.objects import Obj
from skerry.kube.resources import SIGNING_REQUESTS
from tests.support.clock import SetClock
from tests.support.controllers import World, running_controllers
from tests.support.kubectl import Kubectl
from tests.support.waiting import until
from tests.unit.tokens.requests import CLIENT, KEY, pem_request, request


def of_type(obj: Obj, kind: str) -> Obj:
    return next(one for one in obj["status"]["conditions"] if one["type"] == kind)


async def has(world: World, name: str, part: str) -> Obj:
    """The request as soon as its status has a part or a condition of that name."""

    def holds() -> Obj | None:
        obj = world.get(SIGNING_REQUESTS, name, "")
        status = obj.get("status") or {}
        return obj if status.get(part) or part in [one["type"] for one in status["conditions"]] else None

    return await until(holds, f"{part} of {name}")


async def approve(world: World, name: str) -> None:
    obj = await world.client.get(SIGNING_REQUESTS, name)
    status = {"conditions": [{"type": "Approved", "status": "True", "reason": "Test"}]}
    await world.client.update(SIGNING_REQUESTS, {**obj, "status": status}, "approval")


async def test_an_approved_request_becomes_a_certificate_that_lets_its_owner_in(tmp_path: Path) -> None:
    async with running_controllers() as world:
        kubectl = Kubectl(world.api.kubeconfig, tmp_path)
        made = await world.client.create(
            SIGNING_REQUESTS, request("anna", pem_request("anna", "lab"), expirationSeconds=3600, username="forged")
        )
        assert (made["spec"]["username"], made["spec"]["groups"]) == (
            "test",
            ["system:masters", "system:authenticated"],
        )
        assert "Pending" in (await kubectl("get", "csr", "anna")).out
        await kubectl("certificate", "approve", "anna")
        issued = await has(world, "anna", "certificate")
        assert "Approved,Issued" in (await kubectl("get", "csr", "anna")).out
        assert of_type(issued, "Approved")["lastTransitionTime"]
        pem = base64.b64decode(issued["status"]["certificate"])
        certificate = x509.load_pem_x509_certificate(pem)
        lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        assert lifetime.total_seconds() == 3600 + 300
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        assert 'User "anna" cannot' in await _call_with(world, pem, tmp_path)


async def _call_with(world: World, certificate: bytes, folder: Path) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    both = folder / "client.pem"
    both.write_bytes(certificate + KEY.private_bytes(encoding, form, serialization.NoEncryption()))
    context = ssl.create_default_context(cafile=str(world.api.server.config.paths.pki / "ca.crt"))
    context.load_cert_chain(both)
    reader, writer = await asyncio.open_connection("127.0.0.1", world.api.server.port, ssl=context)
    writer.write(b"GET /api/v1/pods HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    return answer.replace('\\"', '"')


async def test_denied_requests_are_not_signed(tmp_path: Path) -> None:
    async with running_controllers() as world:
        await world.client.create(SIGNING_REQUESTS, request("ben", pem_request("ben")))
        await Kubectl(world.api.kubeconfig, tmp_path)("certificate", "deny", "ben")
        await world.settle()
        assert "certificate" not in (await world.client.get(SIGNING_REQUESTS, "ben"))["status"]
        with pytest.raises(Invalid, match="Approved and Denied conditions are mutually exclusive"):
            obj = await world.client.get(SIGNING_REQUESTS, "ben")
            approved = {"type": "Approved", "status": "True", "reason": "Test"}
            status = {"conditions": [*obj["status"]["conditions"], approved]}
            await world.client.update(SIGNING_REQUESTS, {**obj, "status": status}, "approval")


@pytest.mark.parametrize(
    ("signer", "pem", "usages", "why"),
    [
        (CLIENT, pem_request("x"), ["server auth"], "invalid usage for client certificate: server auth"),
        (f"{CLIENT}-kubelet", pem_request("x"), ["client auth"], "subject organization is not system:nodes"),
        (
            f"{CLIENT}-kubelet",
            pem_request("system:node:n", "system:nodes", dns="n"),
            ["client auth", "digital signature"],
            "DNS subjectAltNames are not allowed",
        ),
        (
            "kubernetes.io/kubelet-serving",
            pem_request("system:node:n", "system:nodes"),
            ["server auth", "digital signature"],
            "DNS or IP subjectAltName is required",
        ),
        (
            "kubernetes.io/kubelet-serving",
            pem_request("system:node:n", "system:nodes", dns="n"),
            ["client auth"],
            "usages did not match [digital signature key encipherment server auth]",
        ),
    ],
)
async def test_signers_say_why_they_will_not(signer: str, pem: str, usages: list[str], why: str) -> None:
    async with running_controllers() as world:
        await world.client.create(SIGNING_REQUESTS, request("x", pem, signer, usages=usages))
        await approve(world, "x")
        failed = of_type(await has(world, "x", "Failed"), "Failed")
        assert (failed["reason"], failed["message"]) == ("SignerValidationFailure", why)


async def test_serving_certificates_bear_the_names_asked_for() -> None:
    async with running_controllers() as world:
        pem = pem_request("system:node:n", "system:nodes", dns="n.lab")
        usages = ["server auth", "digital signature", "key encipherment"]
        await world.client.create(SIGNING_REQUESTS, request("n", pem, "kubernetes.io/kubelet-serving", usages=usages))
        await approve(world, "n")
        issued = await has(world, "n", "certificate")
        certificate = x509.load_pem_x509_certificate(base64.b64decode(issued["status"]["certificate"]))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["n.lab"]
        assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment


async def test_other_peoples_signers_are_left_to_them() -> None:
    async with running_controllers() as world:
        await world.client.create(SIGNING_REQUESTS, request("x", pem_request("x"), "example.com/ours"))
        await approve(world, "x")
        await world.settle()
        obj = await world.client.get(SIGNING_REQUESTS, "x")
        assert "certificate" not in obj["status"]
        ours = base64.b64encode((world.api.server.config.paths.pki / "ca.crt").read_bytes()).decode()
        signed = {**obj, "status": {**obj["status"], "certificate": ours}}
        kept = await world.client.update(SIGNING_REQUESTS, signed, "status")
        with pytest.raises(Invalid, match="updates may not modify existing certificate content"):
            other = {**kept["status"], "certificate": base64.b64encode(base64.b64decode(ours) * 2).decode()}
            await world.client.update(SIGNING_REQUESTS, {**kept, "status": other}, "status")


async def test_signers_decide_nothing_and_nothing_asked_for_changes() -> None:
    async with running_controllers() as world:
        made = await world.client.create(SIGNING_REQUESTS, request("x", pem_request("x")))
        approved = {"conditions": [{"type": "Approved", "status": "True"}]}
        with pytest.raises(Invalid, match='updates may not add a condition of type "Approved"'):
            await world.client.update(SIGNING_REQUESTS, {**made, "status": approved}, "status")
        other = {**made, "spec": {**made["spec"], "request": pem_request("y")}, "status": approved}
        kept = await world.client.update(SIGNING_REQUESTS, other)
        assert (kept["spec"], kept.get("status")) == (made["spec"], made.get("status"))
        await approve(world, "x")
        await has(world, "x", "certificate")  # the signer writes no more
        with pytest.raises(Invalid, match='updates may not remove a condition of type "Approved"'):
            obj = await world.client.get(SIGNING_REQUESTS, "x")
            await world.client.update(SIGNING_REQUESTS, {**obj, "status": {}}, "approval")


async def test_bad_requests_are_refused() -> None:
    async with running_controllers() as world:
        good = pem_request("x")
        for spec, why in [
            ({"request": "eA=="}, "PEM block type must be CERTIFICATE REQUEST"),
            ({"usages": []}, "spec.usages: Required value"),
            ({"usages": ["tea"]}, 'Unsupported value: "tea"'),
            ({"usages": ["any", "any"]}, 'Duplicate value: "any"'),
            ({"signerName": "x"}, "must be a fully qualified domain and path"),
            ({"signerName": "kubernetes.io/legacy-unknown"}, "the legacy signerName is not allowed"),
            ({"expirationSeconds": 599}, "may not specify a duration less than 600 seconds"),
        ]:
            with pytest.raises(Invalid, match=why):
                await world.client.create(SIGNING_REQUESTS, request("x", good, **spec))  # type: ignore[arg-type]
        with pytest.raises(Forbidden, match="signer with system:masters group is not allowed"):
            await world.client.create(SIGNING_REQUESTS, request("x", pem_request("x", "system:masters")))


async def test_settled_and_forgotten_requests_go_away() -> None:
    clock = SetClock()
    async with running_controllers(clock=clock) as world:
        for name in ("settled", "pending"):
            await world.client.create(SIGNING_REQUESTS, request(name, pem_request(name)))
        await approve(world, "settled")
        await has(world, "settled", "certificate")
        clock.advance(3700)
        await world.client.patch(SIGNING_REQUESTS, "settled", {"metadata": {"labels": {"look": "again"}}})
        await world.client.patch(SIGNING_REQUESTS, "pending", {"metadata": {"labels": {"look": "again"}}})
        await world.until(lambda: world.get(SIGNING_REQUESTS, "settled") is None)
        await world.settle()
        assert world.get(SIGNING_REQUESTS, "pending")
