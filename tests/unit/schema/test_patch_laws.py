"""Laws that patches keep whatever they are given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.schema import codec
from skerry.engine.schema.patch import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, apply_patch
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, copy_of

from .objects import CORE, pod

PODS, CONFIG_MAPS = CORE["pods"], CORE["configmaps"]
KEYS = st.sampled_from("abcdef")
SCALARS = st.booleans() | st.integers(-100, 100) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
WITH_NULLS = st.recursive(
    SCALARS | st.none(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=12,
)
PATCHES = st.dictionaries(KEYS, WITH_NULLS, max_size=5)


def merge(original: Obj, patch: Obj) -> Obj:
    return apply_patch(CONFIG_MAPS, MERGE_PATCH, original, orjson.dumps(patch))


def difference(old: Obj, new: Obj) -> Obj:
    """A merge patch from `old` to `new` (which hold no nulls)."""
    patch: Obj = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            patch[key] = difference(old[key], value)
        elif key not in old or old[key] != value or type(old[key]) is not type(value):
            patch[key] = value
    return patch


@given(OBJECTS, OBJECTS)
def test_difference_then_merge_round_trips(old: Obj, new: Obj) -> None:
    assert merge(old, difference(old, new)) == new


@given(OBJECTS)
def test_the_empty_patch_changes_nothing(obj: Obj) -> None:
    assert merge(obj, {}) == obj


@given(OBJECTS, PATCHES)
def test_merging_twice_is_merging_once(obj: Obj, patch: Obj) -> None:
    once = merge(obj, patch)
    assert merge(once, patch) == once


@given(OBJECTS, PATCHES)
def test_untouched_keys_stay(obj: Obj, patch: Obj) -> None:
    result = merge(obj, patch)
    assert {key: result.get(key) for key in obj.keys() - patch.keys()} == {
        key: obj[key] for key in obj.keys() - patch.keys()
    }
    assert not [key for key, value in patch.items() if value is None and key in result]


NAMES = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), unique=True)


def named(names: list[str], image: str) -> list[Obj]:
    return [{"name": name, "image": image} for name in names]


@given(NAMES, NAMES, st.lists(st.sampled_from("abcdefxy")), st.lists(st.sampled_from("abcdef"), max_size=2))
def test_ordering_neither_loses_nor_repeats_elements(
    live: list[str], patched: list[str], order: list[str], deleted: list[str]
) -> None:
    containers = named(patched, "new") + [{"name": name, "$patch": "delete"} for name in deleted if name not in patched]
    patch = {"spec": {"containers": containers, "$setElementOrder/containers": [{"name": name} for name in order]}}
    body = orjson.dumps(patch)
    result = apply_patch(PODS, STRATEGIC_PATCH, {"spec": {"containers": named(live, "old")}}, body)["spec"][
        "containers"
    ]
    found = [container["name"] for container in result]
    gone = {name for name in deleted if name not in patched}
    assert sorted(found) == sorted((set(live) | set(patched)) - gone)
    ranked = [name for name in dict.fromkeys(order) if name in found]
    assert [name for name in found if name in order] == ranked, "named elements come in the order named"
    rest = [name for name in live if name in found and name not in order]
    assert [name for name in found if name in live and name not in order] == rest, "others keep their order"
    assert {c["name"] for c in result if c["image"] == "new"} == set(patched)


@given(NAMES, NAMES)
def test_strategic_patches_settle(live: list[str], patched: list[str]) -> None:
    body = orjson.dumps({"spec": {"containers": named(patched, "new")}})
    once = apply_patch(PODS, STRATEGIC_PATCH, {"spec": {"containers": named(live, "old")}}, body)
    assert apply_patch(PODS, STRATEGIC_PATCH, once, body) == once


WORDS = st.sampled_from(
    [
        "spec", "metadata", "containers", "name", "image", "finalizers", "labels", "$patch", "$retainKeys", "volumes",
        "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "tolerations", "$setElementOrder/nope",
        "replace", "delete", "merge", "main", "", "ports", "containerPort",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | SCALARS | WORDS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(WORDS | st.text(max_size=2), inside, max_size=4),
    max_leaves=15,
)
POINTERS = st.lists(WORDS | st.integers(-1, 3).map(str) | st.just("-"), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "?"])},
        optional={"path": POINTERS | st.text(max_size=3), "from": POINTERS, "value": ANYTHING},
    ),
    max_size=5,
)


@contextlib.contextmanager
def refusal_allowed() -> Iterator[None]:
    """The client may be told off, but with nothing else than a 4xx Status."""
    try:
        yield
    except StatusError as error:
        if not 400 <= error.code < 500:
            raise


def survives(media_type: str, patch: Any) -> None:
    original = pod(tolerations=[{"key": "a"}])
    original["metadata"]["finalizers"] = ["a/b"]
    before = copy_of(original)
    with refusal_allowed():
        result = apply_patch(PODS, media_type, original, orjson.dumps(patch))
        obj, _ = codec.check(PODS, result)
        orjson.dumps(obj)
    assert original == before


@settings(max_examples=300)
@given(ANYTHING)
def test_any_merge_or_strategic_patch_is_applied_or_refused(patch: Any) -> None:
    survives(STRATEGIC_PATCH, patch)
    survives(MERGE_PATCH, patch)


@settings(max_examples=300)
@given(OPERATIONS | ANYTHING)
def test_any_json_patch_is_applied_or_refused(patch: Any) -> None:
    survives(JSON_PATCH, patch)


@given(st.binary(max_size=50))
def test_bytes_that_are_no_patch(body: bytes) -> None:
    for media_type in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        with refusal_allowed():
            apply_patch(PODS, media_type, pod(), body)
