"""Directories on an NFS export, by the kernel's own client: `nfs.storage.skerry.dev`.

Parameters as csi-driver-nfs has them. Without a client in the kernel every call says so. Source: nfs(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from skerry.engine.storage.contract import Ability
from skerry.engine.storage.drivers.remote import options
from skerry.engine.storage.drivers.remote.daemon import CONNECTION, Program
from skerry.engine.storage.drivers.remote.driver import Mounting, ServerDriver
from skerry.engine.storage.drivers.remote.kernel_mount import KernelMount
from skerry.engine.storage.drivers.remote.places import (
    Place,
    check_known,
    checked_host,
    checked_text,
    in_brackets,
    path_below,
    refused,
)

_SHARE = re.compile(r"/[^\s:#]*")
_NUMBERED = ("timeo", "retrans", "rsize", "wsize", "port", "acregmin", "acregmax", "acdirmin", "acdirmax", "actimeo")
_BARE = ("hard", "soft", "softerr", "nolock", "noac", "noresvport", "nosharecache", "noexec")
_ALLOWED: options.Allowed = {
    **dict.fromkeys(_NUMBERED, options.NUMBER),
    **dict.fromkeys(_BARE, options.NOTHING),
    "nconnect": re.compile(r"[1-9]|1[0-6]"),
    "nfsvers": re.compile(r"3|4|4\.[0-2]"),
    "vers": re.compile(r"3|4|4\.[0-2]"),
    "proto": re.compile(r"(tcp|rdma)6?"),
    "sec": re.compile(r"sys|krb5[ip]?"),
}
_WAITING = {"softerr": "", "timeo": "100", "retrans": "2"}
"""A server that does not answer gives an error after some 30 s. `hard` waits for ever, as NFS does by itself."""


class NfsDriver(ServerDriver):
    """Claims are directories below `share` on `server`."""

    name: str = "nfs.storage.skerry.dev"
    server: ClassVar[str] = "NFS server"
    takes_secrets: ClassVar[bool] = False
    abilities = ServerDriver.abilities | {Ability.GROUP}

    async def fields(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """Server, export and the directory's mode; there are no secrets. Raises StorageError."""
        check_known(parameters, ("server", "share", "mountPermissions"))
        missing = [name for name in ("server", "share") if not parameters.get(name)]
        if missing:
            raise refused(f"parameter {', '.join(missing)} is missing")
        if parameters.get("onDelete") == "archive":
            raise refused("parameter onDelete: archive is not supported: there are delete and retain")
        fields = {name: parameters[name] for name in ("server", "share", "mountPermissions") if name in parameters}
        return {**fields, "server": checked_host(fields["server"])}

    def program(self, mounting: Mounting) -> Program:
        """mount(8) of nfs-common."""
        where = mounting.place.fields
        server, share = checked_host(where.get("server", "")), checked_text("share", where.get("share", ""))
        if not _SHARE.fullmatch(share):
            raise refused(f"parameter share: {share!r} is not the path of an export")
        self.mode(mounting.place)
        given = options.allowed_options(mounting.use.mount_options, _ALLOWED)
        waiting = {} if {"hard", "soft", "softerr"} & set(given) else _WAITING
        asked = {"nosuid": "", "nodev": "", **waiting, **given, **({"ro": ""} if mounting.read_only else {})}
        source = f"{in_brackets(server)}:{path_below(share, mounting.directory)}"
        return Program(
            kind="nfs",
            package="nfs-common",
            command=["mount", "-t", "nfs", "-o", options.joined(asked), source, CONNECTION],
            files={},
            read_only=mounting.read_only,
        )

    def mode(self, place: Place) -> int:
        """`mountPermissions`, else 0777 as with csi-driver-nfs: which user a pod is, only the server can tell."""
        text = place.fields.get("mountPermissions", "0777")
        if not options.OCTAL.fullmatch(text):
            raise refused(f"parameter mountPermissions: {text!r} is not a mode like 0755")
        return int(text, 8) or 0o777

    def _daemon(self, path: Path) -> KernelMount:
        return KernelMount(path, "nfs")
