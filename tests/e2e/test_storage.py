"""A volume's life on the whole engine, by the pages of the documentation: claimed, expanded, cloned, snapshotted,
restored, deleted."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

_PAGES = Path(__file__).parents[2] / "docs" / "resources"


def _examples(page: str) -> list[str]:
    """What a page has in YAML, with an image that is there."""
    text = (_PAGES / page).read_text()
    return [
        each.replace("image: busybox", "image: busybox:test") for each in re.findall(r"```yaml\n(.*?)```", text, re.S)
    ]


def test_a_volume_is_claimed_grows_and_is_copied_and_nothing_is_left(program: Program, namespace: str) -> None:
    def kubectl(*words: str, stdin: str = "") -> str:
        return program.kubectl("-n", namespace, *words, stdin=stdin).stdout

    def field(kind: str, name: str, path: str) -> str:
        return kubectl("get", kind, name, "-o", f"jsonpath={{{path}}}")

    def apply(manifest: str) -> None:
        kubectl("apply", "-f", "-", stdin=manifest)

    def ends_well(pod: str) -> bool:
        return field("pod", pod, ".status.phase") == "Succeeded"

    claim, copy, scratch = _examples("persistentvolumeclaim.md")
    snapshot, restored, kept = _examples("volumesnapshot.md")
    apply(claim)
    kubectl("wait", "pod/writer", "--for=condition=Ready", WITHIN)
    assert field("pvc", "data", ".status.phase") == "Bound"
    eventually(lambda: kubectl("exec", "writer", "--", "cat", "/data/result") == "42\n", "written")

    kubectl("patch", "pvc", "data", "--patch", '{"spec": {"resources": {"requests": {"storage": "96Mi"}}}}')
    eventually(lambda: field("pvc", "data", ".status.capacity.storage") == "96Mi", "grown")
    kubectl("exec", "writer", "--", "busybox", "sync")

    apply(snapshot)
    eventually(lambda: field("volumesnapshot", "monday", ".status.readyToUse") == "true", "snapshot ready")
    apply(restored)
    apply(copy)
    apply(scratch)
    for pod in ("restored-reader", "copy-reader"):
        eventually(lambda pod=pod: ends_well(pod), f"{pod} ended well")
        assert kubectl("logs", pod) == "42\n"
    eventually(lambda: ends_well("scratch"), "scratch ended well")
    assert "8192\t/scratch/file" in kubectl("logs", "scratch")
    apply(kept)
    kubectl("delete", "volumesnapshotclass", "kept")

    volumes = kubectl("get", "pvc", "-o", "jsonpath={.items[*].spec.volumeName}").split()
    assert len(volumes) == 4
    kubectl("delete", "pod,volumesnapshot,pvc", "--all", WITHIN)
    eventually(lambda: not set(volumes) & set(_names(program, "pv")), "volumes gone")
    eventually(lambda: _names(program, "volumesnapshotcontent") == [], "contents of snapshots gone")
    storage = program.data_dir / "storage"

    def found() -> list[str]:
        return [str(path) for path in storage.rglob("*") if any(volume in path.name for volume in volumes)]

    eventually(lambda: found() == [], "files gone")


def _names(program: Program, kind: str) -> list[str]:
    return program.kubectl("get", kind, "-o", "jsonpath={.items[*].metadata.name}").stdout.split()
