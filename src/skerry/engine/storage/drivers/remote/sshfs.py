"""Directories on an SSH server, by sshfs: `sshfs.storage.skerry.dev`.

The key and the server's own keys come from a Secret; a server that is not known is refused. ssh reads nothing of this
machine's configuration, asks nobody and forwards nothing. Source: sshfs(1), ssh_config(5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from skerry.engine.storage.drivers.remote import options
from skerry.engine.storage.drivers.remote.daemon import CONNECTION, Program
from skerry.engine.storage.drivers.remote.driver import Mounting, ServerDriver, needed
from skerry.engine.storage.drivers.remote.places import (
    check_known,
    checked_host,
    checked_text,
    chosen,
    in_brackets,
    path_below,
    refused,
)
from skerry.engine.storage.drivers.remote.servers import check_permitted

_PARAMETERS = ("server", "port", "path", "user")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.@-]*")
_SSHFS: options.Allowed = {
    "uid": options.NUMBER,
    "gid": options.NUMBER,
    "umask": options.OCTAL,
    "default_permissions": options.NOTHING,
    "cache": options.YES_NO,
    "auto_cache": options.NOTHING,
    "kernel_cache": options.NOTHING,
    "dcache_timeout": options.NUMBER,
    "dcache_max_size": options.NUMBER,
    "max_conns": re.compile(r"[1-9]|1[0-6]"),
    "direct_io": options.NOTHING,
}
_SSH: options.Allowed = {
    "compression": options.YES_NO,
    "Compression": options.YES_NO,
    "ServerAliveInterval": re.compile(r"[1-9]|[1-5][0-9]"),
    "ServerAliveCountMax": re.compile(r"[1-5]"),
    "ConnectTimeout": re.compile(r"[1-9]|1[0-9]"),
}
_CONFIGURATION = {
    "BatchMode": "yes",
    "CanonicalizeHostname": "no",
    "CheckHostIP": "no",
    "ClearAllForwardings": "yes",
    "ConnectTimeout": "10",
    "ControlMaster": "no",
    "ControlPath": "none",
    "EscapeChar": "none",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "IdentityFile": "/own/key",
    "LogLevel": "ERROR",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "PermitLocalCommand": "no",
    "ProxyCommand": "none",
    "ServerAliveCountMax": "2",
    "ServerAliveInterval": "5",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "UserKnownHostsFile": "/own/known_hosts",
}


_COMPLAINTS = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "FAILED_PRECONDITION", "its host key is not the one in known_hosts"),
    ("Host key verification failed", "FAILED_PRECONDITION", "its host key is not in known_hosts of the Secret"),
    ("invalid format", "UNAUTHENTICATED", "ssh-privatekey of the Secret is not a private key"),
    ("error in libcrypto", "UNAUTHENTICATED", "ssh-privatekey of the Secret is not a private key"),
    ("Permission denied (", "UNAUTHENTICATED", "it does not accept the key of the Secret for this user"),
    ("Could not resolve hostname", "UNAVAILABLE", "its name is not known"),
    ("Connection refused", "UNAVAILABLE", "connection refused"),
    ("timed out", "UNAVAILABLE", "it does not answer"),
    ("No such file or directory", "NOT_FOUND", "there is no such directory"),
)


class SshfsDriver(ServerDriver):
    """Claims are directories below `path` on `server`."""

    name: str = "sshfs.storage.skerry.dev"
    server: ClassVar[str] = "SSH server"
    complaints = _COMPLAINTS

    async def fields(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """Server, port, path and user. Raises StorageError."""
        check_known(parameters, _PARAMETERS)
        server, by_secret = chosen("server", parameters, secrets)
        checked_host(server)
        if by_secret:
            await check_permitted(server, parameters)
        user, _ = chosen("user", parameters, secrets)
        path = checked_text("path", parameters.get("path", "."))
        return {"server": server, "port": parameters.get("port", "22"), "path": path, "user": user}

    def program(self, mounting: Mounting) -> Program:
        """sshfs, with ssh's configuration and keys as files."""
        where = mounting.place.fields
        server, user, port = checked_host(where.get("server", "")), where.get("user", ""), where.get("port", "22")
        if not _USER.fullmatch(user) or not _PORT.fullmatch(port):
            raise refused(f"user {user!r} or port {port!r} is not possible")
        given = options.allowed_options(mounting.use.mount_options, {**_SSHFS, **_SSH})
        path = path_below(checked_text("path", where.get("path", ".")), mounting.directory)
        # `reconnect`: a connection that is lost costs an error and is made anew, instead of ending the file system
        chosen_here = {"reconnect": "", **{name: value for name, value in given.items() if name in _SSHFS}}
        ssh = {**_CONFIGURATION, "Port": port}
        ssh |= {name.replace("compression", "Compression"): given[name] for name in given if name in _SSH}
        command = ["sshfs", f"{user}@{in_brackets(server)}:{path}", CONNECTION, "-f", "-F", "/own/config"]
        return Program(
            kind="sshfs",
            package="sshfs",
            command=[*command, "-o", options.joined(chosen_here)],
            files={
                "config": "".join(f"{name} {value}\n" for name, value in ssh.items()).encode(),
                "key": _ended(needed(mounting.secrets, "ssh-privatekey", "privateKey")),
                "known_hosts": _ended(needed(mounting.secrets, "known_hosts", "knownHosts")),
            },
            read_only=mounting.read_only,
            check_modes="default_permissions" in given,
        )


def _ended(text: str) -> bytes:
    """ssh wants a last line that ends."""
    return f"{text.rstrip()}\n".encode()
