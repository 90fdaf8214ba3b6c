"""Which instance of the engine a data directory holds: made at the first start, loaded at every later one.

An instance's `index` is its place on the machine. Its address ranges (10.64+2i.0.0/16 for pods, the next /16 for
services) and its loopback address follow from it, so two instances can never collide. Reservations under
`/run/skerry/instances` survive `skerry down`, so that a stopped instance finds its place free when it comes back; one
whose data directory is gone does not count. Neighbours: `engine.config` below; `engine.program` and `cli.up` above.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import ipaddress
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from skerry.engine import mounts
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.locked_directory import locked
from skerry.engine.private_files import write_private
from skerry.kube.records import record

DEFAULT_DATA_DIR = Path("/var/lib/skerry")
DEFAULT_PORT = 6443
RUN_BASE = Path("/run/skerry")
PLACES = 32  # pairs of /16 in 10.64.0.0/10
IPV4_ONLY, DUAL_STACK = ("IPv4",), ("IPv4", "IPv6")
"""The IP families an instance may have."""
_LOCAL_IPV6 = "fd73:6b72"
_PORT_TRIES = 500
_HARMLESS = {"lost+found", "log"}  # a file system's own; made for the service unit before the first start


class InstanceError(Exception):
    """The instance cannot be made, loaded or locked; the message is one line a person can act on."""


@record
class Identity:
    """What `instance.json` keeps."""

    instance: str
    index: int
    port: int
    families: tuple[str, ...] = IPV4_ONLY

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError, KeyError or TypeError when the text is not an identity."""
        kept = json.loads(text)
        known = str(kept["instance"]), int(kept["index"]), int(kept["port"])
        families = tuple(kept.get("ipFamilies", IPV4_ONLY))
        identity = cls(*known, families)
        if len(identity.instance) != 4 or int(identity.instance, 16) < 0 or not 0 <= identity.index < PLACES:
            raise ValueError("not an instance")
        if families not in (IPV4_ONLY, DUAL_STACK):
            raise ValueError("not IP families")
        return identity

    def to_json(self, **more: Any) -> str:
        """The file's text."""
        known = {"instance": self.instance, "index": self.index, "port": self.port, "ipFamilies": self.families}
        return json.dumps({**known, **more}) + "\n"


def pod_range(index: int) -> str:
    """Pods of the instance at that place: 10.64.0.0/16, 10.66.0.0/16..."""
    return f"10.{64 + 2 * index}.0.0/16"


def service_range(index: int) -> str:
    """Cluster IPs of the instance at that place: 10.65.0.0/16, 10.67.0.0/16..."""
    return f"10.{65 + 2 * index}.0.0/16"


def pod_range6(instance: str) -> str:
    """IPv6 addresses of an instance's pods: unique local ones (RFC 4193), told apart by the instance's name."""
    return str(ipaddress.IPv6Network(f"{_LOCAL_IPV6}:{instance}:1::/64"))


def service_range6(instance: str) -> str:
    """Its IPv6 cluster IPs."""
    return str(ipaddress.IPv6Network(f"{_LOCAL_IPV6}:{instance}:2::/112"))


def choose_index(taken: Iterable[int], routed: Iterable[ipaddress.IPv4Network]) -> int:
    """The first place whose ranges no other instance has and no route of this machine touches. Raises InstanceError."""
    busy, networks = set(taken), list(routed)
    for index in range(PLACES):
        ranges = [ipaddress.IPv4Network(pod_range(index)), ipaddress.IPv4Network(service_range(index))]
        if index not in busy and not any(one.overlaps(other) for one in ranges for other in networks):
            return index
    raise InstanceError("no free address range in 10.64.0.0/10: every part of it is routed or used by an instance")


