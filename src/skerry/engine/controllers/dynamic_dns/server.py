"""Where updates of a zone go, and the key that signs them. Values only; checked when they are made.

Sources: RFC 8945 (TSIG). Algorithms may be spelt as in RFC 8945 ("hmac-sha256") or as cert-manager does ("HMACSHA256").
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.kube.authority import host_and_port

PORT = 53
ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
_WIRE_NAMES = {"hmac-md5": "hmac-md5.sig-alg.reg.int"}


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A key shared with the server. `secret` is base64, as `tsig-keygen` prints it; it is never part of a repr."""

    name: str
    secret: str = field(repr=False)
    algorithm: str = "hmac-sha256"

    def __post_init__(self) -> None:
        """Raises DnsError "Invalid"."""
        if algorithm_name(self.algorithm) not in ALGORITHMS:
            raise DnsError("Invalid", f"TSIG algorithm {self.algorithm!r} is none of {', '.join(ALGORITHMS)}")
        try:
            decoded = base64.b64decode(self.secret.strip(), validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if not decoded:
            raise DnsError("Invalid", f"the secret of the TSIG key {self.name} is not base64 as tsig-keygen prints it")

    @property
    def wire_algorithm(self) -> str:
        """The algorithm's name in messages."""
        name = algorithm_name(self.algorithm)
        return _WIRE_NAMES.get(name, name)


@dataclass(frozen=True, slots=True)
class UpdateServer:
    """The primary server of a zone. `host` is an address or a name; without a key, updates are not signed."""

    host: str
    zone: str
    key: TsigKey | None = None
    port: int = PORT

    def __str__(self) -> str:
        return host_and_port(self.host, self.port)


def algorithm_name(spelt: str) -> str:
    """As in RFC 8945, whichever way it is spelt: "HMACSHA256" is "hmac-sha256"."""
    name = spelt.strip().rstrip(".").lower()
    return f"hmac-{name[4:]}" if name.startswith("hmac") and not name.startswith("hmac-") else name


def split_address(address: str) -> tuple[str, int]:
    """Host and port of "192.0.2.1", "ns.example.org:5353", "[2001:db8::1]:53", "2001:db8::1". Raises DnsError
    "Invalid"."""
    host, port = address.strip(), ""
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise DnsError("Invalid", f"{address!r} is no host, host:port or [address]:port")
    return host, int(port or PORT)
