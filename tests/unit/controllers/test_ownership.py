"""Adoption and release, and the memory of what was written."""

from __future__ import annotations

from skerry.engine.controllers.ownership import by_plain_selector, by_selector, claim, matcher
from skerry.engine.controllers.writing import Written
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PODS

from ..kube.fake_client import FakeClient
from .builders import pod, replica_set

WEB = by_selector({"spec": {"selector": {"matchLabels": {"app": "web"}}}})


def names(objs: list[Obj]) -> list[str]:
    return [name_of(obj) for obj in objs]


def test_matching_ones_are_owned_others_released_and_orphans_adopted() -> None:
    controlled = [pod("mine", labels={"app": "web"}), pod("strayed", labels={"app": "other"})]
    orphans = [
        pod("orphan", labels={"app": "web"}),
        pod("stranger", labels={"app": "other"}),
        pod("leaving", labels={"app": "web"}, deleting=True),
    ]
    decided = claim(replica_set("web", 1), WEB, controlled, orphans)
    assert names(decided.owned) == ["mine"]
    assert names(decided.adopt) == ["orphan"]
    assert names(decided.release) == ["strayed"]


def test_an_owner_on_its_way_out_changes_nothing() -> None:
    owner = replica_set("web", 1)
    owner["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    decided = claim(owner, WEB, [pod("strayed", labels={})], [pod("orphan", labels={"app": "web"})])
    assert (decided.owned, decided.adopt, decided.release) == ([], [], [])


def test_a_cache_lags_until_it_reflects_the_newest_write() -> None:
    cache = Informer(FakeClient(), PODS)
    written = Written(cache)
    assert written.seen("k")
    written.note("k", {"metadata": {"resourceVersion": "7"}})
    written.note("k", {"metadata": {"resourceVersion": "5"}})
    written.note("k", {"kind": "Status", "metadata": {}})
    cache.revision = 6
    assert not written.seen("k")
    assert written.seen("other")
    cache.revision = 7
    assert written.seen("k")


def test_expressions_match_too() -> None:
    matches = matcher({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]})
    assert matches({"app": "web", "tier": "x"})
    assert not matches({"app": "web"})


def test_a_plain_selector_that_is_empty_selects_nothing() -> None:
    assert by_plain_selector({"spec": {"selector": {"app": "web"}}})(pod("a", labels={"app": "web", "x": "y"}))
    assert not by_plain_selector({"spec": {"selector": {"app": "web"}}})(pod("a", labels={"app": "other"}))
    assert not by_plain_selector({"spec": {}})(pod("a", labels={"app": "web"}))
