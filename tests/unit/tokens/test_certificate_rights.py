"""Who may decide on requests for certificates, and who may sign."""

from __future__ import annotations

import pytest

from skerry.kube.errors import Forbidden
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import SIGNING_REQUESTS
from tests.support.api import RunningApi
from tests.unit.tokens.requests import pem_request, request

ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
GROUP = "certificates.k8s.io"
APPROVED = {"conditions": [{"type": "Approved", "status": "True", "reason": "Test"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "Test"}]}


async def allow(api: RunningApi, user: str, *rules: Obj) -> None:
    name = f"of-{user}"
    await api.client.create(ROLES, {"metadata": {"name": name}, "rules": list(rules)})
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    await api.client.create(BINDINGS, {"metadata": {"name": name}, "subjects": [subject], "roleRef": role})


def rule(verbs: str, *resources: str, **more: list[str]) -> Obj:
    return {"apiGroups": [GROUP], "verbs": verbs.split(","), "resources": list(resources), **more}


@pytest.mark.parametrize("signer", ["example.com/ours", "example.com/*"])
@pytest.mark.parametrize(("verb", "part", "status"), [("approve", "approval", APPROVED), ("sign", "status", FAILED)])
async def test_a_right_on_the_signer(api: RunningApi, signer: str, verb: str, part: str, status: Obj) -> None:
    made = await api.client.create(SIGNING_REQUESTS, request("x", pem_request("x"), "example.com/ours"))
    writing = rule("get,update", "certificatesigningrequests", f"certificatesigningrequests/{part}")
    await allow(api, "nora", writing)
    await allow(api, "otto", writing, rule(verb, "signers", resourceNames=[signer]))
    wanted = {**made, "status": status}
    why = f'user not permitted to {verb} requests with signerName "example.com/ours"'
    with pytest.raises(Forbidden, match=why):
        await api.server.client("nora").update(SIGNING_REQUESTS, wanted, part)
    done = await api.server.client("otto").update(SIGNING_REQUESTS, wanted, part)
    assert done["status"]["conditions"][0]["type"] == status["conditions"][0]["type"]


async def test_whoever_asks_is_written_down(api: RunningApi) -> None:
    await allow(api, "nora", rule("create", "certificatesigningrequests"))
    forged = request("x", pem_request("x"), "example.com/ours", username="root", groups=["system:masters"], uid="0")
    made = await api.server.client("nora").create(SIGNING_REQUESTS, forged)
    assert {key: made["spec"].get(key) for key in ("username", "groups", "uid")} == {
        "username": "nora",
        "groups": ["system:authenticated"],
        "uid": None,
    }
