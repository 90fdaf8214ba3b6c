"""Secrets of type `kubernetes.io/service-account-token`: filled with a token, the CA and the namespace; gone with their
service account.

Bound tokens (TokenRequest) are the better way; these are for what needs a token that does not end. Source:
Kubernetes' `pkg/controller/serviceaccount/tokens_controller.go`. The cache has metadata only: the annotation says
which Secrets matter, and those are read when they do.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from skerry.engine.controllers.context import Context
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import SECRETS, SERVICE_ACCOUNTS

TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME, ACCOUNT_UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class AccountTokens(Controller):
    """Keys are those of Secrets that name a service account."""

    name = "serviceaccount-token"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._root_ca = context.root_ca
        self._sign = context.sign_token
        self._accounts = context.informers.of(SERVICE_ACCOUNTS)
        self._secrets = context.informers.metadata_of(SECRETS)
        self.watch(self._secrets, lambda secret: (key_of(secret),) if account_of(secret) else ())
        self._accounts.add_handler(self._account_changed)
        self._root_ca.on_change(self._look_everywhere)

    async def reconcile(self, key: str) -> float | None:
        """Fill, or delete, or forget one Secret."""
        namespace, name = split_key(key)
        secret = await self._read(namespace, name)
        if secret is None:
            await self._forget(namespace, name)
        elif secret.get("type") == TYPE and account_of(secret) and not is_deleting(secret):
            await self._settle(secret)
        return None

    async def _settle(self, secret: Obj) -> None:
        account = await self._account(namespace_of(secret), account_of(secret))
        wanted_uid = annotations_of(secret).get(ACCOUNT_UID)
        if account is None or (wanted_uid and wanted_uid != uid_of(account)):
            options = {"preconditions": {"uid": uid_of(secret)}}
            await self._client.delete(SECRETS, name_of(secret), namespace_of(secret), options)
        elif filled := missing(secret, account, self._root_ca.pem, lambda: self._sign(account, secret)):
            await self._client.update(SECRETS, filled)

    async def _read(self, namespace: str, name: str) -> Obj | None:
        try:
            return await self._client.get(SECRETS, name, namespace)
        except NotFound:
            return None

    async def _account(self, namespace: str, name: str) -> Obj | None:
        """The cache may lag behind a Secret made right after its account: what it lacks is asked for."""
        cached = self._accounts.get(name, namespace)
        if cached is not None:
            return cached
        try:
            return await self._client.get(SERVICE_ACCOUNTS, name, namespace)
        except NotFound:
            return None

    async def _forget(self, namespace: str, secret: str) -> None:
        """Take a Secret that is gone out of the accounts that list it."""
        for account in self._accounts.list(namespace):
            listed = account.get("secrets") or ()
            left = [reference for reference in listed if reference.get("name") != secret]
            if len(left) != len(listed):
                await self._update_account({**account, "secrets": left})

    async def _update_account(self, account: Obj) -> None:
        try:
            await self._client.update(SERVICE_ACCOUNTS, account)
        except NotFound:
            return

    def _look_everywhere(self) -> None:
        for secret in self._secrets.list():
            if account_of(secret):
                self.queue.add(key_of(secret))

    def _account_changed(self, delta: Delta) -> None:
        """An account that came or went: its Secrets are to be filled or removed."""
        if delta.old is None or delta.new is None:
            for key in self._secrets_of(delta.object):
                self.queue.add(key)

    def _secrets_of(self, account: Obj) -> Iterable[str]:
        for secret in self._secrets.list(namespace_of(account)):
            if account_of(secret) == name_of(account):
                yield key_of(secret)


def account_of(secret: Obj) -> str:
    """The service account a Secret names, "" when it names none."""
    return annotations_of(secret).get(ACCOUNT_NAME, "")


def missing(secret: Obj, account: Obj, ca_pem: str, sign: Callable[[], str]) -> Obj | None:
    """The Secret with what it lacks; None when it lacks nothing. A token that is there is never replaced."""
    data = dict(secret.get("data") or {})
    data["ca.crt"] = _encoded(ca_pem)
    data["namespace"] = data.get("namespace") or _encoded(namespace_of(secret))
    annotations = {**annotations_of(secret), ACCOUNT_UID: uid_of(account)}
    if not data.get("token"):
        data["token"] = _encoded(sign())
    if data == secret.get("data") and annotations == annotations_of(secret):
        return None
    return {**secret, "data": data, "metadata": {**secret["metadata"], "annotations": annotations}}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
