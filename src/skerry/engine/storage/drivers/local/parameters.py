"""Parameters of a StorageClass of the local driver. Pure. What is not known is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.engine.storage.contract import StorageError
from skerry.kube.records import record

FILE_SYSTEMS = ("ext4", "xfs")
_KNOWN = ("bytesPerInode", "fsType", "inodes", "overcommit", "snapshots")
BYTES_PER_INODE = 16384
_LEAST_BYTES_PER_INODE, _MOST_BYTES_PER_INODE = 1024, 64 * 2**20
_MOST_OVERCOMMIT = 1000.0


@record
class Parameters:
    """Of one class. `fs_type` is "" where the machine may choose; `inodes` is 0 where `bytes_per_inode` counts."""

    fs_type: str = ""
    snapshots: bool = True
    inodes: int = 0
    bytes_per_inode: int = BYTES_PER_INODE
    overcommit: float = 1.0


def read(parameters: Mapping[str, str], fs_type: str = "") -> Parameters:
    """What a class says; `fs_type` is what the claim's volume asks for. Raises StorageError INVALID_ARGUMENT."""
    if unknown := sorted(set(parameters) - set(_KNOWN)):
        raise _invalid(f"unknown parameter {', '.join(unknown)}: known are {', '.join(_KNOWN)}")
    if "inodes" in parameters and "bytesPerInode" in parameters:
        raise _invalid("parameters inodes and bytesPerInode exclude each other")
    inodes = _whole(parameters, "inodes", 0, 16, 2**32 - 1)
    ratio = _whole(parameters, "bytesPerInode", BYTES_PER_INODE, _LEAST_BYTES_PER_INODE, _MOST_BYTES_PER_INODE)
    return Parameters(
        _file_system(parameters, fs_type, tuned=bool(inodes) or "bytesPerInode" in parameters),
        _truth(parameters, "snapshots"),
        inodes,
        ratio,
        _overcommit(parameters),
    )


def _file_system(parameters: Mapping[str, str], asked: str, *, tuned: bool) -> str:
    chosen = parameters.get("fsType") or asked
    if chosen and chosen not in FILE_SYSTEMS:
        raise _invalid(f"fsType {chosen} is not supported: {' or '.join(FILE_SYSTEMS)}")
    if tuned and chosen == "xfs":
        raise _invalid("parameters inodes and bytesPerInode are for ext4: xfs makes inodes as they are needed")
    return "ext4" if tuned else chosen


def _truth(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "true")
    if text not in ("true", "false"):
        raise _invalid(f'parameter {name} is "true" or "false", not "{text}"')
    return text == "true"


def _whole(parameters: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:20]) <= most):
        raise _invalid(f'parameter {name} is a whole number from {least} to {most}, not "{text}"')
    return int(text)


def _overcommit(parameters: Mapping[str, str]) -> float:
    text = parameters.get("overcommit", "1")
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 <= factor <= _MOST_OVERCOMMIT:  # also not for "nan"
        raise _invalid(f'parameter overcommit is a factor from 1 to {_MOST_OVERCOMMIT:.0f}, not "{text}"')
    return factor


def _invalid(message: str) -> StorageError:
    return StorageError("INVALID_ARGUMENT", message)
