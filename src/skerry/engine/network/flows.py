"""Which tracked flows a forward makes: those of protocols without connections must be forgotten when it ends. Pure.

Source of the behaviour: kube-proxy's clean-up of stale UDP entries (`pkg/proxy/conntrack`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from skerry.engine.network.services import Forward


class Flow(NamedTuple):
    """Datagrams sent to a port (of an address, or of any: "") that are passed on to a backend."""

    protocol: str
    address: str
    port: int
    backend: str

    @property
    def selection(self) -> list[str]:
        """As arguments of conntrack(8)."""
        to = ["--orig-dst", self.address] if self.address else []
        return ["-p", self.protocol, *to, "--orig-port-dst", str(self.port), "--dst-nat", self.backend]


def datagram_flows(forward: Forward) -> Iterator[Flow]:
    """All flows of a forward whose protocol knows no connections."""
    if forward.protocol == "tcp":
        return
    for backend in forward.backends:
        for address in forward.addresses:
            yield Flow(forward.protocol, address, forward.port, backend.address)
        if forward.host_port:
            yield Flow(forward.protocol, "", forward.host_port, backend.address)
