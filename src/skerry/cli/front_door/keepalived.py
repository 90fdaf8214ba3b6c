"""keepalived.conf of one balancer, and the script that tells keepalived whether its haproxy serves. Pure.

Neighbour: `resource`. The first balancer of the document has the highest priority. One whose script fails falls below
all that serve, but keeps the address when all fail: then it is not the balancers that are broken (with `preempt: false`
it gives it up). Advertisements go to each other balancer's own address, because clouds do not carry multicast.
"""

from __future__ import annotations

import ipaddress

from skerry.cli.front_door.resource import HEALTH_PORT, Balancer, FrontDoor, VirtualAddress

SCRIPT = "/etc/keepalived/check_front_door.sh"
"""Where the script has to be on the balancer."""
HIDDEN = "********"
_UNPRIVILEGED = "script_user nobody"

_HIGHEST = 150
_STEP = 2

CHECK_SCRIPT = f"""\
# keepalived asks this every second; anything but 0 moves the virtual address to a balancer that serves.
exec curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null http://127.0.0.1:{HEALTH_PORT}/healthy
"""


def configuration(door: FrontDoor, balancer: Balancer) -> str:
    """The text of keepalived.conf. Needs a virtual address."""
    virtual = door.virtual
    assert virtual is not None
    lines = [
        "global_defs {",
        f"  router_id {balancer.name}",
        "  enable_script_security",
        f"  {_UNPRIVILEGED}",
        "}",
        "",
        "vrrp_script front_door {",
        f'  script "{SCRIPT}"',
        "  interval 1",
        "  timeout 3",
        "  fall 2",
        "  rise 2",
        # without pre-emption a priority that falls moves nothing: the balancer has to give the address up
        f"  weight {-_STEP * len(door.balancers) if virtual.preempt else 0}",
        "}",
        "",
        f"vrrp_instance {door.name} {{",
        *(f"  {line}" for line in _instance(door, virtual, balancer)),
        "}",
    ]
    return "\n".join(lines) + "\n"


def elsewhere(text: str) -> str:
    """The same text for `keepalived -t` on a machine that is no balancer: without its interface and script.

    Version 2.2 also ends itself there when scripts have a user of their own.
    """
    return (
        text.replace("global_defs {", "global_defs {\n  dynamic_interfaces")
        .replace(f'"{SCRIPT}"', '"/bin/true"')
        .replace(_UNPRIVILEGED, "script_user root")
    )


def without_password(text: str, virtual: VirtualAddress) -> str:
    """The same text for a terminal."""
    return text.replace(f"auth_pass {virtual.password}\n", f"auth_pass {HIDDEN}\n") if virtual.password else text


def _instance(door: FrontDoor, virtual: VirtualAddress, balancer: Balancer) -> list[str]:
    place = door.balancers.index(balancer)
    others = [one.address for one in door.balancers if one is not balancer]
    first = place == 0 and virtual.preempt  # without pre-emption all begin as backups: keepalived demands it
    return [
        f"state {'MASTER' if first else 'BACKUP'}",
        *([] if virtual.preempt else ["nopreempt"]),
        f"interface {balancer.interface or virtual.interface}",
        f"virtual_router_id {virtual.router_id}",
        f"priority {_HIGHEST - _STEP * place}",
        "advert_int 1",
        *([f"unicast_src_ip {balancer.address}", *_block("unicast_peer", others)] if others else []),
        *(_block("authentication", ["auth_type PASS", f"auth_pass {virtual.password}"]) if virtual.password else []),
        *_addresses(virtual),
        *_block("track_script", ["front_door"]),
    ]


def _addresses(virtual: VirtualAddress) -> list[str]:
    """VRRP announces addresses of one family; the others move along."""
    four = [one for one in virtual.addresses if ipaddress.ip_interface(one).version == 4]
    six = [one for one in virtual.addresses if one not in four]
    return _block("virtual_ipaddress", four) + (_block("virtual_ipaddress_excluded", six) if six else [])


def _block(name: str, lines: list[str]) -> list[str]:
    return [f"{name} {{", *(f"  {line}" for line in lines), "}"]
