"""`mountOptions` of classes whose volumes are mounted by a program: a list of those that are allowed. Pure.

Everything else is refused by name: such options also choose programs to run, files to read and whom to trust.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from skerry.engine.storage.drivers.remote.places import refused

NUMBER = re.compile(r"[0-9]{1,9}")
SECONDS = re.compile(r"[1-9]|[1-5][0-9]")
OCTAL = re.compile(r"[0-7]{3,4}")
YES_NO = re.compile(r"yes|no")
WORD = re.compile(r"[A-Za-z0-9_]{1,40}")
NOTHING = re.compile(r"")
Allowed = Mapping[str, re.Pattern[str]]
_PLAIN = frozenset({"rw", "ro", "defaults", "nosuid", "nodev", "_netdev", "noatime", "nofail"})
"""Said by habit; what they ask for is so, or has no meaning here (`ro` is read)."""


def allowed_options(given: Sequence[str], allowed: Allowed) -> dict[str, str]:
    """Options by name, with their values ("" for none). Raises StorageError for one that is not allowed."""
    found: dict[str, str] = {}
    for option in filter(None, ",".join(given).split(",")):
        name, _, value = option.strip().partition("=")
        if name in _PLAIN:
            continue
        pattern = allowed.get(name)
        if pattern is None:
            raise refused(f"mount option {name} is not allowed: there are {', '.join(sorted(allowed))}")
        if not pattern.fullmatch(value):
            raise refused(f"mount option {option}: {value!r} is not possible")
        found[name] = value
    return found


def is_read_only(given: Sequence[str], access_modes: Sequence[str]) -> bool:
    """Whether nothing may be written: by option, or because all that the volume is for is reading."""
    return "ro" in ",".join(given).split(",") or set(access_modes) == {"ReadOnlyMany"}


def joined(options: Mapping[str, str]) -> str:
    """As after `-o`."""
    return ",".join(f"{name}={value}" if value else name for name, value in options.items())
