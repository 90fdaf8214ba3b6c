"""Collections on a WebDAV server, by davfs2: `webdav.storage.skerry.dev`.

Files are uploaded when they are closed, but davfs2 lets nobody wait for it: unmounting waits. It reads nothing of this
machine's configuration. Source: mount.davfs(8), davfs2.conf(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from skerry.engine.storage.drivers.remote import options
from skerry.engine.storage.drivers.remote.addresses import below, checked_address, host_of
from skerry.engine.storage.drivers.remote.daemon import Program
from skerry.engine.storage.drivers.remote.driver import Mounting, ServerDriver, needed
from skerry.engine.storage.drivers.remote.places import check_known, chosen, flag, refused
from skerry.engine.storage.drivers.remote.servers import check_permitted

_ALLOWED: options.Allowed = {
    "uid": options.NUMBER,
    "gid": options.NUMBER,
    "file_mode": options.OCTAL,
    "dir_mode": options.OCTAL,
    "noexec": options.NOTHING,
}
_TIMES: options.Allowed = {"connect_timeout": options.SECONDS, "read_timeout": options.SECONDS}
_CONFIGURATION = {
    "buf_size": "1024",  # KiB: with its own 16, newer kernels ask for more of a directory at once than it can give
    "dav_user": "skerry",
    "dav_group": "skerry",
    "use_proxy": "0",
    "ask_auth": "0",
    "cache_dir": "/disk",
    "connect_timeout": "10",
    "delay_upload": "0",
    "follow_redirect": "0",
    "max_retry": "15",
    "read_timeout": "15",
    "retry": "5",
}


_COMPLAINTS = (
    ("Could not authenticate", "UNAUTHENTICATED", "it does not accept user and password of the Secret"),
    ("401 U", "UNAUTHENTICATED", "it does not accept user and password of the Secret"),
    ("403 F", "PERMISSION_DENIED", "it forbids this directory to the Secret's user"),
    ("404 N", "NOT_FOUND", "there is no such directory"),
    (
        "certificate",
        "FAILED_PRECONDITION",
        "its certificate is not trusted: ca.crt of the Secret may name who issued it",
    ),
    ("Could not resolve hostname", "UNAVAILABLE", "its name is not known"),
    ("onnection refused", "UNAVAILABLE", "connection refused"),
    ("imed out", "UNAVAILABLE", "it does not answer"),
)


class WebdavDriver(ServerDriver):
    """Claims are collections below `server`."""

    name: str = "webdav.storage.skerry.dev"
    server: ClassVar[str] = "WebDAV server"
    complaints = _COMPLAINTS
    grace: ClassVar[float] = 100.0

    async def fields(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """The server's address. Raises StorageError."""
        check_known(parameters, ("server", "insecure", "anonymous"))
        server, by_secret = chosen("server", parameters, secrets)
        insecure, anonymous = flag(parameters, "insecure"), flag(parameters, "anonymous")
        server = checked_address("server", server, insecure=insecure)
        if by_secret:
            await check_permitted(host_of(server), parameters)
        said = {"insecure": insecure, "anonymous": anonymous}
        return {"server": server, **{name: "true" for name, value in said.items() if value}}

    def program(self, mounting: Mounting) -> Program:
        """mount.davfs, with davfs2's configuration and the password as files."""
        where, secrets = mounting.place.fields, mounting.secrets
        server = checked_address("server", where.get("server", ""), insecure=flag(where, "insecure"))
        address = below(server, mounting.directory)
        given = options.allowed_options(mounting.use.mount_options, {**_ALLOWED, **_TIMES})
        asked = {"uid": "0", "gid": "0", "file_mode": "666", "dir_mode": "777", **given}
        configuration = {**_CONFIGURATION, **{name: asked.pop(name) for name in _TIMES if name in asked}}
        files = {"secrets": b""}
        if not flag(where, "anonymous"):
            words = (address, needed(secrets, "username", "user"), needed(secrets, "password"))
            files["secrets"] = (" ".join(_quoted(word) for word in words) + "\n").encode()
        if secrets.get("ca.crt"):
            files["ca.crt"], configuration["trust_ca_cert"] = secrets["ca.crt"].encode(), "/own/ca.crt"
        files["davfs2.conf"] = "".join(f"{name} {value}\n" for name, value in configuration.items()).encode()
        return Program(
            kind="davfs2",
            package="davfs2",
            command=[
                "mount.davfs",
                address,
                "/own/mnt",
                "-o",
                options.joined(asked) + (",ro" if mounting.read_only else ""),
            ],
            files=files,
            mounts_itself=True,
            read_only=mounting.read_only,
        )


def _quoted(text: str) -> str:
    """As davfs2 reads a word of its secrets file."""
    if any(ord(character) < 32 for character in text):
        raise refused("user and password of the Secret must be one line each")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
