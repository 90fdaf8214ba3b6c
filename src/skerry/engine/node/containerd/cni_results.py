"""What CNI remembers of pods' interfaces in a directory all programs share, and taking out what is this instance's.

containerd 1.6 cannot be told another directory. A pod that is killed instead of stopped leaves its files, one for our
network, which carries the instance's name, and one for the loopback interface, which carries only the sandbox's id.
Source: libcni's result cache (`<dir>/results/<network>-<container>-<interface>`).
"""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path("/var/lib/cni/results")


def remove_results(instance: str, directory: Path = DIRECTORY) -> None:
    """Forget the interfaces of all pods of an instance."""
    prefix, suffix = f"skerry-{instance}-", "-eth0"
    for file in list(directory.glob(f"{prefix}*{suffix}")):
        sandbox = file.name.removeprefix(prefix).removesuffix(suffix)
        (directory / f"cni-loopback-{sandbox}-lo").unlink(missing_ok=True)
        file.unlink(missing_ok=True)
