"""Which files a ConfigMap, Secret, downward API or projected volume holds: pure functions to a `Payload`.

Source of the behaviour: Kubernetes' `pkg/volume/{configmap,secret,downwardapi,projected}`. Objects are read beforehand
(`references`) and handed in; None means the object does not exist. Raises VolumeError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from skerry.engine.node.errors import VolumeError
from skerry.engine.node.spec.downward import PodFacts, field_value, resource_value
from skerry.engine.node.spec.environment import Reference, data_of
from skerry.engine.node.spec.security import common_user, pod_context
from skerry.engine.node.volumes.atomic import Payload, ProjectedFile
from skerry.engine.node.volumes.tokens import Tokens, wanted_token
from skerry.kube.objects import Obj, namespace_of
from skerry.kube.records import record

DEFAULT_MODE = 0o644
KINDS = ("configMap", "secret", "downwardAPI", "projected")
_GROUP_READ = 0o440
_PRIVATE = 0o600


@record
class Known:
    """What files are made from: the pod as the node knows it and the objects it refers to."""

    facts: PodFacts
    objects: Mapping[Reference, Obj | None]
    tokens: Tokens = field(default_factory=dict)


def references(volume: Obj) -> set[Reference]:
    """What has to be read from the API for this volume."""
    found: set[Reference] = set()
    if volume.get("configMap") is not None:
        found.add(("ConfigMap", volume["configMap"].get("name", "")))
    if volume.get("secret") is not None:
        found.add(("Secret", volume["secret"].get("secretName", "")))
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("configMap") is not None:
            found.add(("ConfigMap", source["configMap"].get("name", "")))
        if source.get("secret") is not None:
            found.add(("Secret", source["secret"].get("name", "")))
    return found


def payload_of(volume: Obj, known: Known) -> Payload:
    """The files of one volume of a kind in `KINDS`."""
    kind = next(kind for kind in KINDS if volume.get(kind) is not None)
    source = volume[kind]
    mode = source.get("defaultMode")
    mode = DEFAULT_MODE if mode is None else mode
    if kind == "projected":
        files = [item for part in source.get("sources") or () for item in _source_files(part, mode, known)]
    else:
        files = list(_source_files({kind: source}, mode, known))
    readable = pod_context(known.facts.pod).get("fsGroup") is not None
    extra = _GROUP_READ if readable else 0
    return {path: replace(file, mode=file.mode | extra) for path, file in files}


_File = tuple[str, ProjectedFile]


def _source_files(source: Obj, mode: int, known: Known) -> Iterator[_File]:
    if source.get("configMap") is not None:
        yield from _object_files("ConfigMap", source["configMap"].get("name", ""), source["configMap"], mode, known)
    elif source.get("secret") is not None:
        secret = source["secret"]
        name = secret.get("secretName") or secret.get("name", "")
        yield from _object_files("Secret", name, secret, mode, known)
    elif source.get("downwardAPI") is not None:
        yield from _downward_files(source["downwardAPI"], mode, known.facts)
    elif source.get("serviceAccountToken") is not None:
        yield _token_file(source["serviceAccountToken"], mode, known)
    else:
        kinds = ", ".join(sorted(source)) or "empty"
        raise VolumeError(f"projected volume source is not supported: {kinds}")


def _object_files(kind: str, name: str, source: Obj, mode: int, known: Known) -> Iterator[_File]:
    optional = bool(source.get("optional"))
    obj = known.objects.get((kind, name))
    if obj is None:
        if not optional:
            raise VolumeError(f'{kind.lower()} "{name}" not found')
        return
    data = data_of(kind, obj)
    items = source.get("items")
    if not items:
        yield from ((key, ProjectedFile(value, mode)) for key, value in data.items())
        return
    for item in items:
        if item["key"] in data:
            yield item["path"], ProjectedFile(data[item["key"]], _item_mode(item, mode))
        elif not optional:
            where = f"{namespace_of(known.facts.pod)}/{name}"
            raise VolumeError(f"{kind.lower()} references non-existent {kind.lower()} key: {item['key']} in {where}")


def _downward_files(source: Obj, mode: int, facts: PodFacts) -> Iterator[_File]:
    for item in source.get("items") or ():
        if item.get("fieldRef"):
            text = field_value(facts, item["fieldRef"]["fieldPath"])
        else:
            text = resource_value(facts, item["resourceFieldRef"], "")
        yield item["path"], ProjectedFile(text.encode(), _item_mode(item, mode))


def _token_file(source: Obj, mode: int, known: Known) -> _File:
    """Readable by nobody but the containers' own user or group, where they have one in common."""
    pod = known.facts.pod
    user = common_user(pod)
    if user is not None or pod_context(pod).get("fsGroup") is not None:
        mode = _PRIVATE
    return source["path"], ProjectedFile(known.tokens[wanted_token(source)].encode(), mode, user)


def _item_mode(item: Obj, default: int) -> int:
    mode = item.get("mode")
    return default if mode is None else int(mode)
