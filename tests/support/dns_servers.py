"""Real DNS servers with a zone that takes signed updates: BIND and PowerDNS, on a loopback address of their own.

with bind(folder) as server:
    await updating.replace(server.target, RecordSet(...))
    server.values("web.dyn.example.org", "A")
"""

from __future__ import annotations

import contextlib
import random
import shlex
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from skerry.engine.controllers.dynamic_dns.server import TsigKey, UpdateServer
from tests.support.waiting import LIMIT, eventually

ZONE = "dyn.example.org"
KEY = TsigKey("skerry", "c2tlcnJ5IHNrZXJyeSBza2Vycnkgc2tlcnJ5IHNrZQ==")
OTHER_SECRET = "YW5vdGhlciBzZWNyZXQgYW5vdGhlciBzZWNyZXQgYW4="
_ADDRESS = "127.0.0.1"  # named binds none that no interface has
_PORTS = range(10240, 30000)  # below node ports and those of outgoing connections


class DnsServerProcess(ABC):
    """A server with a zone. Its data outlive `stop`."""

    def __init__(self, folder: Path, zone: str = ZONE) -> None:
        self.folder = folder
        self.zone = zone
        self.address = _ADDRESS
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> UpdateServer:
        """Where updates go, and how they are signed."""
        return UpdateServer(self.address, self.zone, KEY, self.port)

    @property
    def log(self) -> str:
        """What the server said."""
        return (self.folder / "log").read_text()

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What runs in the foreground."""

    def start(self) -> None:
        """Returns when the zone is served."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log)
        eventually(self._serves, f"DNS server in {self.folder}")

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def values(self, name: str, kind: str = "A") -> list[str]:
        """What anybody is answered, sorted, as in a zone file."""
        answer = dns.query.tcp(dns.message.make_query(name, kind), self.address, timeout=LIMIT, port=self.port)
        wanted = dns.rdatatype.from_text(kind)
        return sorted(one.to_text() for records in answer.answer if records.rdtype == wanted for one in records)

    def ttl(self, name: str, kind: str = "A") -> int:
        """Of the set of records, in seconds."""
        answer = dns.query.tcp(dns.message.make_query(name, kind), self.address, timeout=LIMIT, port=self.port)
        return answer.answer[0].ttl

    def serial(self) -> int:
        """The zone's: it grows with each change."""
        return int(self.values(self.zone, "SOA")[0].split()[2])

    def _serves(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(self.log)
        try:
            return bool(self.values(self.zone, "SOA"))
        except (dns.exception.DNSException, EOFError) as error:
            raise OSError(error) from error


class Bind(DnsServerProcess):
    """ISC's named. `key_and_zone`: what its configuration says of these, the zone's file being named like the zone."""

    def __init__(self, folder: Path, zone: str = ZONE, key_and_zone: str = "") -> None:
        super().__init__(folder, zone)
        shutil.copy("/usr/sbin/named", folder)  # where AppArmor is in force, Debian's own may not read elsewhere
        (folder / zone).write_text(_ZONE_FILE)
        options = _NAMED.format(folder=folder, address=self.address, port=self.port)
        usual = _KEY_AND_ZONE.format(folder=folder, zone=zone, key=KEY)
        (folder / "named.conf").write_text(options + (key_and_zone or usual))

    def command(self) -> Sequence[str]:
        return [str(self.folder / "named"), "-g", "-4", "-n", "1", "-c", str(self.folder / "named.conf")]


class PowerDns(DnsServerProcess):
    """PowerDNS with its database in a file. `commands`: what makes a key for the zone, for pdnsutil."""

    def __init__(self, folder: Path, zone: str = ZONE, commands: Sequence[str] = ()) -> None:
        super().__init__(folder, zone)
        (folder / "pdns.conf").write_text(_PDNS.format(folder=folder, address=self.address, port=self.port))
        with (folder / "setup.sql").open("w") as setup:
            setup.write(_PDNS_SCHEMA.read_text() + _PDNS_ZONE.format(zone=zone))
            setup.write("" if commands else _PDNS_KEY.format(key=KEY))
        with (folder / "setup.sql").open() as setup:
            subprocess.run(["sqlite3", str(folder / "pdns.db")], stdin=setup, check=True)
        for command in commands:
            words = shlex.split(command)[1:]
            subprocess.run(["pdnsutil", f"--config-dir={folder}", *words], check=True, capture_output=True)

    def command(self) -> Sequence[str]:
        return ["/usr/sbin/pdns_server", f"--config-dir={self.folder}"]


@contextlib.contextmanager
def running(server: DnsServerProcess) -> Iterator[DnsServerProcess]:
    """Start it, stop it at the end."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """One that nobody has by either protocol, chosen so that nobody else comes upon it in the next moment."""
    while True:
        port = random.choice(_PORTS)
        with (
            socket.socket() as stream,
            socket.socket(type=socket.SOCK_DGRAM) as datagrams,
            contextlib.suppress(OSError),
        ):
            stream.bind((_ADDRESS, port))
            datagrams.bind((_ADDRESS, port))
            return port


_ZONE_FILE = """$TTL 60
@ IN SOA ns admin 1 3600 600 86400 60
@ IN NS ns
ns IN A 192.0.2.53
theirs IN A 192.0.2.99
mail IN MX 10 ns
"""
_NAMED = """
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; minimal-responses yes;
}};
controls {{ }};
"""
_KEY_AND_ZONE = """
key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};
zone "{zone}" {{
  type primary; file "{folder}/{zone}"; allow-update {{ key "{key.name}"; }}; allow-transfer {{ none; }};
}};
"""
_PDNS = """
launch=gsqlite3
gsqlite3-database={folder}/pdns.db
gsqlite3-dnssec=yes
socket-dir={folder}
local-address={address}
local-port={port}
daemon=no
guardian=no
dnsupdate=yes
allow-dnsupdate-from=
security-poll-suffix=
receiver-threads=1
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
"""
_PDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_PDNS_ZONE = """
INSERT INTO domains (id, name, type) VALUES (1, '{zone}', 'NATIVE');
INSERT INTO records (domain_id, name, type, content, ttl, prio) VALUES
  (1, '{zone}', 'SOA', 'ns.{zone} admin.{zone} 1 3600 600 86400 60', 60, 0),
  (1, '{zone}', 'NS', 'ns.{zone}', 60, 0),
  (1, 'ns.{zone}', 'A', '192.0.2.53', 60, 0),
  (1, 'theirs.{zone}', 'A', '192.0.2.99', 60, 0),
  (1, 'mail.{zone}', 'MX', 'ns.{zone}', 60, 10);
"""
_PDNS_KEY = """
INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('{key.name}', '{key.algorithm}', '{key.secret}');
INSERT INTO domainmetadata (domain_id, kind, content) VALUES
  (1, 'TSIG-ALLOW-DNSUPDATE', '{key.name}'), (1, 'ALLOW-DNSUPDATE-FROM', '127.0.0.0/8');
"""
