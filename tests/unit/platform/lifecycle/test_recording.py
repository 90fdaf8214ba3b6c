"""Who changed a project, in words, by an annotation that only admission writes."""

from __future__ import annotations

from typing import Any

import orjson

from skerry.kube.objects import Obj
from skerry.platform.base.admission import Review
from skerry.platform.base.capability import Context, Settings
from skerry.platform.projects.lifecycle.recording import changes, noted, recording_hook, unrecorded
from skerry.platform.projects.types import CHANGES
from tests.support.clock import SetClock

NOTHING: Any = None


def context() -> Context:
    return Context(NOTHING, NOTHING, NOTHING, SetClock(), Settings())


def project(annotation: str | None = None, **spec: Any) -> Obj:
    metadata: Obj = {"name": "lidar"} | ({"annotations": {CHANGES: annotation}} if annotation is not None else {})
    return {"metadata": metadata, "spec": spec}


async def patched(old: Obj, new: Obj, user: str = "anna") -> list[Any]:
    operation: Any = "UPDATE" if old else "CREATE"
    review = Review(
        "u", operation, "skerry.dev", "v1alpha1", "projects", "", "", "lidar", user, frozenset(), new, old, False
    )
    return list((await recording_hook(context()).judge(review)).patch)


def test_changes_in_words() -> None:
    before = {"tier": "free", "members": [{"user": "ben", "role": "viewer"}], "overrides": {"quota": {"pods": "3"}}}
    after = {"tier": "gold", "members": [{"group": "g", "role": "editor"}], "overrides": {"quota": {"pods": "5"}}}
    assert list(changes(before, after)) == [
        "members +g (editor)",
        "members -ben (viewer)",
        "quota.pods: 3 -> 5",
        "tier: free -> gold",
    ]
    assert list(changes({}, {"state": "Hibernated"})) == ["state: none -> Hibernated"]
    assert list(changes(after, after)) == []


async def test_nobody_writes_what_others_did() -> None:
    (_, added) = await patched({}, project(tier="free"))
    (line,) = orjson.loads(added["value"])
    assert (line["what"], line["by"]) == ("made", "anna")
    kept = added["value"]
    assert await patched(project(kept, tier="free"), project(kept, tier="free")) == []
    forged = project('[{"what": "made", "by": "eve"}]', tier="free")
    assert await patched(project(kept, tier="free"), forged) == [{**added}]
    (gone,) = await patched(project(tier="free"), forged)
    assert gone["op"] == "remove"
    (more,) = await patched(project(kept, tier="free"), project(kept, tier="gold"), user="ben")
    assert [(one["what"], one["by"]) for one in orjson.loads(more["value"])] == [
        ("made", "anna"),
        ("tier: free -> gold", "ben"),
    ]
    assert (
        await patched(
            project(kept, tier="free"), project(kept, tier="x"), "system:serviceaccount:skerry-system:projects"
        )
        == []
    )


def test_what_the_history_has_is_not_told_again() -> None:
    lines = [{"time": "t", "what": "made", "by": "anna"}, {"time": "u", "what": "tier", "by": "ben"}]
    there = {**project(orjson.dumps(lines).decode()), "status": {"history": lines[:1]}}
    assert unrecorded(there) == lines[1:]
    assert noted("{") == noted('{"a": 1}') == noted(None) == []
