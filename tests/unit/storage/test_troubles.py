"""Who is told when a mounted volume stops working by itself."""

from __future__ import annotations

from typing import Any

from skerry.engine.storage.troubles import Troubles
from skerry.kube.objects import Obj
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS

_CLAIMS = {"pvc": {"persistentVolumeClaim": {"claimName": "notes"}}, "own": {"ephemeral": {}}, "none": {"emptyDir": {}}}


class _Known:
    """Caches, and the recorder: what was said about whom."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._objects: dict[Any, list[Obj]] = {
            PERSISTENT_VOLUMES: [
                _volume("here", "notes"),
                _volume("here-too", "other"),
                _volume("here", "", "x.example"),
            ],
            PERSISTENT_VOLUME_CLAIMS: [{"metadata": {"name": "notes", "namespace": "lab"}}],
            PODS: [_pod("user", "pvc"), _pod("idle", "none"), _pod("notes-maker", "own")],
        }

    def of(self, resource: Any) -> Any:
        return _Lister(self._objects[resource])

    def named(self, _: str) -> _Known:
        return self

    def event(self, obj: Obj, kind: str, reason: str, message: str) -> None:
        assert (kind, reason) == ("Warning", "VolumeConditionAbnormal")
        self.said.append((obj["metadata"]["name"], message))


class _Lister:
    def __init__(self, objects: list[Obj]) -> None:
        self._objects = objects

    def list(self, namespace: str | None = None) -> list[Obj]:
        return [one for one in self._objects if namespace in (None, one["metadata"].get("namespace"))]

    def get(self, name: str, namespace: str) -> Obj | None:
        return next((one for one in self.list(namespace) if one["metadata"]["name"] == name), None)


def _volume(handle: str, claim: str, driver: str = "s3.storage.skerry.dev") -> Obj:
    reference = {"claimRef": {"name": claim, "namespace": "lab"}} if claim else {}
    return {"metadata": {}, "spec": {"csi": {"driver": driver, "volumeHandle": handle}, **reference}}


def _pod(name: str, volume: str) -> Obj:
    spec = {"volumes": [{"name": volume, **_CLAIMS[volume]}]}
    return {"metadata": {"name": name, "namespace": "lab"}, "spec": spec}


def test_the_claim_and_the_pods_that_use_it_are_told() -> None:
    known: Any = _Known()
    Troubles(known, known).tell("s3.storage.skerry.dev", "here", "it is gone")
    assert known.said == [("notes", "it is gone"), ("user", 'Volume "pvc": it is gone')]


def test_nobody_is_told_of_a_volume_that_is_nobodys() -> None:
    known: Any = _Known()
    Troubles(known, known).tell("s3.storage.skerry.dev", "elsewhere", "it is gone")
    Troubles(known, known).tell("x.example", "here", "it is gone")
    assert known.said == []
