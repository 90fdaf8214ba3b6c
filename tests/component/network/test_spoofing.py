"""What no pod may do whatever policies say: lie about its address, ask a cloud for the machine's secrets."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.cni import write_cni
from skerry.engine.network.ingress.user import user_of
from skerry.kube.resources import ENDPOINT_SLICES, SERVICES
from tests.component.network.netns import Pod, call, host_server
from tests.component.network.policed import BRIEFLY, PolicedNetwork
from tests.component.network.test_proxy import VIRTUAL, endpoints, eventually, name_in, service
from tests.support.waiting import until

pytestmark = pytest.mark.root

REFUSED = "failed ConnectionRefusedError"
METADATA = "169.254.169.254"

# Prints the text of datagrams that arrive at port 9000, whoever they say they are from.
_LISTENER = """
import socket
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); server.bind(("::", 9000))
print("listening", flush=True)
while True:
    print(server.recv(100).decode(), flush=True)
"""

# Makes an IPv4 header with any source address, and a datagram to port 9000 behind it.
_LIAR = """
import socket, struct, sys
source, target, text = sys.argv[1], sys.argv[2], sys.argv[3].encode()
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
datagram = struct.pack("!HHHH", 9000, 9000, 8 + len(text), 0) + text
header = struct.pack("!BBHHHBBH4s4s", 69, 0, 20 + len(datagram), 7, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(target))
raw.sendto(header + datagram, (target, 0))
"""

# Sends from an address that the interface has been given.
_SPEAKER = """
import socket, sys
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); client.bind((sys.argv[1], 0))
client.sendto(sys.argv[3].encode(), (sys.argv[2], 9000))
"""

_ASK_IPV6 = """
import socket, sys
client = socket.socket(socket.AF_INET6, socket.SOCK_STREAM); client.settimeout(0.5)
try:
    client.connect((sys.argv[1], 8080, 0, socket.if_nametoindex("eth0")))
    print("connected")
except OSError as error:
    print("failed", type(error).__name__)
"""


@pytest.fixture
async def network(config: EngineConfig, request: pytest.FixtureRequest) -> AsyncIterator[PolicedNetwork]:
    """The parameter: the machine's address."""
    made = PolicedNetwork(replace(config, node_ip=getattr(request, "param", config.node_ip)))
    await made.start()
    yield made
    await made.close()


@contextmanager
def listening(prefix: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*prefix, sys.executable, "-u", "-c", _LISTENER], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def say(pod: Pod, source: str, target: str, text: str) -> None:
    subprocess.run([*pod.inside, sys.executable, "-c", _LIAR, source, target, text], check=True)


def speak(pod: Pod, source: str, target: str, text: str) -> None:
    subprocess.run([*pod.inside, sys.executable, "-c", _SPEAKER, source, target, text], check=True)


async def test_a_pod_speaks_under_its_own_address_only(network: PolicedNetwork) -> None:
    """What is sent later arrives later: the truth at the end tells that the lies before it do not come."""
    liar, other, victim = await network.pod("liar"), await network.pod("other"), await network.pod("victim")
    with listening(victim.inside) as heard:
        assert heard.stdout is not None
        for lie in (other.address, victim.address, "10.64.0.1", "10.64.9.9", "10.65.0.1", "203.0.113.9", "127.0.0.1"):
            say(liar, lie, victim.address, f"i am {lie}")
        say(liar, liar.address, victim.address, "i am the liar")
        assert heard.stdout.readline() == "i am the liar\n"


async def test_nor_does_the_machine_believe_it(network: PolicedNetwork) -> None:
    liar, other = await network.pod("liar"), await network.pod("other")
    with listening([]) as heard:
        assert heard.stdout is not None
        for lie in (other.address, "10.64.9.9", "203.0.113.9"):
            say(liar, lie, "10.64.0.1", f"i am {lie}")
        say(liar, liar.address, "10.64.0.1", "i am the liar")
        assert heard.stdout.readline() == "i am the liar\n"


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
async def test_nor_has_it_another_address_of_the_second_family(config: EngineConfig) -> None:
    dual = replace(config, pod_cidr6="fd73:6b72:c000:1::/64", service_cidr6="fd73:6b72:c000:2::/112")
    write_cni(dual)
    network = PolicedNetwork(dual)
    await network.start()
    try:
        liar, other, victim = [await network.pod(name) for name in ("liar", "other", "victim")]
        with listening(victim.inside) as heard:
            assert heard.stdout is not None
            for lie in (other.addresses[1], "fd73:6b72:c000:1::99", "2001:db8::99"):
                subprocess.run([*liar.inside, *f"ip -6 address add {lie}/128 dev eth0 nodad".split()], check=True)
                speak(liar, lie, victim.addresses[1], f"i am {lie}")
            speak(liar, liar.addresses[1], victim.addresses[1], "i am the liar")
            assert heard.stdout.readline() == "i am the liar\n"
    finally:
        await network.close()


