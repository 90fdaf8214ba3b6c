"""Volumes, configs and secrets of a service as volumes of its pods, and the objects behind them."""

from __future__ import annotations

import base64
import hashlib
import posixpath
from collections.abc import Iterator
from pathlib import Path

import orjson

from skerry.compose.application import Application, dns_label
from skerry.compose.notes import About
from skerry.kube.objects import Obj
from skerry.kube.records import record

_MOST_OF_A_CONFIG_MAP = 900_000
"""Bytes: an object of the API holds no more."""
_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock")
_CLAIM, _CONFIG, _SECRET = "PersistentVolumeClaim", "ConfigMap", "Secret"


@record
class Mount:
    """A volume of the pod, its mount, and the object that it needs, None when there is none to make."""

    volume: Obj
    mount: Obj
    behind: Obj | None = None


def mounts_of(app: Application, service: str, about: About) -> Iterator[Mount]:
    """All of a service, in order."""
    spec = app.services[service]
    for number, one in enumerate(spec.get("volumes") or ()):
        if (made := _volume(app, service, one, number, about)) is not None:
            yield made
    for number, path in enumerate(spec.get("tmpfs") or ()):
        target, _, options = str(path).partition(":")
        yield _scratch(f"tmpfs-{number}", target, {"medium": "Memory"} | _size_of(options))
    if spec.get("shm_size"):
        memory = {"medium": "Memory", "sizeLimit": str(spec["shm_size"])}
        yield _scratch("shm", "/dev/shm", memory)  # noqa: S108  # where programs look for it
    for kind in ("configs", "secrets"):
        for one in spec.get(kind) or ():
            if (made := _file(app, kind, one, about)) is not None:
                yield made


def _volume(app: Application, service: str, one: Obj, number: int, about: About) -> Mount | None:
    target, source = str(one.get("target", "")), str(one.get("source") or "")
    kind = one.get("type")
    if kind == "volume" and source:
        return _claimed(app, service, one, about)
    if kind == "volume":
        about.different("volumes", f"{target} has no name: what is written there ends with the pod")
        return _scratch(f"scratch-{number}", target, {})
    if kind == "tmpfs":
        size = (one.get("tmpfs") or {}).get("size")
        return _scratch(f"tmpfs-{target.strip('/').replace('/', '-')}", target,
                        {"medium": "Memory"} | ({"sizeLimit": str(size)} if size else {}))  # fmt: skip
    if kind == "bind":
        return _bound(app, one, about)
    about.missing("volumes", f"{target}: volumes of type {kind} have no counterpart")
    return None


def _claimed(app: Application, service: str, one: Obj, about: About) -> Mount:
    """A named volume: a claim."""
    source = str(one["source"])
    entry, name = app.top("volumes", source), dns_label(source)
    if entry.get("external"):
        name = dns_label(str(entry.get("name") or source))
        about.todo("volumes", f"the claim {name} must be there: volume {source} is external")
    elif entry.get("driver", "local") != "local" or entry.get("driver_opts"):
        about.different("volumes", f"volume {source} has a driver or options of its own: it becomes a plain claim")
    sub_path = (one.get("volume") or {}).get("subpath")
    mount = _mount(name, one) | ({"subPath": sub_path} if sub_path else {})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": app.choices.storage}}}
    claim = {"apiVersion": "v1", "kind": _CLAIM, "metadata": app.metadata(name), "spec": spec}
    volume = {"name": name, "persistentVolumeClaim": {"claimName": name}}
    return Mount(volume, mount, None if entry.get("external") else claim)


def _bound(app: Application, one: Obj, about: About) -> Mount | None:
    """A file or directory beside the Compose file: its content now, when it is small and text."""
    source, target = Path(str(one["source"])), str(one["target"])
    if str(source) in _SOCKETS:
        about.missing("volumes", f"{source}: pods do not get the container runtime's socket; use the Kubernetes API")
        return None
    name = app.bind_names()[str(one["source"])]
    content = _content(source)
    if content is None:
        about.todo("volumes", f"{source} is no small text beside the file: {target} begins empty, as claim {name}; "
                   f"copy into it with kubectl cp")  # fmt: skip
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": app.choices.storage}}}
        claim = {"apiVersion": "v1", "kind": _CLAIM, "metadata": app.metadata(name), "spec": spec}
        return Mount({"name": name, "persistentVolumeClaim": {"claimName": name}}, _mount(name, one), claim)
    about.different("volumes", f"{source} is copied as it is now, read only; change ConfigMap {name} to change it")
    data = {"apiVersion": "v1", "kind": _CONFIG, "metadata": app.metadata(name), "data": content}
    mount = _mount(name, one) | {"readOnly": True}
    if source.is_file():
        mount |= {"subPath": source.name}
    return Mount({"name": name, "configMap": {"name": name}}, mount, data)


