"""Machines on a network of their own: each has its own network, mounts and processes, and nothing outside sees them.

A machine is a process tree in namespaces. It ends with its first process, and that ends with the test that started it,
also by SIGKILL: the kernel then takes back all processes, interfaces and mounts of it. Files a machine puts below /etc
and /run are in memory, so configurations are installed where their users install them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import eventually

_OWN_FILES = """
mount -t tmpfs own /mnt && mkdir /mnt/etc /mnt/work
mount -t overlay own -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/work /etc
mount -t tmpfs own /run && mkdir /run/haproxy
ip link set lo up
echo up; exec sleep infinity
"""


class Machine:
    """One machine. `addresses` are those of its network card, with prefix length."""

    def __init__(self, name: str, addresses: tuple[str, ...] = ()) -> None:
        self.name = name
        self.addresses = addresses
        own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
        command = ["setpriv", "--pdeathsig", "KILL", *own, "sh", "-ec", _OWN_FILES]
        self._outer = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._outer.stdout is not None
        assert self._outer.stdout.readline() == b"up\n"
        self.pid = int(Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text())
        self.started: list[subprocess.Popen[bytes]] = []

    def inside(self, *command: str) -> list[str]:
        """The command that runs `command` on this machine."""
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", "--", *command]

    def run(self, *command: str, check: bool = True) -> str:
        """What a command on this machine prints."""
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, (command, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def start(self, log: Path, *command: str) -> subprocess.Popen[bytes]:
        """Have a program run on it, until the machine ends."""
        with log.open("ab") as output:
            process = subprocess.Popen(self.inside(*command), stdout=output, stderr=output)
        self.started.append(process)
        return process

    def put(self, path: str, content: str | bytes, mode: int = 0o600) -> None:
        """A file of this machine."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        command = self.inside("sh", "-ec", script, "sh", path, f"{mode:o}")
        subprocess.run(command, input=content.encode() if isinstance(content, str) else content, check=True)

    def processes(self, program: str) -> list[int]:
        """Which processes of a program run, the oldest first; ids as this machine counts them."""
        lines = self.run("ps", "-e", "-o", "pid=,stat=,comm=").splitlines()
        words = [line.split() for line in lines]
        return [int(pid) for pid, state, name, *_ in words if name == program and not state.startswith("Z")]

    def kill(self, program: str) -> None:
        """SIGKILL for every process of a program on this machine."""
        self.run("kill", "-KILL", *map(str, self.processes(program)))

    def has_address(self, address: str) -> bool:
        """Whether its network card has it now."""
        return f" {address}/" in self.run("ip", "-4", "-oneline", "address", "show", "dev", "eth0")

    def is_on(self) -> bool:
        """Whether it was not switched off."""
        return self._outer.returncode is None

    def switch_off(self) -> None:
        """End it, as if its power were cut. Once is enough."""
        if self.is_on():
            self.cut()
            self.wait()

    def cut(self) -> None:
        """Its power."""
        self._outer.kill()

    def wait(self) -> None:
        """Until nothing of it is left."""
        self._outer.wait()
        eventually(lambda: not Path(f"/proc/{self.pid}").exists(), f"{self.name} is off")
        for process in self.started:
            process.wait()
        assert self._outer.stdout is not None
        self._outer.stdout.close()


class Lan:
    """A switch, and machines plugged into it."""

    def __init__(self) -> None:
        self.machines: list[Machine] = []
        self._switch = Machine("switch")
        self._switch.run("ip", "link", "add", "lan", "type", "bridge")
        self._switch.run("ip", "link", "set", "lan", "up")

    def machine(self, name: str, *addresses: str) -> Machine:
        """A new machine on the network."""
        made = Machine(name, addresses)
        self.machines.append(made)
        port = f"port{len(self.machines)}"
        # from the switch's namespace right into the machine's: never a moment among the interfaces of the host
        link = ["nsenter", "--target", str(self._switch.pid), "--net", "ip", "link", "add", port, "type", "veth"]
        subprocess.run([*link, "peer", "name", "eth0", "netns", str(made.pid)], check=True)
        self._switch.run("ip", "link", "set", port, "master", "lan", "up")
        for address in addresses:
            made.run("ip", "address", "add", address, "dev", "eth0")
        made.run("ip", "link", "set", "eth0", "up")
        return made

    def close(self) -> None:
        """Everything off."""
        left = [machine for machine in (*self.machines, self._switch) if machine.is_on()]
        for machine in left:
            machine.cut()
        for machine in left:
            machine.wait()


@contextmanager
def lan() -> Iterator[Lan]:
    """A network for a test."""
    made = Lan()
    try:
        yield made
    finally:
        made.close()
