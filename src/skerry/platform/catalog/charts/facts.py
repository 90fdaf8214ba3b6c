"""What Chart.yaml, or an entry of an index, says of a chart. Pure; what has the wrong type is as good as not there.

It is other people's text that is shown in pages: lengths are bounded, and addresses are web addresses or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.base.chart_versions import key_of_version
from skerry.platform.catalog.types import Maintainer

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_TEXT, _ICON, _LINE = 1000, 48 * 1024, 200
_MANY = 30
_DISPLAY_NAME, _CATEGORY = "skerry.dev/display-name", "skerry.dev/category"


class BadChart(Exception):
    """It cannot be used; the text says why."""


@record
class Facts:
    """Of one version."""

    name: str
    version: str
    app_version: str
    kube_version: str
    description: str
    display_name: str
    category: str
    icon: str
    home: str
    keywords: tuple[str, ...]
    maintainers: tuple[Maintainer, ...]
    deprecated: bool
    is_library: bool


def facts_of(document: Any) -> Facts:
    """Raises BadChart: no name or no version that can be used."""
    said: Obj = document if isinstance(document, dict) else {}
    name, version = _text(said, "name", _LINE), _text(said, "version", _LINE)
    if not NAME.fullmatch(name):
        raise BadChart(f"{name!r} cannot be the name of a chart here: lower case letters, digits and dashes, up to 63")
    if key_of_version(version) is None:
        raise BadChart(f"chart {name}: {version!r} is no version (semver.org)")
    notes = said.get("annotations")
    notes = notes if isinstance(notes, dict) else {}
    return Facts(
        name=name,
        version=version,
        app_version=_text(said, "appVersion", _LINE),
        kube_version=_text(said, "kubeVersion", _LINE),
        description=_text(said, "description", _TEXT),
        display_name=_text(notes, _DISPLAY_NAME, _LINE),
        category=_text(notes, _CATEGORY, _LINE),
        icon=_picture(_text(said, "icon", _ICON)),
        home=_web(_text(said, "home", _TEXT)),
        keywords=_words(said.get("keywords")),
        maintainers=_people(said.get("maintainers")),
        deprecated=said.get("deprecated") is True,
        is_library=said.get("type") == "library",
    )


def _text(said: Mapping[Any, Any], name: str, longest: int) -> str:
    value = said.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    text = value.strip() if isinstance(value, str) else ""
    if name == "icon":
        return text if len(text) <= longest else ""
    return text[:longest]


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""


def _picture(icon: str) -> str:
    return icon if icon.startswith("data:image/") else _web(icon)


def _words(listed: Any) -> tuple[str, ...]:
    words = listed if isinstance(listed, list) else []
    return tuple(one[:_LINE] for one in words[:_MANY] if isinstance(one, str))


def _people(listed: Any) -> tuple[Maintainer, ...]:
    people = [one for one in listed[:_MANY] if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(
        Maintainer(name=_text(one, "name", _LINE), email=_text(one, "email", _LINE), url=_web(_text(one, "url", _TEXT)))
        for one in people
    )
