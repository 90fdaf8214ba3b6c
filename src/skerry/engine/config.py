"""What one instance of the engine is: identity, paths, addresses. Made once (by `program`), handed to every room.

Everything that could collide between two instances on one machine derives from `instance`: the nft table, interface
names, cgroups. Sockets live in a short run directory because a unix socket's path ends at 107 bytes.
"""

from __future__ import annotations

import ipaddress
from dataclasses import field
from pathlib import Path

from skerry.kube.clock import Clock, SystemClock
from skerry.kube.records import record


@record
class Paths:
    """`data`: what must survive (0700). `run`: sockets, pids, the mount namespace; gone after a reboot (0700)."""

    data: Path
    run: Path

    @property
    def database(self) -> Path:
        """The store's SQLite file."""
        return self.data / "store.db"

    @property
    def pki(self) -> Path:
        """Certificate authority and certificates, 0600."""
        return self.data / "pki"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, 0600."""
        return self.data / "kubeconfig"

    @property
    def logs(self) -> Path:
        """The engine's and containerd's own logs."""
        return self.data / "log"

    @property
    def platform_kubeconfig(self) -> Path:
        """That of what runs beside the engine, 0600."""
        return self.data / "platform.kubeconfig"

    @property
    def engine_log(self) -> Path:
        """What `skerry logs` shows."""
        return self.logs / "engine.log"

    @property
    def audit_log(self) -> Path:
        """The audit log, JSON lines, if one is kept; older ones beside it."""
        return self.logs / "audit.log"

    @property
    def pods(self) -> Path:
        """Per pod uid: volumes, etc-hosts, termination messages."""
        return self.data / "pods"

    @property
    def pod_logs(self) -> Path:
        """Per pod and container, in CRI log format."""
        return self.data / "pod-logs"

    @property
    def containerd(self) -> Path:
        """containerd's root (images, snapshots), its configuration and CNI files beside it."""
        return self.data / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """Where our containerd listens."""
        return self.run / "containerd.sock"

    @property
    def instance_file(self) -> Path:
        """The instance's identity as JSON, written at the first start."""
        return self.data / "instance.json"

    @property
    def lock(self) -> Path:
        """Locked by the one engine that may use this data directory."""
        return self.data / "engine.lock"

    @property
    def status_file(self) -> Path:
        """What the running engine says about itself, for `skerry up` and `skerry status`."""
        return self.data / "status.json"

    @property
    def engine_pid(self) -> Path:
        """Process id and start time of the running engine."""
        return self.run / "engine.pid"

    @property
    def cni(self) -> Path:
        """The CNI configuration directory and the address leases; made anew at every start."""
        return self.run / "cni"

    @property
    def cni_plugins(self) -> Path:
        """The CNI plug-ins of an instance with two IP families; one with IPv4 only uses the machine's."""
        return self.cni / "bin"


@record
class EngineConfig:
    """One instance. It has IPv4, or IPv4 and IPv6; then IPv4 is the first family."""

    instance: str
    """Four lower-case hexadecimal digits, unique on the machine; part of every name we make outside our directories."""
    paths: Paths
    node_name: str
    bind: str
    """Address the API listens on."""
    port: int
    """The API's port, chosen and kept if 0 was asked for."""
    pod_cidr: str
    """For example 10.96.0.0/16: pods of this instance."""
    service_cidr: str
    """For example 10.112.0.0/16: cluster IPs; the first address is the API's, the tenth the DNS's."""
    node_ports: tuple[int, int] = (30000, 32767)
    cluster_domain: str = "cluster.local"
    index: int = 0
    """The instance's place on this machine, from 0: its address ranges and its loopback address follow from it."""
    node_ip: str = "127.0.0.1"
    """The host's own address: the node's InternalIP, the address of host-network pods and of the API's endpoints."""
    pod_cidr6: str = ""
    """The IPv6 range of pods, "" on an instance that has IPv4 only; then there is no `service_cidr6` either."""
    service_cidr6: str = ""
    """The IPv6 range of cluster IPs."""
    node_ip6: str = ""
    """The host's own IPv6 address, "" without one: it is no part of what makes an instance dual-stack."""
    audit_policy: Path | None = None
    """An audit policy (`audit.k8s.io/v1`); without one no audit log is kept."""
    bind6: str = ""
    """The IPv6 address the API listens on besides, at the same port; "" for none."""
    authentication_config: Path | None = None
    """An AuthenticationConfiguration: further issuers of tokens, and who may come anonymously."""
    beside: str = ""
    """A module and its arguments, as for a shell, to run beside the engine: the platform. "" for none."""
    clock: Clock = field(default_factory=SystemClock)

    @property
    def loopback_address(self) -> str:
        """Where this instance's node ports answer on loopback: 127.0.0.1 for the first, 127.0.0.2 for the second..."""
        return f"127.0.0.{self.index + 1}"

    @property
    def node_ips(self) -> tuple[str, ...]:
        """The host's own addresses, the first family's first."""
        return tuple(filter(None, (self.node_ip, self.node_ip6)))

    @property
    def balanced_addresses(self) -> tuple[str, ...]:
        """Where this instance's node ports answer others, and its LoadBalancer Services without a pool."""
        return self.node_ips if self.index == 0 else (self.loopback_address,)

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        """The ranges of pods, the first family's first."""
        return tuple(filter(None, (self.pod_cidr, self.pod_cidr6)))

    @property
    def service_cidrs(self) -> tuple[str, ...]:
        """The ranges of cluster IPs, the first family's first."""
        return tuple(filter(None, (self.service_cidr, self.service_cidr6)))

    @property
    def cluster_dns(self) -> str:
        """The cluster IP of the DNS service that pods are told."""
        return self.cluster_dns_addresses[0]

    @property
    def cluster_dns_addresses(self) -> tuple[str, ...]:
        """The cluster IPs of the DNS service, the first family's first."""
        return tuple(str(ipaddress.ip_network(one)[10]) for one in self.service_cidrs)

    @property
    def nft_table(self) -> str:
        """Our nftables table, family `inet`."""
        return f"skerry-{self.instance}"

    @property
    def policy_table(self) -> str:
        """Our nftables table of network policies, family `inet`."""
        return f"{self.nft_table}-policy"

    @property
    def cgroup(self) -> str:
        """The cgroup above all our pods, relative to each controller's root."""
        return f"/skerry-{self.instance}"
