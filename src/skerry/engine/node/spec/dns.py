"""A pod's resolv.conf by `dnsPolicy` and `dnsConfig` (`pkg/kubelet/network/dns/dns.go`)."""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.kube.objects import Obj, namespace_of
from skerry.kube.records import record

_MOST_SERVERS, _MOST_SEARCHES = 3, 32
_LONGEST_SEARCH = 2048  # characters of all search paths with a blank between


@record
class Resolver:
    """The content of a resolv.conf."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def to_cri(self) -> pb.DNSConfig:
        """As the runtime takes it."""
        return pb.DNSConfig(servers=self.servers, searches=self.searches, options=self.options)


@record
class ClusterDns:
    """Where names are resolved. `server`: the cluster's DNS server, "" where there is none, which makes ClusterFirst
    behave like Default. `machine`: gives the machine's own resolver as of now."""

    server: str = ""
    domain: str = "cluster.local"
    machine: Callable[[], Resolver] = Resolver


def parse_resolv_conf(text: str) -> Resolver:
    """A resolv.conf; the last `search` and `options` lines count."""
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        match words:
            case ["nameserver", address, *_]:
                servers.append(address)
            case ["search" | "domain", *domains]:
                searches = [name for name in domains if name != "."]
            case ["options", *listed]:
                options = listed
    return Resolver(tuple(servers), tuple(searches), tuple(options))


def resolver_for(pod: Obj, dns: ClusterDns) -> Resolver:
    """What the pod's resolv.conf says."""
    return _within_limits(_asked_for(pod, dns))


def left_out(pod: Obj, dns: ClusterDns) -> list[str]:
    """What of it does not fit into a resolv.conf, for events; [] when everything does."""
    asked = _asked_for(pod, dns)
    kept = _within_limits(asked)
    told = []
    if kept.servers != asked.servers:
        told.append(f"name servers beyond the first {_MOST_SERVERS} are left out; in use: {' '.join(kept.servers)}")
    if kept.searches != asked.searches:
        told.append(f"search paths beyond the limits are left out; in use: {' '.join(kept.searches)}")
    return told


def _asked_for(pod: Obj, dns: ClusterDns) -> Resolver:
    base = _base(pod, dns)
    config: Obj = pod["spec"].get("dnsConfig") or {}
    servers = dict.fromkeys((*base.servers, *(config.get("nameservers") or ())))
    searches = dict.fromkeys((*base.searches, *(config.get("searches") or ())))
    return Resolver(tuple(servers), tuple(searches), _merge_options(base.options, config.get("options") or ()))


def _within_limits(asked: Resolver) -> Resolver:
    searches = _that_fit(list(asked.searches[:_MOST_SEARCHES]))
    return Resolver(asked.servers[:_MOST_SERVERS], searches, asked.options)


def _that_fit(searches: list[str]) -> tuple[str, ...]:
    """Paths from the end are left out until the line is short enough."""
    while len(" ".join(searches)) > _LONGEST_SEARCH:
        searches.pop()
    return tuple(searches)


def _base(pod: Obj, dns: ClusterDns) -> Resolver:
    policy = pod["spec"].get("dnsPolicy") or "ClusterFirst"
    if policy == "None":
        return Resolver()
    in_machine = bool(pod["spec"].get("hostNetwork")) and policy != "ClusterFirstWithHostNet"
    if policy == "Default" or in_machine or not dns.server:
        return dns.machine()
    suffix = f"svc.{dns.domain}"
    searches = (f"{namespace_of(pod)}.{suffix}", suffix, dns.domain, *dns.machine().searches)
    return Resolver((dns.server,), searches, ("ndots:5",))


def _merge_options(base: tuple[str, ...], added: list[Obj] | tuple[()]) -> tuple[str, ...]:
    """An option given again replaces the earlier one of its name."""
    merged = {option.partition(":")[0]: option for option in base}
    for entry in added:
        value = entry.get("value")
        merged[entry["name"]] = f"{entry['name']}:{value}" if value else entry["name"]
    return tuple(merged.values())
