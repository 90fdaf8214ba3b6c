"""Kubeconfig files: which values win, what is refused, and TLS with client certificates for real."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import KubeconfigError, load_kubeconfig


def _config(**user: Any) -> dict[str, Any]:
    return {
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "lidar"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example:6443/"}}],
        "users": [{"name": "u", "user": user}],
    }


def _write(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


def test_the_current_context_is_taken(tmp_path: Path) -> None:
    connection = load_kubeconfig(_write(tmp_path / "config", _config(token="t")))
    assert (connection.server, connection.namespace, connection.token) == ("https://api.example:6443", "lidar", "t")


def test_paths_start_from_the_file_and_data_wins(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(b"from file")
    (tmp_path / "key.pem").write_bytes(b"from file")
    data = base64.b64encode(b"inline").decode()
    config = _config(**{"client-certificate": "cert.pem", "client-key": "key.pem", "client-key-data": data})
    connection = load_kubeconfig(_write(tmp_path / "config", config))
    assert (connection.client_certificate, connection.client_key) == (b"from file", b"inline")


def test_several_files_are_merged_and_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _write(tmp_path / "1", {"current-context": "main", "users": [{"name": "u", "user": {"token": "first"}}]})
    second = _write(tmp_path / "2", _config(token="second"))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join((str(first), str(tmp_path / "missing"), str(second))))
    connection = load_kubeconfig()
    assert (connection.server, connection.token) == ("https://api.example:6443", "first")


@pytest.mark.parametrize("field", ["auth-provider", "username", "as"])
def test_ways_to_sign_in_that_are_missing_are_refused_by_name(tmp_path: Path, field: str) -> None:
    path = _write(tmp_path / "config", _config(**{field: {"command": "x"}}))
    with pytest.raises(KubeconfigError, match=f"'{field}', which Skerry does not support"):
        load_kubeconfig(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty or not a mapping"),
        ("{", "not YAML"),
        ("clusters: []", "no current-context"),
        ("current-context: x", "no context named 'x'"),
        ("{current-context: x, contexts: [{name: x, context: {cluster: y}}]}", "no cluster named 'y'"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(KubeconfigError, match=message):
        load_kubeconfig(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="missing"):
        load_kubeconfig(tmp_path / "missing")


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("ca", self.key, None, ca=True)

    def issue(self, name: str, address: str | None = None) -> tuple[bytes, bytes]:
        """(certificate, key) in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _pem(self._sign(name, key, address)), encoded

    def _sign(
        self, name: str, key: ec.EllipticCurvePrivateKey, address: str | None, *, ca: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(minutes=5))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if address:
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


async def test_client_certificates_over_tls(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("server", "127.0.0.1")
    (tmp_path / "server.pem").write_bytes(certificate + key)
    (tmp_path / "ca.pem").write_bytes(_pem(authority.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED

    async def who(request: web.Request) -> web.Response:
        assert request.transport is not None
        subject = request.transport.get_extra_info("peercert")["subject"]
        return web.json_response({"name": subject[0][0][1]})

    application = web.Application()
    application.router.add_get("/version", who)
    certificate, key = authority.issue("anna")
    server = TestServer(application, scheme="https")
    await server.start_server(ssl=context)
    try:
        config = _config(
            **{
                "client-certificate-data": base64.b64encode(certificate).decode(),
                "client-key-data": base64.b64encode(key).decode(),
            }
        )
        config["clusters"][0]["cluster"] = {
            "server": f"https://127.0.0.1:{server.port}",
            "certificate-authority": "ca.pem",
        }
        async with HttpClient.from_kubeconfig(_write(tmp_path / "config", config)) as client:
            assert await client.get_raw("/version") == b'{"name": "anna"}'
        del config["clusters"][0]["cluster"]["certificate-authority"]
        async with HttpClient.from_kubeconfig(_write(tmp_path / "config", config)) as client:
            with pytest.raises(OSError, match="certificate"):
                await client.get_raw("/version")
    finally:
        await server.close()