def open_instance(
    data_dir: Path,
    port: int | None = None,
    *,
    families: tuple[str, ...] | None = None,
    run_base: Path = RUN_BASE,
) -> EngineConfig:
    """Load the instance in `data_dir`, or make one there, and reserve its place on the machine.

    `port`: None keeps the instance's port (6443 at first in the default data directory, else a free one); 0 picks a
    free one if the instance has none yet. `families`: `IPV4_ONLY` (for a new instance the default) or `DUAL_STACK`; an
    instance keeps those it was made with. Raises InstanceError.
    """
    data_dir = data_dir.resolve()
    with _registry(run_base) as registry:
        others = registry.others(data_dir)
        identity = _load(data_dir)
        if identity is None:
            identity = _make(data_dir, port, families or IPV4_ONLY, others)
        elif families not in (None, identity.families):
            has = ",".join(identity.families)
            raise InstanceError(f"the instance in {data_dir} was made with {has}: `skerry clean` it to choose anew")
        elif port:
            identity = replace(identity, port=port)
        _refuse_taken_place(identity, others)
        config = _configure(identity, data_dir, run_base)
        _make_private(config.paths.data, config.paths.run)
        write_private(config.paths.instance_file, identity.to_json().encode())
        registry.reserve(identity, data_dir)
    return config


def load_instance(data_dir: Path, *, run_base: Path = RUN_BASE) -> EngineConfig | None:
    """The instance in `data_dir`, without changing anything; None if there is none. Raises InstanceError."""
    data_dir = data_dir.resolve()
    identity = _load(data_dir)
    return None if identity is None else _configure(identity, data_dir, run_base)


def remove_instance(config: EngineConfig, begins: Callable[[str], None] = lambda _: None) -> None:
    """Remove the data directory and give the place back, after everything was stopped. Raises InstanceError, OSError.

    Refuses while something is mounted below it: removing files would reach into what is mounted. What makes it an
    instance goes last, so that a removal that was cut short can be begun again. `begins`: called with the name of each
    part of the data directory before it is removed.
    """
    data, last = config.paths.data, (config.paths.instance_file, config.paths.lock)
    if below := mounts.below(mounts.current_mounts(), data):
        raise InstanceError(f"{below[-1]} is still mounted: stop the instance and unmount it first")
    with InstanceLock(config):
        for entry in sorted(data.iterdir()):
            if entry not in last:
                begins(entry.name)
                _remove(entry)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(config.paths.run)
        with _registry(config.paths.run.parent) as registry:
            registry.forget(config.instance)
        for file in last:
            file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # a mount point stays, empty
        data.rmdir()


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


class InstanceLock:
    """Held by the engine that uses a data directory; the kernel gives it back however the process ends."""

    def __init__(self, config: EngineConfig) -> None:
        self._path = config.paths.lock
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InstanceError(f"another engine is using {self._path.parent}") from None
        self._descriptor = descriptor
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@record
class _Reservation:
    index: int
    port: int
    data_dir: Path


