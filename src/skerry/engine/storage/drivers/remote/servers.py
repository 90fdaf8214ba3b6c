"""Whether a Secret may name a server: what mounts runs on the machine's own network, which tenants must not reach.

The class names the server, or with `allowedServers` says which ones a Secret may name: patterns of hosts. A pattern
never covers this machine, its links and private networks: such a server has to be in the list whole. What remains: who
rules the names that a pattern covers can change their addresses afterwards.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import socket
from collections.abc import Mapping

from skerry.engine.storage.contract import StorageError
from skerry.kube.threads import in_own_thread

_RESOLVING = 10.0


async def check_permitted(host: str, parameters: Mapping[str, str]) -> None:
    """Raises StorageError PERMISSION_DENIED; UNAVAILABLE when the name cannot be resolved."""
    host = host.lower().strip("[]")
    patterns = parameters.get("allowedServers", "").replace(",", " ").lower().split()
    if host in patterns:
        return
    if not any(fnmatch.fnmatchcase(host, pattern) for pattern in patterns):
        raise StorageError("PERMISSION_DENIED", f"the Secret names server {host}, which the class does not permit")
    if is_close(host) or any(is_close(one) for one in await _addresses(host)):
        raise StorageError("PERMISSION_DENIED", f"server {host} is in a private network: the class must say it whole")


def is_close(host: str) -> bool:
    """Names of this machine and of its links, and addresses that do not lead to the internet. In doubt, yes."""
    if host.rstrip(".").split(".")[-1] in ("localhost", "local", "internal"):
        return True
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return bool(re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host))  # 127.1 and 2130706433 are addresses as well


async def _addresses(host: str) -> set[str]:
    try:
        found = await in_own_thread(_RESOLVING, socket.getaddrinfo, host, None)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise StorageError("UNAVAILABLE", f"server {host} is not known: {error}") from error
    return {str(one[4][0]) for one in found}
