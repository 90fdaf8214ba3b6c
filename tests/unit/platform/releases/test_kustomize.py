"""Overlays may read their own files, and nothing else."""

from __future__ import annotations

import pytest

from skerry.platform.releases.helm.program import Running
from skerry.platform.releases.problems import Unready
from skerry.platform.releases.sources import kustomize
from skerry.platform.releases.sources.charts import chart_of
from skerry.platform.releases.sources.kustomize import refusals
from skerry.platform.releases.sources.reading import path_of

PRINT = "/usr/bin/yes ääää | /usr/bin/head -c 4500000"
ELSEWHERE = (
    "resources: [https://web.example/a.yaml]",
    "resources: [github.com/a/b//c?ref=main]",
    "resources: [../../etc/passwd]",
    "resources: ['git@git.example:a/b']",
    "components: [http:///metadata]",
    "patches: [{path: 'HTTP://169.254.169.254/'}]",
    "patchesStrategicMerge: ['http:169.254.169.254/x']",
    "configMapGenerator: [{name: a, files: ['x=https://web.example/']}]",
    "openapi: {path: 'https://web.example/'}",
    "helmCharts: [{name: x}]",
    "generators: [nowhere.yaml]",
    "{",
)


@pytest.mark.parametrize("said", ELSEWHERE)
def test_what_is_elsewhere_is_refused(said: str) -> None:
    assert list(refusals({"kustomization.yaml": said, "a.yaml": ""}))


def test_own_files_and_directories_are_read() -> None:
    files = {
        "kustomization.yaml": "resources: [a.yaml, base]\ncommonAnnotations: {home: 'https://web.example'}",
        "base/kustomization.yaml": "resources: [../a.yaml, './b.yaml']",
        "base/b.yaml": "",
        "a.yaml": "",
    }
    assert list(refusals(files)) == []
    assert list(refusals({"a.yaml": ""})) == ["there is no kustomization.yaml among the files"]


async def test_what_is_too_large_is_refused_whatever_its_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it, without its beginning, would be as many letters as are allowed."""
    monkeypatch.setattr(kustomize, "_command", lambda folder: ["/bin/sh", "-c", f"cd {folder}; {PRINT}"])
    with pytest.raises(Unready, match="more than 4 MiB"):
        await kustomize.built([("kustomization.yaml", "resources: []")], Running())


async def test_programs_are_heard_to_their_end_and_not_held() -> None:
    outcome = await Running().run(["/bin/sh", "-c", "echo first; echo second; echo no >&2; exit 3"], {}, 7)
    assert (outcome.code, outcome.said, outcome.complained) == (3, "second\n", "no\n")


async def test_a_file_is_no_directory_at_the_same_time() -> None:
    files = [("kustomization.yaml", "resources: [a]"), ("a", ""), ("a/b.yaml", "")]
    with pytest.raises(Unready, match="cannot be a file"):
        await kustomize.built(files, Running())


def test_keys_lead_nowhere_else() -> None:
    assert path_of("base__a.yaml") == "base/a.yaml"
    for key in ("..__x", "a__..__b", "__etc__passwd", "a____b", "."):
        with pytest.raises(Unready, match="leads out of its directory"):
            path_of(key)


def test_charts_of_the_same_files_are_the_same() -> None:
    assert chart_of("a", "d", [("a.yaml", "x")]) == chart_of("a", "d", [("a.yaml", "x")])
