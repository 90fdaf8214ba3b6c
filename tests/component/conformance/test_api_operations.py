"""Tests named "should support ... API operations" and the like, of all groups."""

from __future__ import annotations

import base64
from typing import Any

from tests.component.conformance.e2e_client import E2eClient
from tests.component.conformance.operations import exercise


def _obj(name: str, unique: str, **content: Any) -> Any:
    return {"metadata": {"generateName": f"e2e-{name}-", "labels": {"special-label": unique}}, **content}


def test_flow_schema_api_operations(api: E2eClient, unique: str) -> None:
    subject = {"kind": "User", "user": {"name": "example-e2e-flow-schema"}}
    rule = {"subjects": [subject], "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    spec = {
        "matchingPrecedence": 10000,
        "priorityLevelConfiguration": {"name": "global-default"},
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [rule],
    }
    exercise(api, "flowcontrol.apiserver.k8s.io", "v1", "flowschemas", _obj("fs", unique, spec=spec), status=True)


def test_flow_schema_keeps_the_condition_written_to_its_status(api: E2eClient, unique: str) -> None:
    path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
    subject = {"kind": "Group", "group": {"name": f"e2e-{unique}"}}
    rule = {"subjects": [subject], "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}
    spec = {"matchingPrecedence": 9999, "priorityLevelConfiguration": {"name": "global-default"}, "rules": [rule]}
    made = api.create(path, _obj("fs", unique, spec=spec))
    one = f"{path}/{made['metadata']['name']}"
    condition = {
        "type": "Dangling",
        "status": "True",
        "reason": "E2E",
        "message": "Set by a patch",
        "lastTransitionTime": None,
    }
    patched = api.patch(f"{one}/status", {"status": {"conditions": [condition]}})
    assert patched["status"]["conditions"][0]["reason"] == "E2E"
    updated = api.change(f"{one}/status", lambda now: now["status"]["conditions"][0].update(status="False"))
    assert updated["status"]["conditions"][0]["status"] == "False"
    api.delete(one)


def test_priority_level_configuration_api_operations(api: E2eClient, unique: str) -> None:
    limited = {"nominalConcurrencyShares": 2, "limitResponse": {"type": "Reject"}}
    obj = _obj("plc", unique, spec={"type": "Limited", "limited": limited})
    exercise(api, "flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", obj, status=True)


def test_certificate_signing_request_api_operations(api: E2eClient, unique: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "e2e.example.com")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)
    spec = {
        "request": base64.b64encode(pem).decode(),
        "signerName": "example.com/e2e-signer",
        "expirationSeconds": 3600,
        "usages": ["digital signature", "key encipherment", "server auth"],
    }
    obj = _obj("csr", unique, spec=spec)
    exercise(api, "certificates.k8s.io", "v1", "certificatesigningrequests", obj, status=True)
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    names = [one["name"] for one in api.get("/apis/certificates.k8s.io/v1")["resources"]]
    assert {"certificatesigningrequests/approval", "certificatesigningrequests/status"} <= set(names)
    one = f"{path}/{api.create(path, obj)['metadata']['name']}"
    assert api.get(f"{one}/approval")["kind"] == "CertificateSigningRequest"
    approval = {"type": "Approved", "status": "True", "reason": "E2E", "message": "Set from an e2e test"}
    patched = api.patch(
        f"{one}/approval",
        {"metadata": {"annotations": {"patchedapproval": "true"}}, "status": {"conditions": [approval]}},
    )
    assert patched["metadata"]["annotations"]["patchedapproval"] == "true"
    assert [found["type"] for found in patched["status"]["conditions"]] == ["Approved"]
    certificate = "-----BEGIN CERTIFICATE-----\nMIIBsjCCAVegAwIBAgIUAAAA\n-----END CERTIFICATE-----\n"
    refused = api.call(
        "PUT",
        f"{one}/status",
        {**patched, "status": {**patched["status"], "certificate": base64.b64encode(certificate.encode()).decode()}},
    )
    assert refused.code == 422
    condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set"}
    updated = api.change(f"{one}/status", lambda now: now["status"]["conditions"].append(condition))
    assert len(updated["status"]["conditions"]) == 2
    api.delete(one)


def test_validating_admission_policy_api_operations(api: E2eClient, unique: str) -> None:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments"],
    }
    selector = {"matchLabels": {unique: "true"}}
    spec = {
        "validations": [{"expression": "object.spec.replicas <= 100"}],
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": selector},
    }
    obj = _obj("vap", unique, spec=spec)
    exercise(api, "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", obj, status=True)


def test_validating_admission_policy_binding_api_operations(api: E2eClient, unique: str) -> None:
    obj = _obj("vapb", unique, spec={"policyName": "replicalimit-policy.example.com", "validationActions": ["Deny"]})
    exercise(api, "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", obj)


