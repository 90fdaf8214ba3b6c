"""The platform's own authority, kept in a Secret, and the certificate it serves with, made anew every month.

Whoever trusts the authority (webhook configurations, kubeconfigs of `skerry login`) goes on trusting after restarts.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl

from skerry.kube.certificates.making import Pair, issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted
from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import SECRETS
from skerry.platform.base.capability import NAMESPACE

SECRET = "skerry-platform-ca"  # noqa: S105  # its name
_YEARS = 10
_MONTH = 30 * 24 * 3600.0  # seconds
_AUTHORITY = Wanted("platform-ca", "Skerry platform", days=_YEARS * 365, authority="platform-ca")


async def authority(client: Client, clock: Clock) -> Pair:
    """The one in the Secret; at the first start it is made. Raises StatusError."""
    try:
        return _pair(await client.get(SECRETS, SECRET, NAMESPACE))
    except NotFound:
        made = issue_authority(_AUTHORITY, clock.now())
    data = {"tls.crt": made.certificate, "tls.key": made.key}
    secret = {
        "metadata": {"name": SECRET},
        "type": "kubernetes.io/tls",
        "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
    }
    try:
        await client.create(SECRETS, secret, NAMESPACE)
    except AlreadyExists:  # by another one of us
        return _pair(await client.get(SECRETS, SECRET, NAMESPACE))
    return made


def _pair(secret: Obj) -> Pair:
    data = secret["data"]
    return Pair(base64.b64decode(data["tls.crt"]), base64.b64decode(data["tls.key"]))


def serving(own: Pair, names: tuple[str, ...], clock: Clock) -> ssl.SSLContext:
    """A server's TLS settings for these names and addresses."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(context, own, names, clock)
    return context


async def renewing(context: ssl.SSLContext, own: Pair, names: tuple[str, ...], clock: Clock) -> None:
    """Show a new certificate every month, for ever: one is good for a year, and nobody may start us anew for two."""
    while True:
        await asyncio.sleep(_MONTH)
        _show(context, own, names, clock)


def _show(context: ssl.SSLContext, own: Pair, names: tuple[str, ...], clock: Clock) -> None:
    """From the next connection on."""
    leaf = issue_leaf(Wanted("platform", "skerry-platform", names=names), (own.certificate, own.key), clock.now())
    # The library takes a file: one that is in memory only, so that no key is left behind.
    file = os.memfd_create("platform-tls")
    try:
        os.write(file, leaf.certificate + b"\n" + leaf.key)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
