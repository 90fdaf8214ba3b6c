"""Taking over from client-side apply: the annotation in which kubectl keeps what it applied.

What the annotation says and the object still has may be taken from whoever manages it, and the annotation is kept up
to date, so that users can go back. Source: apimachinery `managedfields/internal/lastapplied*.go`.
"""

from __future__ import annotations

import orjson

from skerry.engine.schema.managed.conformance import complaints
from skerry.engine.schema.managed.sets import Set, difference
from skerry.engine.schema.managed.updates import Write
from skerry.engine.schema.metadata import MAX_ANNOTATIONS
from skerry.kube.objects import Obj, annotations_of

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def allowed_conflicts(live: Obj, write: Write) -> Set | None:
    """The fields client-side apply has set and nobody changed since; None when it has not been at work here."""
    try:
        config = orjson.loads(annotations_of(live).get(ANNOTATION, ""))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(config, dict) or config.get("apiVersion") != write.api_version:
        return None
    if complaints(write.type, config):
        return None
    changed, removed = write.type.compare(config, live)
    return difference(difference(write.type.owned(config) or {}, changed or {}), removed or {})


def with_annotation(obj: Obj, config: Obj) -> Obj:
    """`obj` with its annotation, if it has one, saying what was applied now; without it when that is too big."""
    if not annotations_of(obj).get(ANNOTATION):
        return obj
    annotations = {name: value for name, value in obj["metadata"]["annotations"].items() if name != ANNOTATION}
    text = _encoded(config)
    if (
        sum(len(name) + len(value) for name, value in annotations.items()) + len(ANNOTATION) + len(text)
        < MAX_ANNOTATIONS
    ):
        annotations[ANNOTATION] = text
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def _encoded(config: Obj) -> str:
    metadata = config.get("metadata") or {}
    if ANNOTATION in (metadata.get("annotations") or {}):
        kept = {name: value for name, value in metadata["annotations"].items() if name != ANNOTATION}
        config = {**config, "metadata": {**metadata, "annotations": kept}}
    return orjson.dumps(config, option=orjson.OPT_SORT_KEYS).decode() + "\n"
