"""Says of every issuer whether it can issue: the condition Ready, with a reason. Registers accounts at ACME servers.

Source of reasons and wording: cert-manager's `pkg/issuer/{acme,ca,selfsigned}/setup.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skerry.engine.certificates.built_in import renewal_of
from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.controllers.certmanager.issuers.account import account_of, register
from skerry.engine.controllers.certmanager.issuers.settings import objection
from skerry.engine.controllers.certmanager.room import Room, text_of
from skerry.engine.controllers.writing import write_status
from skerry.kube.conditions import condition_of, conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, Resource, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import SECRETS

_AGAIN = 60.0  # seconds, when nobody answered


class NotReady(Exception):
    """Why an issuer cannot issue; `again`: seconds until another look, None when a change must come first."""

    def __init__(self, reason: str, message: str, again: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.again = again


class IssuerController(Controller):
    """Keys are those of issuers of one kind: Issuer or ClusterIssuer."""

    workers = 2

    def __init__(self, room: Room, resource: Resource) -> None:
        super().__init__()
        self.name = resource.plural
        self._room = room
        self._resource = resource
        self._issuers = room.of(resource)
        self.watch(self._issuers)
        self.watch(room.metadata_of(SECRETS), self._using)
        self.watch(room.definitions, self._all)

    def _using(self, secret: Obj) -> Iterable[str]:
        """Issuers that name a Secret, wherever it is."""
        namespace = namespace_of(secret) if self._resource.namespaced else None
        for issuer in self._issuers.list(namespace):
            if name_of(secret) in secrets_of(issuer["spec"]):
                yield key_of(issuer)

    def _all(self, definition: Obj) -> Iterable[str]:
        return map(key_of, self._issuers.list()) if name_of(definition) == self._resource.group_resource else ()

    async def reconcile(self, key: str) -> float | None:
        """Check, and say what came of it."""
        namespace, name = split_key(key)
        issuer = self._issuers.get(name, namespace)
        if issuer is None or is_deleting(issuer) or not self._room.acts_on(self._resource):
            return None
        try:
            reason, message, more = await self._check(issuer)
        except NotReady as error:
            await self._tell(issuer, "False", error.reason, str(error), {})
            return error.again
        await self._tell(issuer, "True", reason, message, more)
        return None

    async def _check(self, issuer: Obj) -> tuple[str, str, Obj]:
        """Reason and message of an issuer that can issue, and what else goes into the status. Raises NotReady."""
        spec = issuer["spec"]
        if why := objection(spec):
            raise NotReady("Unsupported", why)
        if "ca" in spec:
            checked = await self._check_authority(issuer, spec["ca"]["secretName"])
            return "KeyPairVerified", "Signing CA verified", {"ca": {"checkedSecret": checked}}
        if "acme" in spec:
            return await self._check_account(issuer)
        return "IsReady", "", {}

    async def _check_authority(self, issuer: Obj, name: str) -> str:
        """Which state of the Secret is good; one that was seen to be before is not read again."""
        secret = await self._room.secret_of_issuer(issuer, name)
        if secret is None:
            raise NotReady("ErrGetKeyPair", f'Error getting keypair for CA issuer: secret "{name}" not found')
        state = f"{uid_of(secret)}/{secret['metadata']['resourceVersion']}"
        known = ((issuer.get("status") or {}).get("ca") or {}).get("checkedSecret")
        if known == state or renewal_of(secret, self._room.clock.now()) is not None:  # the built-in one is ours
            return state
        certificate, key = text_of(secret, "tls.crt"), text_of(secret, "tls.key")
        if not certificate or not key:
            raise NotReady("ErrInvalidKeyPair", f'no data for "tls.crt" or "tls.key" in secret "{name}"')
        try:
            facts = await self._room.helper.call("read_pair", certificate=certificate, key=key)
        except Refused as error:
            raise NotReady("ErrInvalidKeyPair", f"Error parsing signing CA keypair: {error}") from None
        if not facts["isCA"]:
            raise NotReady("ErrInvalidKeyPair", "certificate is not a CA")
        return state

    async def _check_account(self, issuer: Obj) -> tuple[str, str, Obj]:
        try:
            account = await account_of(self._room, issuer, is_made=True)
            registered = await register(self._room, issuer, account)
        except LookupError as error:
            raise NotReady("ErrGetKeyPair", str(error)) from None
        except Refused as error:
            message = f"Failed to register ACME account: {error}"
            raise NotReady("ErrRegisterACMEAccount", message, max(_AGAIN, error.retry_after)) from None
        text = "The ACME account was registered with the ACME server"
        return "ACMEAccountRegistered", text, {"acme": registered}

    async def _tell(self, issuer: Obj, is_ready: str, reason: str, message: str, more: Obj) -> None:
        condition: dict[str, Any] = {"type": "Ready", "status": is_ready, "reason": reason, "message": message}
        condition["observedGeneration"] = issuer["metadata"].get("generation", 1)
        conditions = with_condition(conditions_of(issuer), condition, self._room.clock.now())
        before = condition_of(issuer, "Ready") or {}
        status = {**(issuer.get("status") or {}), **more, "conditions": conditions}
        await write_status(self._room.client, self._resource, issuer, status)
        if (before.get("reason"), before.get("message")) != (reason, message):
            self._room.events.event(issuer, "Normal" if is_ready == "True" else "Warning", reason, message)


def secrets_of(spec: Obj) -> list[str]:
    """Names of the Secrets that an issuer needs to be ready."""
    acme = spec.get("acme") or {}
    named = [spec.get("ca", {}).get("secretName"), (acme.get("privateKeySecretRef") or {}).get("name")]
    binding = (acme.get("externalAccountBinding") or {}).get("keySecretRef") or {}
    return [name for name in (*named, binding.get("name")) if name]
