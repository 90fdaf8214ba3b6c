"""`index.yaml` of a chart repository. Pure; large ones are read in a process of their own (`index_process`).

Tens of megabytes of YAML take seconds and hundreds of megabytes of memory, which go with that process.
Source: helm.sh, "The Chart Repository Guide" (the index file).
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj
from skerry.platform.base.chart_versions import leading_version, newest_first
from skerry.platform.catalog.charts.facts import NAME, BadChart, facts_of
from skerry.platform.catalog.charts.foreign_yaml import read_yaml
from skerry.platform.catalog.sources.addresses import joined, parsed
from skerry.platform.catalog.sources.source import Offered, SourceFailed

_SMALL = 256 * 1024  # bytes
_SECONDS = 600.0
_MOST = 60
"""Versions of a chart that are looked at."""
_LONG = ("icon", "description", "keywords", "maintainers", "home", "annotations")
"""What only the leading version tells."""
_TOLD = ("name", "version", "appVersion", "kubeVersion", "type", "deprecated", "created", "digest", "urls", *_LONG)
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


async def offered_in(data: bytes, url: str, only: Sequence[str]) -> tuple[dict[str, list[Offered]], list[str]]:
    """By chart, and what cannot be used. `url`: of the index; `only`: names of charts, all when empty. Raises
    SourceFailed."""
    if len(data) <= _SMALL:
        short = await asyncio.to_thread(shortened, data, only)
    else:
        short = await _in_own_process(data, only)
    return _offered(short, url)


def shortened(data: bytes, only: Sequence[str]) -> Mapping[str, list[Obj]]:
    """What is needed of an index. Raises SourceFailed."""
    entries = _document(data).get("entries")
    if not isinstance(entries, dict):
        raise SourceFailed("BadIndex", "index.yaml has no entries: that is no chart repository")
    wanted = set(only)
    return {
        str(name): _newest(listed)
        for name, listed in entries.items()
        if isinstance(listed, list) and (not wanted or name in wanted)
    }


def _document(data: bytes) -> dict[Any, Any]:
    try:
        read = orjson.loads(data) if data.lstrip()[:1] == b"{" else read_yaml(data)
    except ValueError as error:
        raise SourceFailed("BadIndex", f"index.yaml is not YAML: {' '.join(str(error).split())[:200]}") from None
    return read if isinstance(read, dict) else {}


def _newest(listed: list[Any]) -> list[Obj]:
    versions = {str(one.get("version") or ""): one for one in reversed(listed) if isinstance(one, dict)}
    ordered = newest_first(versions)[:_MOST]
    leading = leading_version(ordered)
    return [_short(versions[one], is_leading=one == leading) for one in ordered]


def _short(version: Obj, *, is_leading: bool) -> Obj:
    """What is not text, or a list of what is shown, is left out later."""
    names = [one for one in _TOLD if is_leading or one not in _LONG]
    return {name: version[name] for name in names if name in version}


async def _in_own_process(data: bytes, only: Sequence[str]) -> Mapping[str, list[Obj]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "skerry.platform.catalog.sources.index_process", *only,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            told, _ = await process.communicate(data)
    except TimeoutError:
        raise SourceFailed("BadIndex", f"index.yaml cannot be read within {_SECONDS:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not told:
        raise SourceFailed("BadIndex", "index.yaml cannot be read: it is no YAML, or takes too much memory")
    read: Mapping[str, list[Obj]] = orjson.loads(told)
    return read


def _offered(short: Mapping[str, list[Obj]], url: str) -> tuple[dict[str, list[Offered]], list[str]]:
    charts: dict[str, list[Offered]] = {}
    skipped = []
    for name, versions in short.items():
        if not NAME.fullmatch(name):
            skipped.append(f"{name[:70]!r} cannot be the name of a chart here")
            continue
        try:
            found = [_one({**version, "name": name}, url) for version in versions]
        except BadChart as bad:
            skipped.append(str(bad))
            continue
        found = [one for one in found if one.url and not one.facts.is_library]
        if found:
            charts[name] = found
    return charts, skipped


def _one(version: Obj, url: str) -> Offered:
    urls = version.get("urls")
    first = next((one for one in urls if isinstance(one, str)), "") if isinstance(urls, list) else ""
    where = _where(url, first)
    digest = _DIGEST.fullmatch(str(version.get("digest") or ""))
    return Offered(
        facts_of(version),
        where if where.startswith(("https://", "http://", "oci://")) and len(where) <= 2000 else "",
        digest[1] if digest else "",
        _time(version.get("created")),
    )


def _where(url: str, place: str) -> str:
    """Where an archive is, "" for what is no place."""
    try:
        return joined(url, place) if place and parsed(place) else ""
    except SourceFailed:
        return ""


def _time(text: Any) -> datetime | None:
    try:
        return parse_time(str(text)) if text else None
    except ValueError:
        return None
