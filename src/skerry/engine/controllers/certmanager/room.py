"""What the controllers of certificates share: the way to the API, caches, the helper; and whose the kinds are."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from skerry.engine.certificates.helper.process import Helper
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.context import Context
from skerry.engine.definitions.certmanager import CLUSTER_ISSUERS, ISSUERS
from skerry.engine.definitions.installing import is_ours
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, SECRETS


class Room:
    """Made once for all of them. `context`: acting as the controller of certificates."""

    def __init__(self, context: Context, helper: Helper) -> None:
        self.client = context.client
        self.clock = context.clock
        self.helper = helper
        self.instance = context.config.instance
        self.events = context.recorder.named("cert-manager")
        self._informers = context.informers
        self._definitions = context.informers.metadata_of(CUSTOM_RESOURCE_DEFINITIONS)

    def of(self, resource: Resource) -> Informer:
        """The shared cache of a resource."""
        return self._informers.of(resource)

    def metadata_of(self, resource: Resource) -> Informer:
        """The shared cache of metadata."""
        return self._informers.metadata_of(resource)

    @property
    def definitions(self) -> Informer:
        """Metadata of all definitions."""
        return self._definitions

    def acts_on(self, resource: Resource) -> bool:
        """Whether objects of a kind are ours to act on: its definition came with the engine."""
        return is_ours(self._definitions.get(resource.group_resource))

    def issuer(self, reference: Mapping[str, Any], namespace: str) -> Obj | None:
        """What an `issuerRef` in a namespace points at."""
        if reference.get("kind") == CLUSTER_ISSUERS.kind:
            return self.of(CLUSTER_ISSUERS).get(str(reference.get("name")))
        return self.of(ISSUERS).get(str(reference.get("name")), namespace)

    async def secret(self, namespace: str, name: str) -> Obj | None:
        """A Secret as it is, None when there is none. Raises StatusError."""
        try:
            return await self.client.get(SECRETS, name, namespace)
        except NotFound:
            return None

    async def secret_of_issuer(self, issuer: Obj, name: str) -> Obj | None:
        """A Secret that an issuer names: beside it; of a ClusterIssuer in `kube-system`, or else in `cert-manager`."""
        namespace = issuer["metadata"].get("namespace")
        if namespace:
            return await self.secret(namespace, name)
        found = await self.secret(names.CLUSTER_NAMESPACE, name)
        return found if found is not None else await self.secret(names.ELSEWHERE, name)


def text_of(secret: Obj, key: str) -> str:
    """A value of a Secret as text, "" when it is not there or is none."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def encoded(text: str) -> str:
    """Text as it stands in a Secret's `data`, or in a field of bytes."""
    return base64.b64encode(text.encode()).decode()


def decoded(value: str) -> str:
    """The reverse. Raises ValueError."""
    return base64.b64decode(value, validate=True).decode()


def issuer_kind(reference: Mapping[str, Any]) -> str:
    """The kind of an `issuerRef`, which need not be written."""
    return str(reference.get("kind") or ISSUERS.kind)


def issuer_group(reference: Mapping[str, Any]) -> str:
    """The group of an `issuerRef`, which need not be written."""
    return str(reference.get("group") or names.GROUP)
