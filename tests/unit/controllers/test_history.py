"""Revisions: what they hold, which one stands for today, which ones go."""

from __future__ import annotations

import orjson

from skerry.engine.controllers.history.revisions import (
    build_revision,
    by_number,
    newest_equal,
    next_number,
    patch_of,
    surplus,
    template_of,
)
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.resources import STATEFUL_SETS

from .sets import revision, stateful_set

ONE, TWO = revision(stateful_set(image="one"), 1), revision(stateful_set(image="two"), 2)


def test_the_data_is_a_sorted_patch_that_puts_the_template_back() -> None:
    owner = stateful_set(image="one")
    patch = patch_of(owner)
    assert orjson.dumps(patch) == orjson.dumps(patch, option=orjson.OPT_SORT_KEYS), "kubectl compares bytes"
    assert patch["spec"]["template"]["$patch"] == "replace"
    assert template_of(ONE, stateful_set(image="two")) == owner["spec"]["template"]


def test_a_revision_without_a_template_changes_nothing() -> None:
    owner = stateful_set()
    for data in (None, {}, {"spec": {}}, {"spec": {"template": "x"}}):
        assert template_of({"data": data}, owner) == owner["spec"]["template"]


def test_names_labels_and_annotations() -> None:
    owner = stateful_set()
    owner["metadata"]["annotations"] = {"kubernetes.io/change-cause": "x"}
    made = build_revision(owner, STATEFUL_SETS, "hash", 3, 0)
    assert name_of(made) == f"web-{labels_of(made)['hash']}"
    assert labels_of(made)["app"] == "web"
    assert made["metadata"]["annotations"] == {"kubernetes.io/change-cause": "x"}
    assert made["revision"] == 3
    again = build_revision(owner, STATEFUL_SETS, "hash", 4, 1)
    assert name_of(again) != name_of(made), "a collision gives another name"
    owner["metadata"]["name"] = "x" * 250
    assert len(name_of(build_revision(owner, STATEFUL_SETS, "hash", 1, 0))) == 234


def test_order_and_numbers() -> None:
    assert by_number([TWO, ONE]) == [ONE, TWO]
    assert next_number([ONE, TWO]) == 3
    assert next_number([]) == 1
    doubled = {**ONE, "revision": 5}
    assert newest_equal([ONE, TWO, doubled], ONE["data"]) is doubled
    assert newest_equal([TWO], ONE["data"]) is None


def test_what_goes() -> None:
    def named(name: str) -> Obj:
        return {"metadata": {"name": name}}

    all_ = [named(name) for name in "abcd"]
    assert [name_of(one) for one in surplus(all_, {"a", "d"}, 1)] == ["b"]
    assert [name_of(one) for one in surplus(all_, {"a"}, 9)] == ["b", "c", "d"]
    assert surplus(all_, set(), 0) == surplus(all_, set(), -3) == []
