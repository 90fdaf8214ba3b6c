"""Forwarding is given back as it was, and interfaces that were there stay hosts' ones."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.forwarding import release, switch_on
from tests.component.network.conftest import make_config
from tests.component.network.lan import Lan
from tests.component.network.netns import own_network
from tests.support.waiting import eventually

pytestmark = pytest.mark.root

_SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from skerry.engine.network.forwarding import release, switch_on
from tests.support.api import engine_config

def state():
    return [Path("/proc/sys/net", name).read_text().strip() for name in
            ("ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv6/conf/v0/forwarding", "ipv6/conf/v1/forwarding")]

Path("/proc/sys/net/ipv6/conf/v1/forwarding").write_text("1")
one = engine_config(Path(sys.argv[1]))
two = replace(one, instance="7e58", pod_cidr6="fd00:1::/64")
before = state()
switch_on(one); print(state())
switch_on(two); print(state())
release(two); print(state())
release(one); print(state() == before)
print(sorted(Path(sys.argv[1]).iterdir()))
"""


def test_each_claims_the_last_gives_back(tmp_path: Path) -> None:
    prepare = "ip link add v0 type veth peer name v1; exec"
    command = ["unshare", "--net", "sh", "-c", f'{prepare} "$@"', "sh", sys.executable, "-c", _SCRIPT, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": _path()}
    )
    assert done.stdout.splitlines() == [
        "['1', '0', '0', '1']",
        "['1', '1', '0', '1']",
        "['1', '0', '0', '1']",
        "True",
        "[]",
    ], done.stderr


_ROUTER = """
import socket, struct
everybody, limit = ("ff02::1", 0), 255
said = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
speaker = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, limit)
speaker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
speaker.sendto(said, everybody)
"""


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
def test_the_way_out_that_a_router_announced_stays(tmp_path: Path) -> None:
    """Forwarding makes the machine's interfaces routers' for a moment, and those have to know the way themselves."""
    with own_network(), ExitStack() as stack:
        Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0\n")
        stack.enter_context(closing(lan := Lan()))
        eventually(lambda: _announced(lan), "a route to the router")
        before = _sysctl("accept_ra")
        config = replace(make_config(tmp_path), pod_cidr6="fd00:1::/64", service_cidr6="fd00:2::/112")
        switch_on(config)
        assert "via fe80::" in _way_out()
        assert (_sysctl("accept_ra"), _sysctl("forwarding")) == (before, "0")
        release(config)
        assert "via fe80::" in _way_out()
        assert _sysctl("accept_ra") == before


def _announced(lan: Lan) -> bool:
    lan.run(sys.executable, "-c", _ROUTER)
    return "via fe80::" in _way_out()


def _way_out() -> str:
    command = ["ip", "-6", "route", "show", "default"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _sysctl(name: str) -> str:
    return Path("/proc/sys/net/ipv6/conf/lan0", name).read_text().strip()


def _path() -> str:
    return os.pathsep.join(sys.path)
