"""Where on which server a volume is: what a class says, made into the fields that handle and context carry. Pure.

Fields are text by name ("server", "path", "directory", ...). A handle has them all, because deleting is told nothing
else. Invariants: unknown parameters are refused by name; a directory is relative and never climbs.
Follows csi-driver-nfs's parameters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl, urlencode

from skerry.engine.storage.contract import StorageError, VolumeRequest
from skerry.kube.records import record

SHARED = frozenset({"subDir", "onDelete", "dataset", "allowedServers"})
"""Parameters that every class here has."""
_TEMPLATE = re.compile(r"\$\{([^}]*)\}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"'\\,]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[?[0-9A-Fa-f:]+\]?")


@record
class Place:
    """Where a volume is. `directory`: relative to what the class names, "" for all of it. `keep`: its data stay.
    `volume`: its name, so that no two have one handle where a class gives all claims one directory."""

    fields: Mapping[str, str]
    """The protocol's own: server, path, ..."""
    directory: str
    keep: bool = False
    dataset: bool = False
    volume: str = ""

    @property
    def handle(self) -> str:
        """The volume's name for ever."""
        more = {"onDelete": "retain" if self.keep else "delete", **({"volume": self.volume} if self.volume else {})}
        return urlencode(sorted({**self.context, **more}.items()), safe="/:")

    @property
    def context(self) -> dict[str, str]:
        """What mounting needs to be told."""
        return {**self.fields, "directory": self.directory, **({"dataset": "true"} if self.dataset else {})}


def place_of(context: Mapping[str, str]) -> Place:
    """The inverse of `Place.context`, also of what somebody wrote by hand (with `subDir`). Raises StorageError."""
    own = ("directory", "subDir", "dataset", "onDelete", "volume")
    fields = {
        key: value for key, value in context.items() if key not in own and not key.startswith("storage.kubernetes.io/")
    }
    dataset, keep = context.get("dataset") == "true", context.get("onDelete") == "retain"
    directory = checked_directory(context.get("directory", context.get("subDir", "")), whole=True)
    return Place(fields, directory, keep, dataset, context.get("volume", ""))


def place_in(handle: str) -> Place:
    """The inverse of `Place.handle`. Raises StorageError."""
    return place_of(dict(parse_qsl(handle, keep_blank_values=True)))


def new_place(request: VolumeRequest, fields: Mapping[str, str]) -> Place:
    """Where a new volume of a class shall be. Raises StorageError."""
    parameters = request.parameters
    dataset = flag(parameters, "dataset")
    on_delete = parameters.get("onDelete", "delete")
    if on_delete not in ("delete", "retain"):
        raise refused(f"parameter onDelete: {on_delete!r} is neither delete nor retain")
    if not dataset:
        directory = checked_directory(_filled(parameters.get("subDir", "${pv.metadata.name}"), request))
        return Place(fields, directory, keep=on_delete == "retain", volume=request.name)
    if set(request.use.access_modes) != {"ReadOnlyMany"}:
        raise refused("a dataset is read only: the claim's accessModes must be [ReadOnlyMany]")
    directory = checked_directory(_filled(parameters.get("subDir", ""), request), whole=True)
    return Place(fields, directory, keep=True, dataset=True, volume=request.name)


def check_known(parameters: Mapping[str, str], own: Collection[str]) -> None:
    """Raises StorageError for a parameter that nobody reads."""
    if unknown := sorted(set(parameters) - SHARED - set(own)):
        raise refused(f"unknown parameter {', '.join(unknown)}: there are {', '.join(sorted({*own, *SHARED}))}")


def checked_directory(text: str, *, whole: bool = False) -> str:
    """A relative path without tricks. `whole`: "" will do. Raises StorageError."""
    parts = [part for part in text.strip("/").split("/") if part]
    if any(part in (".", "..") for part in parts) or _UNSAFE.search(text):
        raise refused(f"directory {text!r} leaves its place, or has characters that no directory here may have")
    if not parts and not whole:
        raise refused("parameter subDir is empty: each claim needs a directory of its own")
    return "/".join(parts)


def checked_text(name: str, text: str) -> str:
    """A value that goes into command lines and configuration. Raises StorageError."""
    if not text or _UNSAFE.search(text) or text.startswith("-"):
        raise refused(f"parameter {name}: {text!r} is not possible")
    return text


def checked_host(text: str) -> str:
    """A host's name or address. Raises StorageError."""
    if not _HOST.fullmatch(text):
        raise refused(f"server {text!r} is not the name of a host")
    return text


def in_brackets(host: str) -> str:
    """A checked host as it stands in front of a path: addresses of IPv6 in brackets."""
    return f"[{host.strip('[]')}]" if ":" in host else host


def path_below(path: str, directory: str) -> str:
    """The path of a volume's directory on the server; "" is `path` itself."""
    base = path.rstrip("/")
    return f"{base}/{directory}" if directory else base or "/"


def chosen(name: str, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> tuple[str, bool]:
    """A value that the class gives, or else the Secret; and whether it was the Secret. Raises StorageError."""
    if name in parameters:
        return checked_text(name, parameters[name]), False
    if name not in secrets:
        raise refused(f"parameter {name} is missing")
    return checked_text(name, secrets[name]), True


def refused(message: str) -> StorageError:
    """What was asked for is wrong, and stays so."""
    return StorageError("INVALID_ARGUMENT", message)


def _filled(template: str, request: VolumeRequest) -> str:
    """A template as in csi-driver-nfs. Values are names in Kubernetes, so they cannot climb."""
    namespace, name = request.claim
    known = {"pvc.metadata.name": name, "pvc.metadata.namespace": namespace, "pv.metadata.name": request.name}

    def value(found: re.Match[str]) -> str:
        if not known.get(found[1]):
            raise refused(f"parameter subDir: ${{{found[1]}}} is not known: there are {', '.join(sorted(known))}")
        return known[found[1]]

    return _TEMPLATE.sub(value, template)


def flag(parameters: Mapping[str, str], name: str) -> bool:
    """A parameter that is "true" or "false", the latter when it is not there. Raises StorageError."""
    text = parameters.get(name, "false")
    if text not in ("true", "false"):
        raise refused(f"parameter {name}: {text!r} is neither true nor false")
    return text == "true"
