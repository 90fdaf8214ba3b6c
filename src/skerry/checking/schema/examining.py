"""What is wrong with objects by themselves, before anything is known of a cluster.

Every other check relies on it: they are given only objects that are `sound`, shaped as their kinds say, so that they
need not look twice at what somebody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from skerry.checking.schema.schemas import METADATA, Schema, built_in
from skerry.checking.schema.validating import Problem, problems
from skerry.kube.objects import Obj
from skerry.kube.records import record

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMED_FREELY = "rbac.authorization.k8s.io"
_LONGEST_NAME = 253
_MOST_ANNOTATIONS = 256 * 1024
_METADATA_ONLY = Schema({
    "type": "object",
    "properties": {"metadata": {"$ref": f"#/$defs/{METADATA}"}},
    "x-kubernetes-preserve-unknown-fields": True,
})  # fmt: skip


@record
class Examined:
    """An object without what is null, as the API drops it, and what is wrong with it by itself."""

    obj: Obj
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether its shape can be relied on: fields that there are not do no harm."""
        return not any(problem.misshapen for problem in self.problems)


def examine(objects: Iterable[Obj]) -> Sequence[Examined]:
    """The objects, those of Lists each by itself."""
    return [examined for one in objects for examined in _examined(one)]


def _examined(obj: Obj) -> Iterator[Examined]:
    items = obj.get("items")
    if str(obj.get("kind", "")).endswith("List") and isinstance(items, list):
        for item in items:
            if isinstance(item, dict):
                yield from _examined(item)
        return
    plain = _without_nulls(obj)
    yield Examined(plain, tuple(_problems(plain)))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _problems(obj: Obj) -> Iterator[Problem]:
    missing = [key for key in ("apiVersion", "kind") if not obj.get(key) or not isinstance(obj[key], str)]
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        missing.append("metadata.name")
    if missing or not isinstance(metadata, dict):
        yield from (Problem(path, "it is required", misshapen=True) for path in missing)
        return
    found = list(problems(built_in(obj["apiVersion"], obj["kind"]) or _METADATA_ONLY, obj))
    yield from found
    if not any(problem.misshapen for problem in found):
        yield from _metadata(obj, metadata)


def _metadata(obj: Obj, metadata: Obj) -> Iterator[Problem]:
    """Of names and sizes."""
    name = metadata.get("name", "")
    is_free = obj["apiVersion"].startswith(_NAMED_FREELY)
    if name and not is_free and (len(name) > _LONGEST_NAME or not _NAME.fullmatch(name)):
        todo = "use a-z, 0-9, - and ., a letter or a digit at both ends"
        yield Problem("metadata.name", f"{name!r} is no name", todo)
    size = sum(len(key) + len(value) for key, value in metadata.get("annotations", {}).items())
    if size > _MOST_ANNOTATIONS:
        yield Problem("metadata.annotations", f"{size} bytes are more than the API keeps", "at most 256 KiB")
