"""The instance's own certificate authorities, the API's certificate and its clients': made once, renewed in time.

An authority is renewed with the key it has, so that what it has issued stays good, and two years before its end, so
that a copy of it outlives every certificate that a user got along with it. The front proxy's authority is one of its
own, as in Kubernetes: whoever has a certificate of it is believed when it says for whom it asks, so extension API
servers must be able to tell it from that of ordinary clients.

ECDSA P-256 throughout, files 0600 in a directory 0700. What was issued, until when and for which names, is noted in
`issued.json` beside them, so that a start with valid certificates does not import `cryptography` (26 MB).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from socket import gethostname

import orjson

from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.config import EngineConfig
from skerry.engine.private_files import write_private
from skerry.kube.certificates.wanted import BACKDATED, Wanted
from skerry.kube.clock import WallClock
from skerry.kube.records import record

CA_DAYS, CA_RENEW_DAYS = 3650, 730
ADMIN, PLATFORM = "kubernetes-admin", "skerry-platform"
"""Common names, and users: whoever runs the cluster, and what runs beside the engine."""
TOKENS = "service-account"
"""The key that signs service-account tokens: kept as long as the data directory, it has no certificate."""
FRONT_PROXY_CA, FRONT_PROXY = "front-proxy-ca", "front-proxy-client"
"""What the API server shows to extension API servers: names of files and common name, as kubeadm's."""


@record
class Pki:
    """Where the certificates and keys are (PEM)."""

    folder: Path

    def certificate(self, name: str) -> Path:
        """The certificate of "ca", "server", "admin", "platform", FRONT_PROXY_CA or FRONT_PROXY."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its private key."""
        return self.folder / f"{name}.key"


def ensure(config: EngineConfig, clock: WallClock) -> Pki:
    """Everything an instance needs: what is good stays, the rest is made. `clock`: that of clients."""
    pki = Pki(config.paths.pki)
    pki.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    renew(config, clock)
    if not pki.key(TOKENS).exists():
        from skerry.kube.certificates.making import new_key

        write_private(pki.key(TOKENS), new_key())
    return pki


def renew(config: EngineConfig, clock: WallClock) -> list[str]:
    """Make the certificates that are missing, close to their end or for other names than today's. Returns which."""
    pki = Pki(config.paths.pki)
    issued = _read_issued(pki)
    now = clock.now()
    stale: list[Wanted] = []
    for wanted in _all_wanted(config):  # authorities come before what they issue
        renewed = any(wanted.authority == one.name for one in stale)
        if renewed or not _is_good(pki, wanted, issued, now):
            stale.append(wanted)
    if stale:
        _issue(pki, stale, issued, now)
    return [wanted.name for wanted in stale]


def _all_wanted(config: EngineConfig) -> list[Wanted]:
    return [
        _authority("ca", f"skerry-ca-{config.instance}"),
        Wanted("server", "kube-apiserver", names=server_names(config)),
        Wanted("admin", ADMIN, organization=MASTERS),
        Wanted("platform", PLATFORM, organization=MASTERS),
        _authority(FRONT_PROXY_CA, f"skerry-front-proxy-ca-{config.instance}"),
        Wanted(FRONT_PROXY, FRONT_PROXY, authority=FRONT_PROXY_CA),
    ]


def _authority(name: str, common_name: str) -> Wanted:
    return Wanted(name, common_name, days=CA_DAYS, renew_days=CA_RENEW_DAYS, authority=name)


def server_names(config: EngineConfig) -> tuple[str, ...]:
    """What clients may call the API: host names and addresses, each once."""
    first = str(next(ip_network(config.service_cidr).hosts()))
    cluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    cluster.append(f"kubernetes.default.svc.{config.cluster_domain}")
    names = ["localhost", "127.0.0.1", "::1", gethostname(), *cluster, first, *config.node_ips]
    if not ip_address(config.bind).is_unspecified:
        names.append(config.bind)
    return tuple(dict.fromkeys(name for name in names if name))


def _is_good(pki: Pki, wanted: Wanted, issued: dict[str, dict[str, object]], now: datetime) -> bool:
    note = issued.get(wanted.name, {})
    if not pki.certificate(wanted.name).exists() or not pki.key(wanted.name).exists():
        return False
    if note.get("names") != list(wanted.names):
        return False
    not_after = note.get("not_after")
    if not isinstance(not_after, int) or not_after <= (now + timedelta(days=wanted.renew_days)).timestamp():
        return False
    return not_after <= (now + timedelta(days=wanted.days) + BACKDATED).timestamp()  # else it is for later times


def _read_issued(pki: Pki) -> dict[str, dict[str, object]]:
    try:
        noted = orjson.loads((pki.folder / "issued.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _key_of(pki: Pki, wanted: Wanted) -> bytes | None:
    try:
        return pki.key(wanted.name).read_bytes()
    except FileNotFoundError:
        return None


def _issue(pki: Pki, stale: Sequence[Wanted], issued: dict[str, dict[str, object]], now: datetime) -> None:
    from skerry.kube.certificates.making import issue_authority, issue_leaf  # imports cryptography

    if {wanted.name for wanted in stale} & issued.keys():
        # Forgotten first: were we interrupted, all of them would be made again.
        issued = {name: note for name, note in issued.items() if name not in [wanted.name for wanted in stale]}
        write_private(pki.folder / "issued.json", orjson.dumps(issued))
    for wanted in stale:
        if wanted.name == wanted.authority:
            pair = issue_authority(wanted, now, _key_of(pki, wanted))
        else:
            authority = (pki.certificate(wanted.authority).read_bytes(), pki.key(wanted.authority).read_bytes())
            pair = issue_leaf(wanted, authority, now)
        write_private(pki.key(wanted.name), pair.key)
        write_private(pki.certificate(wanted.name), pair.certificate)
        not_after = int((now + timedelta(days=wanted.days)).timestamp())
        issued[wanted.name] = {"not_after": not_after, "names": list(wanted.names)}
    write_private(pki.folder / "issued.json", orjson.dumps(issued))
