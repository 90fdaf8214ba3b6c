"""A site in namespaces: clients, two balancers set up as docs/resources/frontdoor.md says, two small clusters.

Neighbours: `lan` (the machines), `server` (what runs on them). The FrontDoor is rendered by the command itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from skerry.cli.main import main
from tests.component.front_door.authority import Authority
from tests.component.front_door.lan import Lan, Machine, lan
from tests.support.load import CLIENT, Load
from tests.support.waiting import eventually

HERE = Path(__file__).parent
VIRTUAL = "10.0.1.128"
HOSTS = ("example.com", "api.example.com", "x.apps.example.com")

DOOR: dict[str, Any] = {
    "apiVersion": "skerry.dev/v1alpha1",
    "kind": "FrontDoor",
    "metadata": {"name": "site"},
    "spec": {
        "balancers": [{"name": "lb1", "address": "10.0.1.11"}, {"name": "lb2", "address": "10.0.1.12"}],
        "virtualAddress": {
            "addresses": [f"{VIRTUAL}/16"],
            "interface": "eth0",
            "routerId": 51,
            "passwordFile": "vrrp.password",
        },
        "web": {
            "tls": {"certificates": "/etc/ssl/private/"},
            "challenges": {"address": "10.0.1.20"},
            "routes": [
                {
                    "name": "apps",
                    "hosts": ["example.com", "*.apps.example.com"],
                    "active": ["main"],
                    "backup": ["spare"],
                },
                {"name": "api", "hosts": ["api.example.com"], "active": ["spare"]},
            ],
        },
        "clusters": [
            {
                "name": "main",
                "ingress": {
                    "port": 32443,
                    "tls": {"caFile": "/etc/ssl/backend-certs/main.pem"},
                    "servers": [
                        {"name": "m1", "address": "10.0.1.46"},
                        {"name": "m2", "address": "10.0.1.55"},
                        {"name": "forged", "address": "10.0.1.80"},
                    ],
                },
                "api": {
                    "listen": 7443,
                    "tls": {"caFile": "/etc/ssl/backend-certs/main.pem"},
                    "servers": [
                        {"name": "a1", "address": "10.0.1.46"},
                        {"name": "a2", "address": "10.0.1.55"},
                        {"name": "forged", "address": "10.0.1.80"},
                    ],
                },
            },
            {
                "name": "spare",
                "ingress": {
                    "servers": [{"name": "s1", "address": "10.0.2.46"}, {"name": "s2", "address": "10.0.2.55"}]
                },
            },
        ],
    },
}


class Site:
    """The machines, and what is done with them."""

    def __init__(self, network: Lan, directory: Path) -> None:
        self.directory = directory
        self.public, self.cluster = Authority("public"), Authority("cluster")
        (directory / "public.pem").write_bytes(self.public.pem)
        self.client = network.machine("client", "10.0.1.2/16")
        self.certbot = network.machine("certbot", "10.0.1.20/16")
        self.main = network.machine("main", "10.0.1.46/16", "10.0.1.55/16", "10.0.1.80/16")
        self.spare = network.machine("spare", "10.0.2.46/16", "10.0.2.55/16")
        self.balancers = {name: network.machine(name, f"{address}/16") for name, address in self._addresses()}
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self._start_servers()
        self.files = self._render()
        for balancer in self.balancers.values():
            self.install(balancer)
        for name in self._places:
            self._until_listening(name)
        for balancer in self.balancers.values():
            self._until_healthy(balancer)
            self.start_keepalived(balancer)

    def install(self, balancer: Machine) -> None:
        """As the page says: files to their places, haproxy started; keepalived follows when that serves."""
        made = self.files / balancer.name
        balancer.put("/etc/haproxy/haproxy.cfg", (made / "haproxy.cfg").read_bytes())
        balancer.put("/etc/keepalived/keepalived.conf", (made / "keepalived.conf").read_bytes())
        script = made / "check_front_door.sh"
        balancer.put("/etc/keepalived/check_front_door.sh", script.read_bytes(), script.stat().st_mode & 0o777)
        balancer.put("/etc/ssl/private/example.pem", self.public.issue(*HOSTS))
        balancer.put("/etc/ssl/backend-certs/main.pem", self.cluster.pem, 0o644)
        balancer.run("chmod", "755", "/etc/keepalived", "/etc/ssl/private")
        self._spawn_haproxy(balancer)

    def start_haproxy(self, balancer: Machine) -> None:
        self._spawn_haproxy(balancer)
        self._until_healthy(balancer)

    def _spawn_haproxy(self, balancer: Machine) -> None:
        balancer.start(self._log(balancer.name), "haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg")

    def _until_healthy(self, balancer: Machine) -> None:
        eventually(lambda: self.healthy(balancer), f"haproxy of {balancer.name} serves")

    def start_keepalived(self, balancer: Machine) -> None:
        words = ("--dont-fork", "--log-console", "--log-detail", "--no-syslog", "--vrrp")
        balancer.start(self._log(balancer.name), "keepalived", *words, "-f", "/etc/keepalived/keepalived.conf")

    def start_server(self, name: str) -> None:
        self._spawn_server(name)
        self._until_listening(name)

    def _spawn_server(self, name: str) -> None:
        machine, address, port, certificate = self._places[name]
        words = [name, address, str(port)]
        if certificate:
            machine.put(f"/etc/{name}.pem", certificate)
            words.append(f"/etc/{name}.pem")
        self.servers[name] = machine.start(self._log(name), sys.executable, "-u", str(HERE / "server.py"), *words)

    def _until_listening(self, name: str) -> None:
        machine, address, port, _ = self._places[name]
        eventually(lambda: machine.run("ss", "-Hltn", "src", f"{address}:{port}"), f"{name} listens")

    def kill_server(self, name: str) -> None:
        """Its machine goes on: whoever connects is refused."""
        machine = self._places[name][0]
        machine.run("pkill", "-KILL", "-f", f"server.py {name} ")
        self.servers.pop(name).wait()

    def holder(self) -> str:
        """Which balancer has the virtual address; while it moves, both or none may."""
        running = [one for one in self.balancers.values() if one.is_on()]
        return ",".join(one.name for one in running if one.has_address(VIRTUAL))

    def healthy(self, balancer: Machine) -> bool:
        return "200" in balancer.run("sh", "-c", "sh /etc/keepalived/check_front_door.sh && echo 200", check=False)

    def said(self, balancer: Machine) -> str:
        """The logs of its haproxy and keepalived."""
        return self._log(balancer.name).read_text()

    def curl(self, url: str, *words: str) -> str:
        """What a client gets; names lead to the virtual address."""
        names = [f"{host}:{port}:{VIRTUAL}" for host in (*HOSTS, "other.example.org") for port in (80, 443)]
        resolved = [word for name in names for word in ("--resolve", name)]
        trust = ["--cacert", str(self.directory / "public.pem"), "--max-time", "60"]
        return self.client.run("curl", "-sS", "--noproxy", "*", *trust, *resolved, *words, url, check=False)

    def ask(self, url: str, *words: str) -> dict[str, Any]:
        """What a server says of the request."""
        found: dict[str, Any] = json.loads(self.curl(url, *words))
        return found

    def load(self, host: str = "example.com", port: int = 443, authority: bytes | None = None) -> Load:
        """Clients that go on asking for the host until the site is closed."""
        number = len(list(self.directory.glob("load*")))
        trusted = self.directory / f"trusted{number}.pem"
        trusted.write_bytes(authority or self.public.pem)
        load = Load(self.directory / f"load{number}")
        words = (host, VIRTUAL, str(port), "0.05", str(trusted))
        self.client.start(load.path, sys.executable, "-P", str(CLIENT), *words)
        return load

    def _start_servers(self) -> None:
        names = self.cluster.issue(*HOSTS, "kubernetes")
        forged = Authority("somebody else").issue(*HOSTS, "kubernetes")
        self._places = {
            "m1": (self.main, "10.0.1.46", 32443, names),
            "m2": (self.main, "10.0.1.55", 32443, names),
            "a1": (self.main, "10.0.1.46", 6443, names),
            "a2": (self.main, "10.0.1.55", 6443, names),
            "forged": (self.main, "10.0.1.80", 6443, forged),
            "m3": (self.main, "10.0.1.80", 32443, forged),
            "s1": (self.spare, "10.0.2.46", 80, b""),
            "s2": (self.spare, "10.0.2.55", 80, b""),
            "certbot": (self.certbot, "10.0.1.20", 80, b""),
        }
        for name in self._places:
            self._spawn_server(name)

    def _render(self) -> Path:
        (self.directory / "vrrp.password").write_text("geheim12")
        source, out = self.directory / "site.yaml", self.directory / "out"
        source.write_text(yaml.safe_dump(DOOR))
        done = CliRunner().invoke(main, ["lb", "render", "-f", str(source), "--out", str(out), "--check"])
        assert done.exit_code == 0, done.output
        return out

    def _addresses(self) -> list[tuple[str, str]]:
        return [(one["name"], one["address"]) for one in DOOR["spec"]["balancers"]]

    def _log(self, name: str) -> Path:
        return self.directory / f"{name}.log"


@contextmanager
def site(directory: Path) -> Iterator[Site]:
    """A site whose first balancer has the virtual address."""
    with lan() as network:
        made = Site(network, directory)
        eventually(lambda: made.holder() == "lb1", "lb1 has the virtual address")
        yield made
