"""What has to be asked of the API before a volume is mounted: its claim, its PersistentVolume, its driver's object,
secrets and attachment. As the node, which may read what its own pods use; nothing is kept.

Source of the behaviour and words: Kubernetes' `pkg/volume/csi`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from skerry.engine.storage.contract import Ability, Driver
from skerry.engine.storage.mounting.pod_tokens import tokens_for
from skerry.engine.storage.mounting.resolving import (
    NO_SECRET,
    Mountable,
    SecretName,
    Unresolved,
    attachment_name,
    check_claim,
    of_claim,
    of_inline,
)
from skerry.engine.storage.mounting.sources import claim_name
from skerry.kube.client import Client
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import (
    CSI_DRIVERS,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    SECRETS,
    VOLUME_ATTACHMENTS,
)


class NotReady(Exception):
    """Something that a volume needs is not there yet; the text is the event's."""


@record
class Manners:
    """How a driver wants its volumes handled: its CSIDriver object, or what its abilities say without one."""

    attach: bool
    pod_info: bool
    group_policy: str
    """"File", "None" or "ReadWriteOnceWithFSType"."""
    inline: bool = True
    """Whether pods may describe volumes of it themselves."""
    tokens: Sequence[Obj] = ()
    """Its `tokenRequests`."""
    tokens_are_secrets: bool = False
    """Whether it is given them with the secrets."""


class Reader:
    """Reads as one node."""

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node

    async def mountable(self, pod: Obj, volume: Obj, *, is_mounted: bool) -> Mountable:
        """What a volume stands for. One that `is_mounted` for the pod may have a claim that is going. Raises
        NotReady."""
        try:
            if not (name := claim_name(pod, volume)):
                return of_inline(pod, volume)
            claim = await self._claim(namespace_of(pod), name)
            check_claim(pod, volume, claim, is_mounted=is_mounted)
            bound = await self._bound(claim["spec"]["volumeName"])
            return of_claim(pod, volume, claim, bound)
        except (Unresolved, StatusError) as error:
            raise NotReady(self._unprocessed(pod, volume, str(error))) from error

    def _unprocessed(self, pod: Obj, volume: Obj, why: str) -> str:
        name = claim_name(pod, volume)
        return f"error processing PVC {namespace_of(pod)}/{name}: {why}" if name else why

    async def _claim(self, namespace: str, name: str) -> Obj:
        try:
            return await self._client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)
        except NotFound as error:
            why = f'persistentvolumeclaim "{name}" not found'
            raise Unresolved(f"failed to fetch PVC from API server: {why}") from error

    async def _bound(self, name: str) -> Obj:
        try:
            return await self._client.get(PERSISTENT_VOLUMES, name)
        except NotFound as error:
            why = f'persistentvolume "{name}" not found'
            raise Unresolved(f"failed to fetch PV {name} from API server: {why}") from error

    async def manners(self, driver: str, known: Driver | None) -> Manners:
        """Raises StatusError."""
        abilities = known.abilities if known is not None else frozenset()
        try:
            spec = (await self._client.get(CSI_DRIVERS, driver)).get("spec") or {}
        except NotFound:
            policy = "File" if Ability.GROUP in abilities else "None"
            return Manners(Ability.ATTACH in abilities, pod_info=True, group_policy=policy)
        return Manners(
            attach=spec.get("attachRequired", True),
            pod_info=bool(spec.get("podInfoOnMount")),
            group_policy=spec.get("fsGroupPolicy") or "ReadWriteOnceWithFSType",
            inline="Ephemeral" in (spec.get("volumeLifecycleModes") or ("Persistent",)),
            tokens=spec.get("tokenRequests") or (),
            tokens_are_secrets=bool(spec.get("serviceAccountTokenInSecrets")),
        )

    async def attachment(self, mountable: Mountable) -> Mapping[str, str]:
        """What attaching gave. Raises NotReady while the volume is not attached."""
        name = attachment_name(mountable.handle, mountable.driver, self._node)
        try:
            status = (await self._client.get(VOLUME_ATTACHMENTS, name)).get("status") or {}
        except StatusError as error:
            raise NotReady(f'volume "{mountable.name}" is not attached yet: {error}') from error
        if not status.get("attached"):
            trouble = (status.get("attachError") or {}).get("message", "")
            raise NotReady(f'volume "{mountable.name}" is not attached yet{": " if trouble else ""}{trouble}')
        return status.get("attachmentMetadata") or {}

    async def tokens(self, pod: Obj, manners: Manners) -> Mapping[str, str]:
        """What a driver that asks for tokens is given beside the rest. Raises NotReady."""
        try:
            return await tokens_for(self._client, pod, manners.tokens)
        except StatusError as error:
            raise NotReady(f"failed to get service account token attributes: {error}") from error

    async def secret(self, mountable: Mountable, name: SecretName) -> Mapping[str, str]:
        """The values of a secret, {} for none. Raises NotReady."""
        if name == NO_SECRET:
            return {}
        try:
            secret = await self._client.get(SECRETS, name[1], name[0])
            return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
        except (StatusError, ValueError) as error:
            words = str(error) if isinstance(error, StatusError) else "a value of it is no text"
            why = f"failed to find the secret {name[1]} in the namespace {name[0]} with error: {words}"
            raise NotReady(
                f'MountVolume.SetUp failed for volume "{mountable.name}" : kubernetes.io/csi: {why}'
            ) from error


def pod_info(pod: Obj, mountable: Mountable) -> dict[str, str]:
    """What a driver that asks for it is told of the pod."""
    prefix = "csi.storage.k8s.io"
    return {
        f"{prefix}/pod.name": name_of(pod),
        f"{prefix}/pod.namespace": namespace_of(pod),
        f"{prefix}/pod.uid": uid_of(pod),
        f"{prefix}/serviceAccount.name": pod["spec"].get("serviceAccountName") or "",
        f"{prefix}/ephemeral": "true" if mountable.inline else "false",
    }


def supports_group(manners: Manners, mountable: Mountable) -> bool:
    """Whether a pod's fsGroup is brought about on a volume (`supportsFSGroup` of Kubernetes' CSI plug-in)."""
    if mountable.use.block or mountable.read_only or manners.group_policy == "None":
        return False
    if manners.group_policy == "File":
        return True
    once = {"ReadWriteOnce", "ReadWriteOncePod"}
    return bool(mountable.use.fs_type) and bool(once.intersection(mountable.use.access_modes))