async def test_an_address_taken_by_arp_is_of_no_use(network: PolicedNetwork) -> None:
    """The taker tells its link that it has the address; nobody else is on that link, and routes are not learnt."""
    taker, owner, friend = await network.pod("taker"), await network.pod("owner"), await network.pod("friend")
    script = f"ip address add {owner.address}/32 dev eth0; ip neigh flush all"
    subprocess.run([*taker.inside, "sh", "-c", script], check=True)
    say(taker, owner.address, friend.address, "taken")
    assert name_in(friend.fetch(owner.address, 8080)) == "owner"


async def test_pods_of_one_family_have_no_other(network: PolicedNetwork) -> None:
    """The host's end of a pod's interface has a link-local address of IPv6, at which all of the host would answer."""
    pod = await network.pod("pod")
    await until(lambda: _link_local(pod.inside) and _link_local([]), "addresses that were looked for on the link")
    ask = [*pod.inside, sys.executable, "-c", _ASK_IPV6, _link_local([])]
    with serving("::"):
        assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout == "failed TimeoutError\n"
        subprocess.run(["nft", "flush", "chain", "inet", network.config.policy_table, "entering"], check=True)
        await until(lambda: subprocess.run(ask, capture_output=True, text=True).stdout == "connected\n", "no rule")


async def test_a_clouds_metadata_is_for_namespaces_that_are_opened(network: PolicedNetwork) -> None:
    network.namespace("default")
    tenant = await network.pod("tenant")
    a_cloud(network)
    assert tenant.fetch(METADATA, 8080) == REFUSED
    assert name_in(tenant.fetch(METADATA, 8080, "udp", BRIEFLY)) == "failed"
    network.namespace("default", **{"skerry.dev/cloud-metadata": "allowed"})
    await eventually(lambda: tenant.fetch(METADATA, 8080), lambda answer: name_in(answer) == "cloud")
    network.namespace("default", **{"skerry.dev/cloud-metadata": "please"})
    await eventually(lambda: tenant.fetch(METADATA, 8080), lambda answer: answer == REFUSED)


async def test_no_service_leads_to_a_clouds_metadata(network: PolicedNetwork) -> None:
    tenant, other = await network.pod("tenant"), await network.pod("other")
    a_cloud(network)
    network.api.put(SERVICES, service(externalIPs=["203.0.113.9"]))
    network.api.put(ENDPOINT_SLICES, endpoints(other.address))
    await eventually(lambda: tenant.fetch(VIRTUAL, 80), lambda answer: name_in(answer) == "other")
    network.api.put(ENDPOINT_SLICES, endpoints(METADATA))
    await eventually(lambda: tenant.fetch(VIRTUAL, 80), lambda answer: answer == REFUSED)
    assert tenant.fetch("203.0.113.9", 80) == REFUSED
    network.namespace("default", **{"skerry.dev/cloud-metadata": "allowed"})
    await eventually(lambda: tenant.fetch(VIRTUAL, 80), lambda answer: name_in(answer) == "cloud")


async def test_a_metadata_service_on_the_machine_itself_is_refused(network: PolicedNetwork) -> None:
    tenant = await network.pod("tenant")
    subprocess.run(["ip", "address", "add", f"{METADATA}/32", "dev", "lo"], check=True)
    with serving(METADATA):
        assert tenant.fetch(METADATA, 8080) == REFUSED


@pytest.mark.parametrize("network", ["192.0.2.1"], indirect=True)
async def test_the_ingress_fetches_nothing_for_tenants_that_they_may_not_have(network: PolicedNetwork) -> None:
    """They choose its upstreams: by Services of type ExternalName, by `auth-url`."""
    pod = await network.pod("pod")
    a_cloud(network)
    caddy = ["setpriv", f"--reuid={user_of(network.config)}", "--clear-groups"]
    assert call(METADATA, 8080, prefix=caddy, patience=BRIEFLY).startswith("failed")
    assert name_in(call(METADATA, 8080)) == "cloud", "the machine itself may ask"
    assert name_in(call(pod.address, 8080, prefix=caddy)) == "pod"
    with host_server("private"):
        assert call("127.0.0.1", 8080, prefix=caddy, patience=BRIEFLY).startswith("failed")
        assert name_in(call("127.0.0.1", 8080)) == "private"
        subprocess.run(["nft", "flush", "chain", "inet", network.config.policy_table, "from_host"], check=True)
        assert name_in(call("127.0.0.1", 8080, prefix=caddy)) == "private", "it is the rule that stops it"


def a_cloud(network: PolicedNetwork) -> None:
    """What answers at the metadata address, behind a route of the machine."""
    cloud = network.stranger("cloud")
    subprocess.run([*cloud.inside, "ip", "address", "add", f"{METADATA}/32", "dev", "eth0"], check=True)
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "route", "add", METADATA, "via", cloud.address, "src", "192.0.2.1"], check=True)


def _link_local(prefix: list[str]) -> str:
    """The address of a virtual interface, once it may be used; "" before."""
    command = [*prefix, "ip", "-6", "-o", "address", "show", "scope", "link", "-tentative"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return shown.split()[3].partition("/")[0] if shown else ""


@contextmanager
def serving(address: str) -> Iterator[None]:
    """A listener on the machine at port 8080."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 8080), family=family):
        yield