def test_mutating_admission_policy_api_operations(api: E2eClient, unique: str) -> None:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    expression = "Object{spec: Object.spec{replicas: 1}}"
    mutation = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}
    constraints = {"resourceRules": [rule], "namespaceSelector": {"matchLabels": {unique: "true"}}}
    spec = {"mutations": [mutation], "reinvocationPolicy": "Never", "matchConstraints": constraints}
    exercise(api, "admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", _obj("map", unique, spec=spec))


def test_endpoint_slice_api_operations(api: E2eClient, unique: str, ns: str) -> None:
    content = {"addressType": "IPv4", "endpoints": [{"addresses": ["1.2.3.4", "5.6.7.8"]}]}
    exercise(api, "discovery.k8s.io", "v1", "endpointslices", _obj("eps", unique, **content), ns)


def test_ingress_api_operations(api: E2eClient, unique: str, ns: str) -> None:
    backend = {"service": {"name": "default-backend", "port": {"name": "", "number": 8080}}}
    spec = {"defaultBackend": backend}
    obj = _obj("ing", unique, spec=spec)
    exercise(api, "networking.k8s.io", "v1", "ingresses", obj, ns, status=True)


def test_ingress_class_api_operations(api: E2eClient, unique: str) -> None:
    obj = _obj("ingc", unique, spec={"controller": "example.com/controller"})
    exercise(api, "networking.k8s.io", "v1", "ingressclasses", obj)


def test_runtime_class_api_operations(api: E2eClient, unique: str) -> None:
    exercise(api, "node.k8s.io", "v1", "runtimeclasses", _obj("rc", unique, handler="handler"))


def test_network_policy_api_operations(api: E2eClient, unique: str, ns: str) -> None:
    selector = {"matchLabels": {"pod-name": "e2e"}}
    ingress = {"from": [{"namespaceSelector": {"matchLabels": {"ns-name": "e2e"}}, "podSelector": selector}]}
    spec = {"podSelector": {}, "ingress": [ingress]}
    exercise(api, "networking.k8s.io", "v1", "networkpolicies", _obj("np", unique, spec=spec), ns)


def test_csi_storage_capacity_api_operations(api: E2eClient, unique: str, ns: str) -> None:
    obj = _obj("csc", unique, storageClassName="e2e")
    exercise(api, "storage.k8s.io", "v1", "csistoragecapacities", obj, ns)


def test_lease_api_operations(api: E2eClient, ns: str) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"
    spec = {
        "holderIdentity": "holder",
        "leaseDurationSeconds": 30,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": "2026-01-01T00:00:05.000000Z",
        "leaseTransitions": 0,
    }
    api.create(path, {"metadata": {"name": "lease"}, "spec": spec})
    read = api.get(f"{path}/lease")
    assert read["spec"] == spec
    read["spec"] = {**spec, "holderIdentity": "holder2", "leaseTransitions": 1, "leaseDurationSeconds": 45}
    assert api.update(f"{path}/lease", read)["spec"]["holderIdentity"] == "holder2"
    patch = {"spec": {"holderIdentity": "holder3", "leaseDurationSeconds": 60, "leaseTransitions": 2}}
    patched = api.patch(f"{path}/lease", patch, "application/strategic-merge-patch+json")
    assert patched["spec"]["leaseTransitions"] == 2
    api.create(path, {"metadata": {"name": "lease2", "labels": {"deletecollection": "true"}}, "spec": spec})
    assert len(api.items(path)) == 2
    api.delete(f"{path}?labelSelector=deletecollection=true")
    assert len(api.items(path)) == 1
    api.delete(f"{path}/lease")
    assert api.code(f"{path}/lease") == 404
    assert api.items(path) == []


def test_service_cidr_api_operations(api: E2eClient) -> None:
    path = "/apis/networking.k8s.io/v1/servicecidrs"
    default = api.get(f"{path}/kubernetes")
    status = api.get(f"{path}/kubernetes/status")
    assert (status["kind"], status["metadata"]["uid"]) == ("ServiceCIDR", default["metadata"]["uid"])
    assert api.items(path)
    with api.watch(path) as watch:
        assert watch.next()[0] == "ADDED"


def test_ip_address_api_operations(api: E2eClient) -> None:
    path = "/apis/networking.k8s.io/v1/ipaddresses"
    parent = {"group": "mygroup", "resource": "myresources", "namespace": "foo", "name": "bar"}
    for name, kind in (("255.255.255.255", "broadcast"), ("fe80::42:1dff:fe84:f9e2", "link-local")):
        api.create(path, {"metadata": {"name": name, "labels": {"type": kind}}, "spec": {"parentRef": parent}})
    one = f"{path}/255.255.255.255"
    patched = api.patch(one, {"metadata": {"annotations": {"patched": "true"}}})
    patched["metadata"]["annotations"]["updated"] = "true"
    assert api.update(one, patched)["metadata"]["annotations"] == {"patched": "true", "updated": "true"}
    assert len(api.items(f"{path}?labelSelector=type=broadcast")) == 1
    api.delete(one)
    api.delete(f"{path}?labelSelector=type=link-local")
    assert api.items(f"{path}?labelSelector=type=link-local") == []