class _Registry:
    """The instances known on this machine, one small file each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def others(self, data_dir: Path) -> list[_Reservation]:
        """Reservations of other data directories that still hold the instance that made them; the rest is dropped."""
        found = []
        for file in self._directory.glob("*.json"):
            reservation = self._read(file)
            if reservation is None:
                file.unlink(missing_ok=True)
            elif reservation.data_dir != data_dir:
                found.append(reservation)
        return found

    def _read(self, file: Path) -> _Reservation | None:
        try:
            where = Path(json.loads(file.read_text())["dataDir"])
            identity = _load(where)
        except (ValueError, KeyError, TypeError, OSError, InstanceError):
            return None
        if identity is None or identity.instance != file.stem:
            return None
        return _Reservation(identity.index, identity.port, where)

    def reserve(self, identity: Identity, data_dir: Path) -> None:
        write_private(self._file(identity.instance), identity.to_json(dataDir=str(data_dir)).encode())

    def forget(self, instance: str) -> None:
        self._file(instance).unlink(missing_ok=True)

    def _file(self, instance: str) -> Path:
        return self._directory / f"{instance}.json"


@contextlib.contextmanager
def _registry(run_base: Path) -> Iterator[_Registry]:
    """The registry, locked: two instances made at the same moment must not take the same place."""
    directory = run_base / "instances"
    _make_private(run_base)
    with locked(directory):
        yield _Registry(directory)


def _make(data_dir: Path, port: int | None, families: tuple[str, ...], others: list[_Reservation]) -> Identity:
    if "IPv6" in families and not kernel_has_ipv6():
        raise InstanceError("this kernel has no IPv6, or it is switched off: make the instance with IPv4 only")
    if data_dir.exists() and any(entry.name not in _HARMLESS for entry in data_dir.iterdir()):
        raise InstanceError(f"{data_dir} is not empty and holds no Skerry instance: choose another --data-dir")
    index = choose_index([other.index for other in others], _routed_networks())
    if port is None:
        port = DEFAULT_PORT if data_dir == DEFAULT_DATA_DIR else 0
    port = port or _free_port({other.port for other in others}, dual="IPv6" in families)
    return Identity(secrets.token_hex(2), index, port, families)


def _load(data_dir: Path) -> Identity | None:
    file = data_dir / "instance.json"
    try:
        return Identity.from_json(file.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InstanceError(f"cannot read {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise InstanceError(f"{file} is damaged: restore it, or remove the data directory") from None


def _refuse_taken_place(identity: Identity, others: list[_Reservation]) -> None:
    for other in others:
        if other.index == identity.index:
            ranges = f"{pod_range(identity.index)} and {service_range(identity.index)}"
            raise InstanceError(f"{ranges} now belong to the instance in {other.data_dir}: `skerry clean` one of them")
        if other.port == identity.port:
            raise InstanceError(f"port {identity.port} belongs to the instance in {other.data_dir}: choose another")


def _configure(identity: Identity, data_dir: Path, run_base: Path) -> EngineConfig:
    dual = "IPv6" in identity.families
    return EngineConfig(
        instance=identity.instance,
        paths=Paths(data=data_dir, run=run_base / identity.instance),
        node_name=socket.gethostname().lower(),
        bind="0.0.0.0",  # noqa: S104  # pods and other machines reach the API; anonymous users may read health and version only
        port=identity.port,
        pod_cidr=pod_range(identity.index),
        service_cidr=service_range(identity.index),
        pod_cidr6=pod_range6(identity.instance) if dual else "",
        service_cidr6=service_range6(identity.instance) if dual else "",
        index=identity.index,
        node_ip=host_address(),
        node_ip6=host_address6() if dual else "",
        bind6="::" if dual else "",
    )


def host_address() -> str:
    """The address this machine talks to others from, 127.0.0.1 if it has no route to anywhere."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: connecting a datagram socket only looks up the route
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def host_address6() -> str:
    """The same for IPv6, "" without a route."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("2001:db8::1", 9))  # an address for documentation
        except OSError:
            return ""
        found = str(probe.getsockname()[0])
    return "" if found.startswith(f"{_LOCAL_IPV6}:") else found  # an instance's own, on a machine that has no other


def kernel_has_ipv6() -> bool:
    """Whether interfaces can have IPv6 addresses."""
    switch = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
    return switch.exists() and switch.read_text().strip() == "0"


def _routed_networks() -> list[ipaddress.IPv4Network]:
    """Every IPv4 network this machine has a route to, in all tables, but the default route."""
    command = ["ip", "-j", "-4", "route", "show", "table", "all"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstanceError(f"cannot read the routes of this machine: {error}") from None
    destinations = {str(route["dst"]) for route in json.loads(shown or "[]")}
    return [ipaddress.IPv4Network(one, strict=False) for one in destinations - {"default"}]


def _free_port(reserved: set[int], *, dual: bool) -> int:
    """The first port from 6444 upwards that nobody listens on and no stopped instance has kept.

    6443 is left to the default data directory, which may be made later.
    """
    for port in range(DEFAULT_PORT + 1, DEFAULT_PORT + _PORT_TRIES):
        if port not in reserved and port_is_free(port, dual=dual):
            return port
    raise InstanceError(f"no free port between {DEFAULT_PORT} and {DEFAULT_PORT + _PORT_TRIES}: choose one with --port")


def port_is_free(port: int, *, dual: bool) -> bool:
    """Whether the API could listen on this TCP port now; `dual`: of an instance with two IP families."""
    addresses = ["0.0.0.0", "::"] if dual else ["0.0.0.0"]  # noqa: S104  # as the API does
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            socket.create_server((address, port), family=family).close()
        except OSError:
            return False
    return True


def _make_private(*directories: Path) -> None:
    for directory in directories:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """`python -m skerry.engine.instance --remove DIR`, for `skerry clean`: a line for each part that it begins."""
    parser = argparse.ArgumentParser(prog="skerry.engine.instance")
    parser.add_argument("--remove", type=Path, required=True, metavar="DATA_DIR")
    data_dir: Path = parser.parse_args().remove
    try:
        config = load_instance(data_dir)
        if config is None:
            raise InstanceError(f"there is no instance in {data_dir}")
        remove_instance(config, _say)
    except (InstanceError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
