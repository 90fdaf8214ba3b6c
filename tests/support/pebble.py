"""pebble, the ACME server of Let's Encrypt's tests, with the DNS server that it asks, on free ports of loopback.

with pebble(folder) as server:
    ClusterIssuer(acme={"server": server.directory, "caBundle": server.bundle, ...})

Names lead to 127.0.0.1, where pebble looks for HTTP-01 answers at `http_port`. It forgets everything when it ends.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from skerry.kube.certificates.making import issue_authority, issue_leaf
from skerry.kube.certificates.wanted import Wanted
from tests.support.dns_servers import free_port
from tests.support.waiting import eventually

_SETTINGS = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5", "PEBBLE_AUTHZREUSE": "0"}


@dataclass(frozen=True)
class Pebble:
    """Where it is."""

    folder: Path
    port: int
    http_port: int
    """Where names to be certified answer."""
    dns_port: int
    management_port: int
    """Of the DNS server."""
    roots_port: int

    @property
    def directory(self) -> str:
        """The URL of its directory."""
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def bundle(self) -> str:
        """Whom to believe that it is pebble: base64 of PEM, as `spec.acme.caBundle` has it."""
        return base64.b64encode((self.folder / "ca.pem").read_bytes()).decode()

    @property
    def nameserver(self) -> str:
        """Where it looks up names."""
        return f"127.0.0.1:{self.dns_port}"

    def root(self) -> str:
        """The root of what it issues, PEM."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        url = f"https://127.0.0.1:{self.roots_port}/roots/0"
        with urllib.request.urlopen(url, timeout=30, context=context) as answer:
            text: str = answer.read().decode()
            return text

    @property
    def log(self) -> str:
        """What it said."""
        return (self.folder / "log").read_text()

    def set_dns(self, path: str, **body: object) -> None:
        """Tell the DNS server what to answer: `add-a`, `set-default-ipv4`, `set-servfail`."""
        data = json.dumps(body).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.management_port}/{path}", data, timeout=30).close()


@contextmanager
def pebble(
    folder: Path, *, http_port: int = 0, dns_port: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[Pebble]:
    """Start both, stop them at the end. `http_port`, `dns_port`: somebody else's, when given. `settings`: more of its
    environment."""
    ports = [free_port() for _ in range(5)]
    server = Pebble(folder, ports[0], http_port or ports[1], dns_port or ports[2], ports[3], ports[4])
    _make_certificate(folder)
    config = {
        "listenAddress": f"127.0.0.1:{server.port}",
        "managementListenAddress": f"127.0.0.1:{server.roots_port}",
        "certificate": str(folder / "tls.pem"),
        "privateKey": str(folder / "tls.key"),
        "httpPort": server.http_port,
        "tlsPort": free_port(),
        "externalAccountBindingRequired": bool(settings and settings.get("EAB")),
        "externalAccountMACKeys": {"kid-1": EXTERNAL_KEY},
    }
    (folder / "config.json").write_text(json.dumps({"pebble": config}))
    with ExitStack() as stack:
        if not dns_port:
            words = ["-dns01", server.nameserver, "-management", f"127.0.0.1:{server.management_port}"]
            off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
            stack.enter_context(running_program(folder, ["pebble-challtestsrv", *words, *off], {}))
        words = ["-config", str(folder / "config.json"), "-dnsserver", server.nameserver]
        stack.enter_context(running_program(folder, ["pebble", *words], {**_SETTINGS, **(settings or {})}))
        eventually(lambda: f"{server.port}" in _listening(), "pebble")
        eventually(lambda: dns_port or f"{server.management_port}" in _listening(), "pebble's DNS")
        yield server


EXTERNAL_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
"""Of the account `kid-1` that pebble knows when it wants external accounts (the setting `EAB`)."""


def _listening() -> set[str]:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    tcp6 = Path("/proc/net/tcp6").read_text().splitlines()[1:]
    fields = [line.split() for line in (*lines, *tcp6)]
    return {str(int(one[1].rpartition(":")[2], 16)) for one in fields if one[3] == "0A"}


@contextmanager
def running_program(folder: Path, command: list[str], settings: Mapping[str, str]) -> Iterator[None]:
    """Run it in a folder while entered; what it says goes to `log` there. `settings`: more of its environment."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **settings})
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _make_certificate(folder: Path) -> None:
    now = datetime.now(UTC)
    authority = issue_authority(Wanted("ca", "pebble's authority", days=30), now)
    pair = issue_leaf(
        Wanted("tls", "pebble", names=("127.0.0.1", "localhost"), days=30), (authority.certificate, authority.key), now
    )
    (folder / "ca.pem").write_bytes(authority.certificate)
    (folder / "tls.pem").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
