"""Check "images": whether nodes have them, or a registry does.

A pod whose image nobody has waits for ever, and says so only in its events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.checking.facts import Facts
from skerry.checking.pods import pods_of
from skerry.checking.report import Finding, Severity, title
from skerry.kube.image_names import full_name, short_name
from skerry.kube.objects import Obj

_LOCAL = "skerry.local/"
"""Images of this name are built and loaded, no registry has them."""


def images(objects: Sequence[Obj], facts: Facts) -> Iterator[Finding]:
    """Images that are not where pods look for them."""
    for obj in objects:
        for path, image, policy in named(obj):
            try:
                full = full_name(image)
            except ValueError as error:
                yield Finding("Error", "images", title(obj), path, str(error))
                continue
            if said := _judged(full, policy, facts):
                severity, message, todo = said
                yield Finding(severity, "images", title(obj), path, message, todo)


def named(obj: Obj) -> Iterator[tuple[str, str, str]]:
    """Path, image and pull policy of each container of an object's pods."""
    pods = pods_of(obj)
    for path, container in pods.containers() if pods else ():
        if isinstance(container.get("image"), str) and container["image"]:
            yield f"{path}.image", container["image"], str(container.get("imagePullPolicy") or "")


def _judged(full: str, policy: str, facts: Facts) -> tuple[Severity, str, str] | None:
    short, there = short_name(full), facts.images
    if there is not None and full in there.names and policy != "Always":
        return None
    is_local = full.startswith(_LOCAL) or policy == "Never"
    if there is not None and is_local and full not in there.names:
        severity: Severity = "Error" if there.complete else "Warning"
        load = f"skerry image build -t {short} DIRECTORY, or skerry image load ARCHIVE"
        return severity, f"no node has the image {short}, and it is not pulled from anywhere", load
    if full in facts.registries:
        why = facts.registries[full]
        return (
            ("Error", f"the image {short} cannot be pulled: {why}", "is the name right, and the tag?") if why else None
        )
    if there is None or is_local:
        return "Info", f"whether the image {short} exists was not looked at", ""
    return "Info", f"no node has the image {short} yet; its registry was not asked", ""
