"""The key of a Domain, read from its Secret when it is needed and kept nowhere else."""

from __future__ import annotations

import base64
import binascii

from skerry.engine.controllers.dynamic_dns.domains import Domain
from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.server import TsigKey
from skerry.kube.client import Client
from skerry.kube.errors import NotFound
from skerry.kube.resources import SECRETS


async def read_key(client: Client, domain: Domain) -> TsigKey:
    """Raises DnsError "SecretNotFound", "SecretInvalid"; no message has a part of the secret."""
    where = domain.secret
    named = f"Secret {where.namespace}/{where.name}"
    try:
        secret = await client.get(SECRETS, where.name, where.namespace)
    except NotFound:
        raise DnsError("SecretNotFound", f"{named}, which spec.tsig.secretRef names, does not exist") from None
    encoded = (secret.get("data") or {}).get(where.key)
    if encoded is None:
        raise DnsError("SecretInvalid", f"{named} has no key {where.key!r}")
    try:
        return TsigKey(domain.key_name, base64.b64decode(encoded, validate=True).decode(), domain.algorithm)
    except DnsError as error:
        raise DnsError("SecretInvalid", f"{named}: {error}") from None
    except (binascii.Error, ValueError):
        raise DnsError("SecretInvalid", f"{named}: {where.key!r} is not text") from None
