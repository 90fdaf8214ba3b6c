"""Real bodies made wrong, of every built-in kind, through every verb that has one: no failure, no hang, no growth."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.registry import builtin
from tests.component.fuzz.mutations import mutated
from tests.component.fuzz.victim import EXAMPLES, FUZZ, Victim
from tests.support.samples import sample

KINDS = [kind for kind in builtin().kinds() if {"list", "create"} <= {*kind.verbs}]
PATCHES = ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"]
BODIES = hypothesis.settings(FUZZ, max_examples=15 * EXAMPLES)
pytestmark = [
    pytest.mark.timeout(300 + 30 * EXAMPLES),
    # The server's thread draws random numbers while examples are made; Hypothesis takes them for the strategy's own.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.resource.group_resource}-{kind.resource.version}")
def test_wrong_bodies_are_refused_in_order(victim: Victim, kind: Kind) -> None:
    collection = kind.resource.path("default" if kind.resource.namespaced else None)
    obj = whole(kind)
    victim.send("POST", collection, body=obj)
    one = f"{collection}/{obj['metadata']['name']}"
    current = victim.get(one)
    targets = [one, f"{one}/status"] if "status" in kind.subresources else [one]

    @BODIES
    @hypothesis.given(body=mutated(obj))
    def create(body: Any) -> None:
        victim.send("POST", f"{collection}?dryRun=All", body=body)

    @BODIES
    @hypothesis.given(body=mutated(current), target=st.sampled_from(targets))
    def update(body: Any, target: str) -> None:
        victim.send("PUT", f"{target}?dryRun=All", body=body)

    @BODIES
    @hypothesis.given(body=mutated(obj), target=st.sampled_from(targets), media=st.sampled_from(PATCHES))
    def patch(body: Any, target: str, media: str) -> None:
        manager = "&fieldManager=fuzz" if "apply" in media else ""
        victim.send("PATCH", f"{target}?dryRun=All{manager}", body=body, media=media)

    for attack in (create, update, patch):
        attack()


def whole(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind.resource.kind,
        "apiVersion": kind.resource.api_version,
        **sample(kind.resource.group_resource, "victim"),
    }


@pytest.mark.parametrize("kind", KINDS[:4] + KINDS[-4:], ids=lambda kind: kind.resource.group_resource)
def test_json_patches_of_any_form(victim: Victim, kind: Kind) -> None:
    collection = kind.resource.path("default" if kind.resource.namespaced else None)
    victim.send("POST", collection, body=whole(kind))
    one = f"{collection}/{whole(kind)['metadata']['name']}?dryRun=All"
    valid = [
        {"op": "test", "path": "/metadata/name", "value": "victim"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
        {"op": "copy", "from": "/metadata", "path": "/spec"},
        {"op": "move", "from": "/metadata/labels", "path": "/metadata/annotations"},
        {"op": "remove", "path": "/metadata/uid"},
    ]

    @BODIES
    @hypothesis.given(body=mutated(valid))
    def attack(body: Any) -> None:
        victim.send("PATCH", one, body=body, media="application/json-patch+json")

    attack()


def test_it_has_not_grown(victim: Victim) -> None:
    """A round of the same rubbish over and over leaves no descriptor and hardly any memory behind."""
    rubbish = [kind.resource.path("default" if kind.resource.namespaced else None) for kind in KINDS]

    def round_of_rubbish() -> None:
        for path in rubbish:
            victim.send("POST", path, body={"metadata": {"name": 1}, "spec": "x", "status": []})
            victim.send("POST", path, body=b'{"a": [')
            victim.send("GET", f"{path}/%FF?watch=1")
            victim.send("GET", f"{path}?limit=1&continue=x&labelSelector=%28")

    for _ in range(3):
        round_of_rubbish()
    descriptors, memory = len(os.listdir("/proc/self/fd")), resident()
    for _ in range(10):
        round_of_rubbish()
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2
    assert resident() - memory < 8 << 20


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
