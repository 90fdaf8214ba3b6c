"""Pods run as a service account that exists, and find its token, the API's certificate and their namespace mounted.

The volume is the one Kubernetes writes; the node fills it (`engine.node`). The account `default` is made by a
controller a moment after its namespace: a pod that comes in between is held back for up to two seconds. Source:
Kubernetes' `plugin/pkg/admission/serviceaccount`.
"""

from __future__ import annotations

import asyncio

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Pending, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.api.metadata import generated_name
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj, annotations_of

DEFAULT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
MIRROR = "kubernetes.io/config.mirror"
_VOLUME = "kube-api-access-"
_TOKEN_SECONDS = 3607
_PATIENCE = 2.0
"""Seconds; Kubernetes looks up to ten times, 100 to 200 ms apart."""


def service_account(store: Store) -> Plugin:
    """The plug-in, looking accounts up in `store`."""

    def mutate(attributes: Attributes) -> Pending:
        pod = attributes.obj
        if MIRROR in annotations_of(pod):
            return None
        spec = pod["spec"]
        name = spec["serviceAccountName"] = spec.get("serviceAccountName") or DEFAULT
        spec["serviceAccount"] = name
        entry = store.get(Key("serviceaccounts", attributes.target.namespace, name))
        if entry is None and name == DEFAULT:
            return _equip_when_there(store, attributes)
        if entry is None:
            raise _missing(attributes, name)
        equip(spec, entry.shared())
        return None

    def validate(attributes: Attributes) -> None:
        pod = attributes.obj
        if MIRROR in annotations_of(pod) and pod["spec"].get("serviceAccountName"):
            raise refused(attributes, "a mirror pod may not reference service accounts")

    looked_at = frozenset({"pods"})
    return Plugin("ServiceAccount", mutate=mutate, validate=validate, resources=looked_at, operations=CREATE)


async def _equip_when_there(store: Store, attributes: Attributes) -> None:
    namespace = attributes.target.namespace
    account = await _awaited(store, Key("serviceaccounts", namespace, DEFAULT))
    if account is None:
        raise _missing(attributes, DEFAULT)
    equip(attributes.obj["spec"], account)


async def _awaited(store: Store, key: Key) -> Obj | None:
    """The object once it is there; None when it does not come."""
    watch = store.watch(key.resource, key.namespace, since=store.revision)
    try:
        async with asyncio.timeout(_PATIENCE):
            while (entry := store.get(key)) is None:
                await watch.next()
            return entry.shared()
    except TimeoutError:
        return None
    finally:
        watch.close()


def _missing(attributes: Attributes, name: str) -> Exception:
    place = f"{attributes.target.namespace}/{name}"
    return refused(attributes, f'error looking up service account {place}: serviceaccount "{name}" not found')


def equip(spec: Obj, account: Obj) -> None:
    """Give a pod spec what comes with its account."""
    if automounts(spec, account):
        mount_token(spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]


def automounts(spec: Obj, account: Obj) -> bool:
    """Whether the token is to be mounted: the pod's word counts before the account's; by default it is."""
    for holder in (spec, account):
        if holder.get("automountServiceAccountToken") is not None:
            return bool(holder["automountServiceAccountToken"])
    return True


def mount_token(spec: Obj) -> None:
    """Mount the token volume in every container that has nothing at that place."""
    volumes = spec.get("volumes") or []
    present = next((volume["name"] for volume in volumes if str(volume.get("name")).startswith(_VOLUME)), "")
    name = present or generated_name(_VOLUME)
    wanting = [
        container
        for part in ("initContainers", "containers")
        for container in spec.get(part) or ()
        if all(mount.get("mountPath") != MOUNT_PATH for mount in container.get("volumeMounts") or ())
    ]
    for container in wanting:
        mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]
    if wanting and not present:
        spec["volumes"] = [*volumes, {"name": name, "projected": token_volume()}]


def token_volume() -> Obj:
    """Token, certificate authority and namespace, as a projected volume."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    certificates = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {"configMap": certificates},
            {"downwardAPI": {"items": [namespace]}},
        ],
    }
