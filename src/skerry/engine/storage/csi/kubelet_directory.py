"""/var/lib/kubelet as charts of drivers know it, inside the instance's mount namespace and leading to our directories.

Inside, it is `<data>/kubelet`; below it, `pods` and the place of staged volumes are the same mounts as ours, shared, so
that a mount that a driver makes in its container is seen by the engine and by pods. Outside, an empty directory is made
where there is none, because one can only mount on what is there, and marked as ours by an extended attribute; the last
instance to stop removes it. What else is there is hidden inside, and not touched. Source: mount_namespaces(7).
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.locked_directory import locked
from skerry.engine.storage.csi.paths import KUBELET, PathsInDrivers
from skerry.kube.records import record

log = logging.getLogger(__name__)

_MARK = "trusted.skerry"
_OLD_LOCK = ".lock"
"""Of earlier versions; it is not an instance."""


@record
class KubeletDirectory:
    """`root`: where the engine finds it; drivers say /var/lib/kubelet. `paths`: what they call our directories."""

    root: Path
    paths: PathsInDrivers = PathsInDrivers()

    @property
    def registry(self) -> Path:
        """Where plug-ins put the sockets by which they make themselves known."""
        return self.root / "plugins_registry"


def staged_root(paths: Paths) -> Path:
    """Where volumes are mounted once for the machine (`mounting.journal`)."""
    return paths.data / "storage" / "staged"


def directories(config: EngineConfig) -> KubeletDirectory:
    """Our own directories, without /var/lib/kubelet: for an engine outside its mount namespace."""
    root = config.paths.data / "kubelet"
    for name in ("plugins", "plugins_registry"):
        (root / name).mkdir(parents=True, exist_ok=True, mode=0o750)
    return KubeletDirectory(root)


def prepare(config: EngineConfig) -> KubeletDirectory:
    """Mount everything; harmless when it is. Inside the mount namespace, before anything is mounted for pods. Where the
    machine refuses, drivers can be used whose paths are not below /var/lib/kubelet."""
    ours = directories(config)
    try:
        claims = _claims(config)
        with locked(claims):
            (claims / config.instance).touch()
            _make_mount_point()
            return _mount(config, ours.root)
    except OSError as error:
        log.warning("%s cannot be shown to drivers of third parties: %s", KUBELET, error)
        return ours


def release(config: EngineConfig) -> None:
    """Remove the directory if we made it and no other instance needs it. From outside; harmless twice."""
    claims = _claims(config)
    with contextlib.suppress(OSError), locked(claims):
        (claims / config.instance).unlink(missing_ok=True)
        others = [note for note in claims.iterdir() if note.name != _OLD_LOCK]
        if not others and _is_marked():
            KUBELET.rmdir()  # refused when it is not empty


def _claims(config: EngineConfig) -> Path:
    """Where instances note that they need the directory: one may start while another stops."""
    return config.paths.run.parent / "kubelet"


def _make_mount_point() -> None:
    if KUBELET.exists():
        return
    KUBELET.mkdir(mode=0o750)
    with contextlib.suppress(OSError):  # a file system without extended attributes: then it stays, empty
        os.setxattr(KUBELET, _MARK, b"made")


def _is_marked() -> bool:
    try:
        return os.getxattr(KUBELET, _MARK) == b"made"
    except OSError:
        return False


def _mount(config: EngineConfig, root: Path) -> KubeletDirectory:
    pairs = ((config.paths.pods, "pods"), (staged_root(config.paths), "plugins/kubernetes.io/csi"))
    for ours, theirs in pairs:
        ours.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / theirs).mkdir(parents=True, exist_ok=True, mode=0o750)
    if not KUBELET.samefile(root):
        mounts.bind(str(root), KUBELET)
        mounts.share(KUBELET)
    for ours, theirs in pairs:
        if not (KUBELET / theirs).samefile(ours):
            _show(ours, KUBELET / theirs)
    return KubeletDirectory(KUBELET, PathsInDrivers([(ours, KUBELET / theirs) for ours, theirs in pairs]))


def _show(ours: Path, theirs: Path) -> None:
    """One shared mount at both places, with what is mounted below it already."""
    if all(each.point != ours for each in mounts.current_mounts()):
        mounts.bind(str(ours), ours, recursive=True)
    mounts.share(ours)
    mounts.bind(str(ours), theirs, recursive=True)
