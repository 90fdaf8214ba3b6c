"""DNS-01: a TXT record at `_acme-challenge.<name>`, set and removed by RFC 2136.

The record's value is ours alone, so that a wildcard and its bare name can be proven side by side, at one DNS name.
Source of the behaviour: cert-manager's `pkg/issuer/acme/dns/rfc2136`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skerry.engine.certificates.helper.errors import HelperError, Refused
from skerry.engine.controllers.certmanager.room import Room, text_of
from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.server import TsigKey, UpdateServer, split_address
from skerry.engine.controllers.dynamic_dns.updating import RecordSet, add, remove
from skerry.kube.objects import Obj

_TTL = 60  # seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record goes."""

    server: UpdateServer
    record: RecordSet


async def present(room: Room, challenge: Obj, issuer: Obj, servers: Sequence[str]) -> None:
    """Add the record. Raises HelperError."""
    await _act(room, challenge, issuer, servers, add)


async def clean_up(room: Room, challenge: Obj, issuer: Obj, servers: Sequence[str]) -> None:
    """Remove it. Raises HelperError."""
    await _act(room, challenge, issuer, servers, remove)


async def check(room: Room, challenge: Obj, issuer: Obj, servers: Sequence[str]) -> str:
    """Why the record is not to be seen yet, "" when it is."""
    place = await _place(room, challenge, issuer, servers)
    primary = str(place.server)
    looked_at = list(servers) or await room.helper.call("servers_of", zone=place.server.zone, primary=primary)
    why: str = await room.helper.call(
        "check_txt", name=place.record.name, value=challenge["spec"]["key"], servers=looked_at
    )
    return f"Waiting for DNS-01 challenge propagation: {why}" if why else ""


async def _act(room: Room, challenge: Obj, issuer: Obj, servers: Sequence[str], act: Any) -> None:
    place = await _place(room, challenge, issuer, servers)
    try:
        await act(place.server, place.record)
    except DnsError as error:
        raise HelperError(f"{error.reason}: {error}") from None


async def _place(room: Room, challenge: Obj, issuer: Obj, servers: Sequence[str]) -> Place:
    """Raises HelperError when it cannot be told."""
    dns = challenge["spec"]["solver"]["dns01"]
    settings = dns["rfc2136"]
    try:
        host, port = split_address(settings["nameserver"])
        asked = list(servers) or [f"{host}:{port}"]
        name = f"_acme-challenge.{challenge['spec']['dnsName']}"
        if dns.get("cnameStrategy") == "Follow":
            name = await room.helper.call("alias_of", name=name, servers=asked)
        zone = await room.helper.call("zone_of", name=name, servers=[f"{host}:{port}"])
        server = UpdateServer(host, zone, await _key(room, issuer, settings), port)
    except (DnsError, Refused) as error:
        raise HelperError(str(error)) from None
    return Place(server, RecordSet(name, "TXT", (challenge["spec"]["key"],), _TTL))


async def _key(room: Room, issuer: Obj, settings: Obj) -> TsigKey | None:
    name = settings.get("tsigKeyName")
    if not name:
        return None
    reference = settings.get("tsigSecretSecretRef") or {}
    secret = await room.secret_of_issuer(issuer, str(reference.get("name")))
    value = text_of(secret, str(reference.get("key"))) if secret is not None else ""
    if not value:
        raise HelperError(f'the TSIG key is not in secret "{reference.get("name")}", key "{reference.get("key")}"')
    return TsigKey(name, value.strip(), settings.get("tsigAlgorithm") or "HMACMD5")
