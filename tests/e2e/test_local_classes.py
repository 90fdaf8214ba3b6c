"""Classes of this machine's own storage, by the pages of the documentation: on disk, in memory, data that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

_PAGES = Path(__file__).parents[2] / "docs" / "resources"
_CLASSES = ("many-small-files", "scratch", "era5")


def _examples(page: str) -> str:
    text = (_PAGES / page).read_text().replace("image: busybox", "image: busybox:test")
    return "\n---\n".join(re.findall(r"```yaml\n(.*?)```", text, re.S))


@pytest.fixture(autouse=True)
def _classes_gone(program: Program) -> Iterator[None]:
    yield
    program.kubectl("delete", "storageclass", "--ignore-not-found", *_CLASSES)


def test_the_examples_of_local_memory_and_datasets_run(program: Program, namespace: str, tmp_path: Path) -> None:
    def kubectl(*words: str, stdin: str = "") -> str:
        return program.kubectl("-n", namespace, *words, stdin=stdin).stdout

    data = tmp_path / "era5"
    data.mkdir()
    (data / "1979.txt").write_text("westerly\n")
    kubectl("apply", "-f", "-", stdin=_examples("storageclass-local.md"))
    kubectl("apply", "-f", "-", stdin=_examples("storageclass-dataset.md").replace("/srv/datasets/era5", str(data)))

    for pod in ("indexer", "reader"):
        eventually(
            lambda pod=pod: kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase}") == "Succeeded", f"{pod} ended"
        )
    sizes = [int(line.split()[1]) / 1024 for line in kubectl("logs", "indexer").splitlines()[1:]]
    assert 128 <= sizes[0] < 150
    assert sizes[1] == 64
    said = kubectl("logs", "reader").splitlines()  # what went to the two streams comes in any order
    assert sorted(said) == ["touch: /era5/new: Read-only file system", "westerly"]
    volume = kubectl("get", "pvc", "era5", "-o", "jsonpath={.spec.volumeName}")
    node = program.get("pv", volume)["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"]
    assert [one["key"] for one in node] == ["kubernetes.io/hostname"]

    kubectl("delete", "pod,pvc", "--all", WITHIN)
    eventually(lambda: volume not in program.kubectl("get", "pv").stdout, "the volume is gone")
    assert (data / "1979.txt").read_text() == "westerly\n"
