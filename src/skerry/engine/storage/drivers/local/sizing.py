"""How large an image has to be so that its user gets what was asked for. Pure.

File systems keep a part for themselves; a person who asks for 1Gi shall be able to store 1 GiB. The formulas are upper
bounds of what mke2fs 1.47 and mkfs.xfs 6.1 take, and of what the kernel then keeps back; images are sparse, so a
generous bound costs nothing but that its user may store a little more.
Source: ext4 (`ext4_calculate_resv_clusters`), mke2fs(8), xfs (`xfs_default_resblks`), measured.
"""

from __future__ import annotations

MIB = 2**20
BLOCK = 4096
_GROUP = 128 * MIB
_INODE = 256
_SMALLEST = 16 * MIB
_ROUNDS = 6  # each shrinks the error to a few hundredths


def image_size(usable: int, fs_type: str, *, inodes: int = 0, bytes_per_inode: int = 16384) -> int:
    """Bytes of an image in which a file of `usable` bytes fits; "" as `fs_type` is a device without file system."""
    size = usable
    for _ in range(_ROUNDS if fs_type else 0):
        size = max(_SMALLEST, usable + _overhead(size, fs_type, inodes, bytes_per_inode))
    return -(-size // MIB) * MIB


def journal_mib(size: int) -> int:
    """The journal of an ext4 image: mke2fs' own choice gives an eighth of small volumes away."""
    for limit, journal in ((128 * MIB, 4), (1024 * MIB, 16), (4096 * MIB, 32), (2**36, 64)):
        if size < limit:
            return journal
    return 128


def _overhead(size: int, fs_type: str, inodes: int, bytes_per_inode: int) -> int:
    if fs_type == "xfs":
        log = 8 * MIB if size < 300 * MIB else max(64 * MIB, min(size // 2048, 2048 * MIB))
        return log + min(size // 20, 32 * MIB) + size // 100 + 2 * MIB
    groups = size // _GROUP + 1
    tables = (inodes or size // bytes_per_inode) * _INODE + groups * 8 * BLOCK
    growth = _backups(groups) * BLOCK * min(1024 + groups // 64, size // (8 * MIB) + 2)
    kept_back = min(size // 50, 16 * MIB)
    return tables + growth + kept_back + journal_mib(size) * MIB + size // 1000 + MIB


def _backups(groups: int) -> int:
    """Groups with a copy of the descriptors: 0, 1 and powers of 3, 5, 7."""
    count = 2
    for base in (3, 5, 7):
        power = base
        while power < groups:
            count, power = count + 1, power * base
    return count
