"""Files of volumes, written atomically."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine import file_groups
from skerry.engine.node.errors import VolumeError
from skerry.engine.node.spec.downward import NodeFacts, PodFacts
from skerry.engine.node.volumes import atomic, host_path
from skerry.engine.node.volumes.atomic import ProjectedFile
from skerry.engine.node.volumes.projection import Known, payload_of, references
from skerry.kube.objects import Obj
from tests.unit.node.views import pod

FACTS = PodFacts(pod(), NodeFacts("n", ("1.2.3.4",), {}))
SETTINGS: Obj = {"data": {"a": "1", "b": "2"}, "binaryData": {"c": "AAE="}}


def files(volume: Obj, **objects: Obj | None) -> dict[str, tuple[bytes, int]]:
    known = Known(FACTS, {("ConfigMap", name): obj for name, obj in objects.items()})
    return {path: (file.data, file.mode) for path, file in payload_of(volume, known).items()}


def test_config_map() -> None:
    volume = {"configMap": {"name": "s", "defaultMode": 0o600}}
    assert references(volume) == {("ConfigMap", "s")}
    assert files(volume, s=SETTINGS) == {"a": (b"1", 0o600), "b": (b"2", 0o600), "c": (b"\0\1", 0o600)}


def test_items_and_modes() -> None:
    items = [{"key": "a", "path": "x/y", "mode": 0o400}]
    assert files({"configMap": {"name": "s", "items": items}}, s=SETTINGS) == {"x/y": (b"1", 0o400)}
    missing = {"configMap": {"name": "s", "items": [{"key": "no", "path": "p"}]}}
    with pytest.raises(VolumeError, match="references non-existent configmap key: no"):
        files(missing, s=SETTINGS)
    missing["configMap"]["optional"] = True
    assert files(missing, s=SETTINGS) == {}


def test_absent_objects() -> None:
    with pytest.raises(VolumeError, match='configmap "s" not found'):
        files({"configMap": {"name": "s"}}, s=None)
    assert files({"configMap": {"name": "s", "optional": True}}, s=None) == {}


def test_projected_joins_sources_and_refuses_unknown_ones() -> None:
    field = {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}}
    sources = [{"configMap": {"name": "s", "items": [{"key": "a", "path": "a"}]}}, field]
    assert files({"projected": {"sources": sources}}, s=SETTINGS) == {"a": (b"1", 0o644), "name": (b"web", 0o644)}
    with pytest.raises(VolumeError, match="not supported: clusterTrustBundle"):
        files({"projected": {"sources": [{"clusterTrustBundle": {"path": "ca"}}]}})


def read(directory: Path) -> dict[str, bytes]:
    """What a container sees: no names that begin with two dots."""
    found = {}
    for top in (entry for entry in os.listdir(directory) if not entry.startswith("..")):
        path = directory / top
        for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
            found[str(file.relative_to(directory))] = file.read_bytes()
    return found


def payload(content: dict[str, bytes]) -> dict[str, ProjectedFile]:
    return {path: ProjectedFile(data, 0o644) for path, data in content.items()}


def test_unchanged_files_are_not_written_again(tmp_path: Path) -> None:
    assert atomic.write(tmp_path, payload({"a": b"1"}))
    version = os.readlink(tmp_path / "..data")
    assert not atomic.write(tmp_path, payload({"a": b"1"}))
    assert os.readlink(tmp_path / "..data") == version
    assert atomic.write(tmp_path, {"a": ProjectedFile(b"1", 0o400)})


@pytest.mark.parametrize("path", ["/abs", "../up", "a/../../b", "..data", "", "..x/y"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    with pytest.raises(VolumeError, match="invalid path"):
        atomic.write(tmp_path, payload({path: b""}))


CONTENTS = st.dictionaries(st.sampled_from(["a", "b", "d/x", "d/y", "e/f/g"]), st.binary(max_size=8), max_size=5)


@given(st.lists(CONTENTS, min_size=1, max_size=4))
def test_directory_always_holds_exactly_the_last_payload(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, bytes]]
) -> None:
    directory = tmp_path_factory.mktemp("volume")
    for content in steps:
        atomic.write(directory, payload(content))
        assert read(directory) == content
        assert len([name for name in os.listdir(directory) if name.startswith("..2")]) == 1


def test_host_paths(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert host_path.set_up({"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"}).is_dir()
    assert host_path.set_up({"path": str(tmp_path / "file"), "type": "File"}).is_file()
    assert host_path.set_up({"path": "/does/not/exist"}) == Path("/does/not/exist")
    with pytest.raises(VolumeError, match="is not a directory"):
        host_path.set_up({"path": str(tmp_path / "file"), "type": "Directory"})
    with pytest.raises(VolumeError, match="unknown hostPath type"):
        host_path.set_up({"path": "/", "type": "Folder"})
    with pytest.raises(VolumeError, match="must be absolute"):
        host_path.set_up({"path": "/a/../b"})


def test_directories_nested_too_deeply_for_a_group_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a/b").mkdir(parents=True)

    def deep(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(os, "fwalk", deep)
    with pytest.raises(OSError, match="nested too deeply"):
        file_groups.give_to_group(tmp_path, os.getgid())
