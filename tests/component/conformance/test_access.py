"""sig-auth: a client made from a signing request, what a node may see and do, tokens as service accounts get them."""

from __future__ import annotations

import base64
import ssl
import tempfile
from http.client import HTTPSConnection
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.component.conformance.e2e_client import Answer, E2eClient

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
NODE = {"Impersonate-User": "system:node:node-1", "Impersonate-Group": "system:nodes"}


def _as_node(api: E2eClient, method: str, path: str, body: Any = None) -> Answer:
    return api.call(method, path, body, **NODE)


def test_a_client_built_with_a_signing_request(api: E2eClient, kubeconfig: Any) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tester-csr")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    spec = {
        "request": base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["digital signature", "key encipherment", "client auth"],
        "expirationSeconds": 3600,
    }
    made = api.create(REQUESTS, {"metadata": {"generateName": "tester-csr-"}, "spec": spec})
    one = f"{REQUESTS}/{made['metadata']['name']}"
    approved = {"type": "Approved", "status": "True", "reason": "E2E", "message": "Set from an e2e test"}
    made["status"] = {"conditions": [approved]}
    api.update(f"{one}/approval", made)
    signed = api.until(one, lambda found: found["status"].get("certificate"))
    certificate = base64.b64decode(signed["status"]["certificate"])
    lifetime = x509.load_pem_x509_certificate(certificate)
    assert (lifetime.not_valid_after_utc - lifetime.not_valid_before_utc).total_seconds() <= 3600 + 300 + 1
    answer = _asked_with(api, key, certificate)
    user = answer["status"]["userInfo"]
    assert user["username"] == "tester-csr"
    api.delete(one)


def _asked_with(api: E2eClient, key: rsa.RSAPrivateKey, certificate: bytes) -> Any:
    """Who the API takes the owner of a certificate for."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with tempfile.NamedTemporaryFile() as both:
        both.write(certificate + private)
        both.flush()
        context.load_cert_chain(both.name)
    connection = HTTPSConnection(str(api.address.hostname), api.address.port, context=context, timeout=60)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    connection.request("POST", path, orjson.dumps(review), {"Content-Type": "application/json"})
    answer = orjson.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_what_a_node_may_see(api: E2eClient, ns: str) -> None:
    secrets = f"/api/v1/namespaces/{ns}/secrets"
    assert _as_node(api, "GET", f"{secrets}/foo").code == 403
    api.create(secrets, {"metadata": {"name": "node-auth-secret"}, "data": {"data": "a2VlcA=="}})
    assert _as_node(api, "GET", f"{secrets}/node-auth-secret").code == 403
    volume = {"name": "secret", "secret": {"secretName": "node-auth-secret"}}
    spec = {"containers": [{"name": "pause", "image": "pause"}], "nodeName": "node-1", "volumes": [volume]}
    api.create(f"/api/v1/namespaces/{ns}/pods", {"metadata": {"name": "pause"}, "spec": spec})
    assert _as_node(api, "GET", f"{secrets}/node-auth-secret").code == 200


def test_a_node_has_no_say_about_others(api: E2eClient) -> None:
    assert _as_node(api, "POST", "/api/v1/nodes", {"metadata": {"name": "foo"}}).code == 403
    assert _as_node(api, "DELETE", "/api/v1/nodes/foo").code == 403
    assert _as_node(api, "PATCH", "/api/v1/nodes/node-2", {"metadata": {"labels": {"a": "b"}}}).code in (403, 415)


def test_tokens_for_nodes_are_for_their_pods_audiences(api: E2eClient, ns: str) -> None:
    source = {"serviceAccountToken": {"path": "token", "audience": "vault"}}
    spec = {
        "containers": [{"name": "pause", "image": "pause"}],
        "nodeName": "node-1",
        "volumes": [{"name": "t", "projected": {"sources": [source]}}],
    }
    pod = api.create(f"/api/v1/namespaces/{ns}/pods", {"metadata": {"name": "p"}, "spec": spec})
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": pod["metadata"]["uid"]}
    path = f"/api/v1/namespaces/{ns}/serviceaccounts/default/token"

    def asked(*audiences: str) -> Answer:
        return _as_node(api, "POST", path, {"spec": {"audiences": list(audiences), "boundObjectRef": bound}})

    assert asked("vault").code == 201
    assert asked().code == 201, "the service account's own volume has the API's audience"
    refused = asked("elsewhere")
    assert refused.code == 403
    assert 'audience "elsewhere" not found in pod spec volume' in refused.body["message"]
    assert asked("vault", "elsewhere").code == 403
