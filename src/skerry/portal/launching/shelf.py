"""Charts as the person may read them: the entry, a version of it, its files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import orjson
import yaml

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.resources import CONFIG_MAPS
from skerry.kube.yaml_looking import look_first
from skerry.platform.catalog.types import ARCHIVE_KEY, CATALOG_ENTRIES, GLOBAL_NAMESPACE
from skerry.portal.web.viewer import Viewer

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@record
class Chart:
    """One version of one chart. What it does not have, or what cannot be read, is empty."""

    entry: Obj
    version: str
    archive: bytes
    defaults: Mapping[str, Any]
    defaults_text: str
    schema: Mapping[str, Any]
    readme: str

    @property
    def reference(self) -> Obj:
        """As a Release names it."""
        spec = self.entry["spec"]
        return {"catalog": spec["catalog"], "name": spec["name"], "version": self.version}

    @property
    def is_everybodys(self) -> bool:
        """Whether it is in a catalogue for all projects."""
        return namespace_of(self.entry) == GLOBAL_NAMESPACE


async def chart_of(viewer: Viewer, namespace: str, name: str, version: str = "") -> Chart:
    """`name`: of the entry; `version`: "" for the newest. Read as the person. Raises NotFound, Forbidden."""
    entry = await viewer.client.get(CATALOG_ENTRIES, name, namespace)
    versions = entry["spec"].get("versions") or ()
    found = next((one for one in versions if version in ("", one["version"])), None)
    if found is None:
        raise NotFound(f"{name} has no version {version}" if version else f"{name} has no versions")
    files: Obj = {}
    if found.get("archive"):
        files = await viewer.client.get(CONFIG_MAPS, found["archive"], namespace)
    return _made(entry, found["version"], files)


def _made(entry: Obj, version: str, files: Obj) -> Chart:
    data: Mapping[str, str] = files.get("data") or {}
    archive = base64.b64decode((files.get("binaryData") or {}).get(ARCHIVE_KEY) or "")
    text = data.get("values.yaml", "")
    schema = _json(data.get("values.schema.json", ""))
    return Chart(entry, version, archive, _yaml(text), text, schema, data.get("README.md", ""))


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _yaml(text: str) -> Mapping[str, Any]:
    try:
        look_first(text)
        found = yaml.load(text, Loader=_LOADER)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def title_of(entry: Obj) -> str:
    """For people."""
    return str(entry["spec"].get("displayName") or entry["spec"].get("name") or name_of(entry))
