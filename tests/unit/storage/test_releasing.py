"""Which released volumes are deleted, and which finalizers they have."""

from __future__ import annotations

import pytest

from skerry.engine.storage.provisioning.names import FINALIZER
from skerry.engine.storage.provisioning.releasing import Step, next_step
from skerry.kube.objects import Obj


def volume(policy: str, phase: str, *, held: bool = True, going: bool = False) -> Obj:
    metadata: Obj = {"name": "pv", "finalizers": [FINALIZER] if held else []}
    if going:
        metadata["deletionTimestamp"] = "2026-11-22T10:00:00Z"
    return {"metadata": metadata, "spec": {"persistentVolumeReclaimPolicy": policy}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (volume("Delete", "Bound"), Step.NOTHING),
        (volume("Delete", "Bound", held=False), Step.HOLD),
        (volume("Delete", "Released"), Step.DELETE),
        (volume("Delete", "Failed"), Step.DELETE),
        (volume("Delete", "Released", held=False), Step.DELETE),
        (volume("Delete", "Bound", going=True), Step.NOTHING),
        (volume("Delete", "Released", going=True), Step.DELETE),
        (volume("Delete", "Released", held=False, going=True), Step.NOTHING),
        (volume("Retain", "Released"), Step.LET_GO),
        (volume("Retain", "Released", held=False), Step.NOTHING),
        (volume("Retain", "Bound", going=True), Step.LET_GO),
    ],
)
def test_what_is_next(obj: Obj, expected: Step) -> None:
    assert next_step(obj) is expected