def _content(source: Path) -> dict[str, str] | None:
    """Files by name; None for what a ConfigMap cannot hold: nothing, too much, folders in it, what is no text."""
    try:
        if source.is_file():
            files = [source]
        elif source.is_dir():
            files = sorted(source.iterdir())
        else:
            return None
        if not files or len(files) > 200 or not all(one.is_file() for one in files):
            return None
        if sum(one.stat().st_size for one in files) > _MOST_OF_A_CONFIG_MAP:
            return None
        return {one.name: one.read_text() for one in files}
    except (OSError, UnicodeDecodeError):
        return None


def _file(app: Application, kind: str, one: Obj, about: About) -> Mount | None:
    """One config or secret: a file."""
    source = str(one["source"])
    entry, name = app.top(kind, source), dns_label(source)
    default = f"/run/secrets/{source}" if kind == "secrets" else f"/{source}"
    target = str(one.get("target") or default)
    target = target if target.startswith("/") else f"/run/secrets/{target}"
    key = posixpath.basename(target)
    mode = one.get("mode")
    items = [{"key": key, "path": key} | ({"mode": int(str(mode), 8)} if mode else {})]
    volume_name = dns_label(f"{kind.removesuffix('s')}-{source}")  # one of each kind may have the same name
    mount = {"name": volume_name, "mountPath": target, "subPath": key, "readOnly": True}
    if one.get("uid") or one.get("gid"):
        about.different(kind, f"{source}: uid and gid are those of the pod")
    is_secret = kind == "secrets"
    volume = {"name": volume_name} | (
        {"secret": {"secretName": name, "items": items}} if is_secret else {"configMap": {"name": name, "items": items}}
    )
    if entry.get("external"):
        about.todo(kind, f"the {_SECRET if is_secret else _CONFIG} {name} with key {key} must be there: it is external")
        return Mount(volume, mount)
    content = _given(entry)
    if content is None:
        what = _SECRET if is_secret else _CONFIG
        about.todo(kind, f"{source} could not be read here: put it into key {key} of the {what} {name}")
        content = b""
    return Mount(volume, mount, _holder(app, name, key, content, is_secret=is_secret))


def _given(entry: Obj) -> bytes | None:
    if "content" in entry:
        return str(entry["content"]).encode()
    try:
        return Path(str(entry["file"])).read_bytes() if entry.get("file") else None
    except OSError:
        return None


def _holder(app: Application, name: str, key: str, content: bytes, *, is_secret: bool) -> Obj:
    encoded = base64.b64encode(content).decode()
    if is_secret:
        return {"apiVersion": "v1", "kind": _SECRET, "metadata": app.metadata(name), "type": "Opaque",
                "data": {key: encoded}}  # fmt: skip
    try:
        data: Obj = {"data": {key: content.decode()}}
    except UnicodeDecodeError:
        data = {"binaryData": {key: encoded}}
    return {"apiVersion": "v1", "kind": _CONFIG, "metadata": app.metadata(name), **data}


def _scratch(name: str, target: str, options: Obj) -> Mount:
    name = dns_label(name)
    return Mount({"name": name, "emptyDir": options}, {"name": name, "mountPath": target})


def _size_of(options: str) -> Obj:
    size = next((part.removeprefix("size=") for part in options.split(",") if part.startswith("size=")), "")
    number, unit = size.rstrip("kmgKMG"), size[-1:].upper()
    return {"sizeLimit": number + (f"{unit}i".replace("KI", "Ki") if unit in ("K", "M", "G") else "")} if number else {}


def _mount(name: str, one: Obj) -> Obj:
    return {"name": name, "mountPath": str(one["target"])} | ({"readOnly": True} if one.get("read_only") else {})


def digest(objects: list[Obj]) -> str:
    """Of what pods read at their start, so that they are replaced when it changes."""

    return hashlib.sha256(orjson.dumps(objects, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
