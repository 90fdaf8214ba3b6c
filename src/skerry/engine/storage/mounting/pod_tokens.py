"""Service-account tokens for drivers that ask for them (`tokenRequests` of a CSIDriver), made when a volume is mounted.

They are asked for as the node, bound to the pod, and kept nowhere. Source: Kubernetes' `pkg/volume/csi/csi_mounter.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from skerry.kube.client import Client
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import SERVICE_ACCOUNTS

KEY = "csi.storage.k8s.io/serviceAccount.tokens"


async def tokens_for(client: Client, pod: Obj, requests: Sequence[Obj]) -> dict[str, str]:
    """The entry that a driver is given, tokens by audience; {} when it asks for none. Raises StatusError."""
    given = {request.get("audience") or "": await _token(client, pod, request) for request in requests}
    return {KEY: orjson.dumps(given).decode()} if given else {}


async def _token(client: Client, pod: Obj, request: Obj) -> Obj:
    bound = {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": uid_of(pod)}
    spec: Obj = {"boundObjectRef": bound}
    if request.get("audience"):
        spec["audiences"] = [request["audience"]]
    if request.get("expirationSeconds"):
        spec["expirationSeconds"] = request["expirationSeconds"]
    asked = {"metadata": {"name": pod["spec"].get("serviceAccountName") or "default"}, "spec": spec}
    status = (await client.create(SERVICE_ACCOUNTS, asked, namespace_of(pod), "token"))["status"]
    return {"token": status["token"], "expirationTimestamp": status["expirationTimestamp"]}
