"""The ConfigMap from which extension API servers learn whom to believe.

Who has the Role `extension-apiserver-authentication-reader` may read it. Written when the server starts, which is when
authorities change. Source: `pkg/controlplane/controller/clusterauthenticationtrust`.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.aggregation.identity import EXTRA, GROUP, UID, USER
from skerry.engine.api.pki import FRONT_PROXY, FRONT_PROXY_CA, Pki
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS

NAME, NAMESPACE = "extension-apiserver-authentication", "kube-system"


async def publish_authentication(client: Client, pki: Pki) -> None:
    """Make it, or bring it up to date; what others have added stays."""
    data = authentication_data(pki)
    try:
        found = await client.get(CONFIG_MAPS, NAME, NAMESPACE)
    except NotFound:
        metadata = {"name": NAME, "namespace": NAMESPACE}
        await client.create(CONFIG_MAPS, {"metadata": metadata, "data": data}, NAMESPACE)
        return
    kept = found.get("data") or {}
    if not data.items() <= kept.items():
        await client.update(CONFIG_MAPS, {**found, "data": {**kept, **data}})


def authentication_data(pki: Pki) -> Obj:
    """Authorities of clients and of the front proxy, the proxy's name, and the headers it uses."""
    lists = {
        "requestheader-allowed-names": FRONT_PROXY,
        "requestheader-username-headers": USER,
        "requestheader-uid-headers": UID,
        "requestheader-group-headers": GROUP,
        "requestheader-extra-headers-prefix": EXTRA,
    }
    return {
        "client-ca-file": pki.certificate("ca").read_text(),
        "requestheader-client-ca-file": pki.certificate(FRONT_PROXY_CA).read_text(),
        **{key: orjson.dumps([value]).decode() for key, value in lists.items()},
    }
