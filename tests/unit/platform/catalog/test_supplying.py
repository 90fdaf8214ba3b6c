"""What is taken of a repository for a release, and when upstream is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from skerry.kube.objects import Obj
from skerry.platform.base.upstreams import Files, Upstream, upstream_of
from skerry.platform.catalog.charts.facts import BadChart
from skerry.platform.catalog.supplying import files
from skerry.platform.catalog.supplying.due import seconds_left
from skerry.platform.catalog.supplying.files import manifests_in, overlay_in

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GIT = Upstream("Manifests", "https://git.example/a.git", is_git=True, ref="main")


def _tree(root: Path, written: dict[str, str | bytes]) -> Path:
    for path, content in written.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def test_an_overlay_is_what_its_kustomizations_name(tmp_path: Path) -> None:
    root = _tree(
        tmp_path / "tree",
        {
            "overlays/prod/kustomization.yaml": "resources: [../../base, own.yaml]\nconfigMapGenerator:\n"
            "- {name: a, files: [text=page.html, picture.png]}\npatches: [{path: ./patch.yaml}]\n",
            "overlays/prod/own.yaml": "a",
            "overlays/prod/page.html": "b",
            "overlays/prod/picture.png": b"\xff\xfe\x00",
            "overlays/prod/patch.yaml": "c",
            "overlays/prod/unnamed.yaml": "d",
            "overlays/test/kustomization.yaml": "resources: [../../base]",
            "base/kustomization.yml": "components: [../parts/x]",
            "parts/x/Kustomization": "kind: Component",
            ".git/config": "secret",
        },
    )
    found = overlay_in(root, root / "overlays/prod")
    assert found.at == "overlays/prod"
    assert sorted(found.texts) == [
        "base/kustomization.yml",
        "overlays/prod/kustomization.yaml",
        "overlays/prod/own.yaml",
        "overlays/prod/page.html",
        "overlays/prod/patch.yaml",
        "parts/x/Kustomization",
    ]
    assert Files.of(found.packed()) == found
    assert overlay_in(root, root).at == ""


def test_a_kustomization_leads_out_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("secret")
    many = "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]\n" for n in range(50))
    evil = [
        "../outside.yaml",
        "/etc/passwd",
        "link.yaml",
        "folder/outside.yaml",
        ".git/config",
        "..",
        '"\\0"',
        "a" * 300,
    ]
    root = _tree(
        tmp_path / "tree",
        {
            "kustomization.yaml": f"resources: [{', '.join(evil)}]\n",
            "x/kustomization.yaml": many,
            ".git/config": "token",
        },
    )
    (root / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "folder").symlink_to(tmp_path)
    assert list(overlay_in(root, root).texts) == ["kustomization.yaml"]
    assert list(overlay_in(root, root / "x").texts) == ["x/kustomization.yaml"], "aliases of aliases take no time"


def test_manifests_are_all_there_are_but_what_is_hidden(tmp_path: Path) -> None:
    written: dict[str, str | bytes] = {"a.yaml": "1", "b/c.json": "2", "README.md": "3", ".github/ci.yaml": "4"}
    root = _tree(tmp_path / "tree", written)
    assert manifests_in(root).texts == {"a.yaml": "1", "b/c.json": "2"}
    (root / "loop").symlink_to(root)
    assert sorted(manifests_in(root).texts) == ["a.yaml", "b/c.json"]
    (root / "z.yaml").symlink_to("/etc/passwd")
    with pytest.raises(BadChart, match="links are not followed"):
        manifests_in(root)
    empty = _tree(root / "empty", {"x": ""})
    with pytest.raises(BadChart, match="there is no manifest"):
        manifests_in(empty)


def test_there_is_an_end_to_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _tree(tmp_path, {"a.yaml": "1", "b.yaml": "2", "c.yaml": "3"})
    monkeypatch.setattr(files, "_MOST", 2)
    with pytest.raises(BadChart, match="more than 2 files"):
        manifests_in(root)
    monkeypatch.setattr(files, "LARGEST_UNPACKED", 2)
    with pytest.raises(BadChart, match="too large"):
        manifests_in(root)


def _release(looked: str = "2026-11-23T11:58:00Z", status: str = "True", **more: str) -> Obj:
    source = {"asked": "", "looked": looked, **more}
    return {
        "metadata": {},
        "spec": {"refreshMinutes": 3},
        "status": {"source": source, "conditions": [{"type": "Fetched", "status": status}]},
    }


def test_upstream_is_looked_at_again_in_time() -> None:
    assert seconds_left(_release(), GIT, NOW) == 60.0
    assert seconds_left(_release("2026-11-23T11:00:00Z"), GIT, NOW) == 0.0
    assert seconds_left(_release(status="False"), GIT, NOW) == 0.0
    assert seconds_left(_release(asked="again"), GIT, NOW) == 0.0
    fixed = Upstream("Chart", "oci://registry.example/web", digest="0" * 64)
    assert seconds_left(_release(), fixed, NOW) is None
    assert Upstream("Chart", "https://git.example/a", is_git=True, ref="a" * 40).is_fixed


def test_what_a_release_means_is_another_thing_with_every_word_of_it() -> None:
    git = {"url": "https://git.example/a", "ref": "main", "path": "x", "secret": "s"}
    meant = [upstream_of({"source": {"type": "Chart", "git": {**git, word: "other"}}}) for word in git]
    meant += [upstream_of({"source": {"type": one, "git": git}}) for one in ("Chart", "Kustomize")]
    chart = {"url": "oci://r.example/web", "version": "1", "digest": "sha256:" + "0" * 64, "secret": "s"}
    meant += [upstream_of({"chart": chart}), upstream_of({"chart": {**chart, "version": "2"}})]
    assert len({one.key for one in meant if one}) == len(meant) == 8
    for spec in ({"chart": {"name": "web", "url": ""}}, {"source": {"type": "Manifests", "configMap": "a"}}, {}):
        assert upstream_of(spec) is None
