"""`mountOptions` of a class as mount(2) takes them: flags, and what the file system itself reads. Pure.

Source: mount(8), "filesystem-independent mount options".
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine import mounts
from skerry.engine.storage.contract import StorageError

ALWAYS = mounts.MS_NOSUID | mounts.MS_NODEV
"""A volume brings neither devices nor programs with rights of their own."""
_SET = {
    "ro": mounts.MS_RDONLY,
    "noexec": mounts.MS_NOEXEC,
    "sync": mounts.MS_SYNCHRONOUS,
    "dirsync": mounts.MS_DIRSYNC,
    "noatime": mounts.MS_NOATIME,
    "nodiratime": mounts.MS_NODIRATIME,
    "relatime": mounts.MS_RELATIME,
    "strictatime": mounts.MS_STRICTATIME,
    "lazytime": mounts.MS_LAZYTIME,
}
_AS_IT_IS = {"rw", "defaults", "nosuid", "nodev", "async", "atime", "auto", "noauto", "nofail", "_netdev"}
_REFUSED = {"dev", "suid", "loop", "bind", "rbind", "remount", "move", "user", "users", "owner", "group"}


def split(options: Iterable[str]) -> tuple[int, str]:
    """Flags, and the rest comma-separated. Raises StorageError INVALID_ARGUMENT for what no volume may have."""
    flags, rest = ALWAYS, []
    for option in ",".join(options).split(","):
        if option.split("=")[0] in _REFUSED:
            raise StorageError("INVALID_ARGUMENT", f"mount option {option} is not for volumes")
        if option in _SET:
            flags |= _SET[option]
        elif option and option not in _AS_IT_IS:
            rest.append(option)
    return flags, ",".join(rest)
