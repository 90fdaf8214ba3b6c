"""Charts in an OCI registry: tags are versions, a layer of the manifest is the archive.

A registry cannot be listed, so the Catalog names its charts, or is of one. Its newest version tells what the chart is:
the manifest's configuration is its Chart.yaml. Source: OCI Distribution Specification 1.1; Docker's "Token
Authentication Specification"; helm.sh, "Use OCI-based registries".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from skerry.kube.records import record
from skerry.platform.base.chart_versions import leading_version, newest_first
from skerry.platform.catalog.charts.facts import NAME, BadChart, facts_of
from skerry.platform.catalog.sources.addresses import joined, parsed
from skerry.platform.catalog.sources.fetching import LOCAL, Answer, Fetcher, Question, basic, same_host
from skerry.platform.catalog.sources.source import Listing, Offered, SourceFailed
from skerry.platform.catalog.types import LARGEST_ARCHIVE, CatalogSpec

_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LARGEST = 4 << 20  # bytes of lists and manifests
_MOST_PAGES = 50
_MOST_VERSIONS = 60
_PATH = re.compile(r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_NEXT = re.compile(r'<([^>]+)>;\s*rel="?next"?')
_SAID = re.compile(r'(\w+)="([^"]*)"')


@record
class Manifest:
    """What a tag stands for. `digest`: of its bytes, as `helm push` prints it."""

    digest: str
    document: Mapping[str, Any]


class Registry:
    """One, or a folder of it."""

    is_ours = False

    def __init__(self, spec: CatalogSpec, fetcher: Fetcher) -> None:
        """Raises SourceFailed: the URL is none."""
        self._fetcher = fetcher
        self._host, folder = _split(spec.url)
        self._places = _places(folder, spec.charts)

    async def read(self, known: str) -> Listing | None:
        """As `Source` has it."""
        charts: dict[str, Sequence[Offered]] = {}
        skipped = []
        for name, place in self._places.items():
            try:
                charts[name] = await self._offered(name, place)
            except BadChart as bad:
                skipped.append(str(bad))
        told = [f"{name} {one.facts.version}" for name, offered in sorted(charts.items()) for one in offered]
        revision = hashlib.sha256("\n".join([*told, *skipped]).encode()).hexdigest()
        return None if revision == known else Listing(revision, charts, skipped)

    async def archive(self, chart: str, version: str, url: str) -> bytes:
        """As `Source` has it."""
        return await fetch_archive(self._fetcher, url)

    async def _offered(self, name: str, place: str) -> list[Offered]:
        door = Door(self._fetcher, self._host, place)
        tags = {tag.replace("_", "+"): tag for tag in await door.tags()}
        versions = newest_first(tags)[:_MOST_VERSIONS]
        newest = leading_version(versions)
        if newest is None:
            raise BadChart(f"{name} has no versions in the registry")
        described = await door.described(tags[newest])
        if described.get("name") != name:
            raise BadChart(f"{place} has no chart {name}, but {str(described.get('name'))[:70]!r}")
        return [
            Offered(
                facts_of(described if one == newest else {"name": name, "version": one}),
                f"oci://{self._host}/{place}:{tags[one]}",
            )
            for one in versions
        ]


async def fetch_archive(fetcher: Fetcher, url: str) -> bytes:
    """`url`: oci://host/path:tag, also as an index.yaml of a repository over HTTP may have it. Raises SourceFailed."""
    where, _, tag = url.rpartition(":")
    door = door_of(fetcher, where)
    return await door.archive(await door.manifest(tag))


def door_of(fetcher: Fetcher, url: str) -> Door:
    """Into the repository at oci://host/path. Raises SourceFailed."""
    host, place = _split(url)
    return Door(fetcher, host, place)


class Door:
    """Into one repository of a registry; who we are is said once it asks."""

    def __init__(self, fetcher: Fetcher, host: str, place: str) -> None:
        self._fetcher, self._place = fetcher, place
        scheme = "http" if parsed(f"//{host}").hostname in LOCAL else "https"
        self._base = f"{scheme}://{host}/v2/{place}"
        self._authorization: Mapping[str, str] = {}

    async def tags(self) -> list[str]:
        """All there are. Raises SourceFailed, as everything here."""
        found: list[str] = []
        url = f"{self._base}/tags/list?n=1000"
        for _ in range(_MOST_PAGES):
            answer = await self._get(url, _LARGEST)
            listed = _document(answer).get("tags")
            found += [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
            more = _NEXT.search(answer.headers.get("link", ""))
            if more is None:
                break
            url = joined(url, more[1])
            if not same_host(url, self._base):
                raise SourceFailed("NoAnswer", f"{self._base}: its list of tags leads elsewhere")
        return found

    async def described(self, tag: str) -> dict[str, Any]:
        """Chart.yaml, of a tag."""
        config = (await self.manifest(tag)).document.get("config")
        digest = str(config.get("digest") or "") if isinstance(config, dict) else ""
        return _document(await self._blob(digest, _LARGEST))

    async def archive(self, manifest: Manifest) -> bytes:
        """The chart that a manifest is of."""
        layers = manifest.document.get("layers")
        for one in layers if isinstance(layers, list) else ():
            if isinstance(one, dict) and one.get("mediaType") == _CHART:
                return (await self._blob(str(one.get("digest") or ""), LARGEST_ARCHIVE)).body
        raise SourceFailed("NotFound", f"{self._place} at {manifest.digest} in the registry is no chart")

    async def manifest(self, reference: str) -> Manifest:
        """Of a tag, or of a digest that begins with sha256:."""
        answer = await self._get(f"{self._base}/manifests/{quote(reference, safe=':')}", _LARGEST, _MANIFEST)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise SourceFailed("NoAnswer", f"{self._place}: the registry gave {digest} for {reference}")
        return Manifest(digest, _document(answer))

    async def _blob(self, digest: str, most: int) -> Answer:
        """What it says it is."""
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise SourceFailed("NoAnswer", f"{self._place}: the registry names no digest")
        answer = await self._get(f"{self._base}/blobs/{digest}", most)
        if hashlib.sha256(answer.body).hexdigest() != digest.removeprefix("sha256:"):
            raise SourceFailed("NoAnswer", f"{self._place}: the registry gave other bytes than {digest}")
        return answer

    async def _get(self, url: str, most: int, accept: str = "*/*") -> Answer:
        answer = await self._ask(url, most, accept)
        if answer.code == 401 and not self._authorization:
            self._authorization = await self._authorized(answer.headers.get("www-authenticate", ""))
            answer = await self._ask(url, most, accept)
        if answer.code in (401, 403):
            raise SourceFailed("Refused", f"{url} answers {answer.code}: `secret` names a Secret to log in by")
        if answer.code == 404:
            raise SourceFailed("NotFound", f"{url} is not there")
        if answer.code != 200:
            raise SourceFailed("NoAnswer", f"{url} answers {answer.code}")
        return answer

    async def _ask(self, url: str, most: int, accept: str) -> Answer:
        return await self._fetcher.ask(Question(url, most, {"Accept": accept, **self._authorization}))

    async def _authorized(self, challenge: str) -> Mapping[str, str]:
        """What the registry wants to hear. Raises SourceFailed."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            return basic(self._fetcher.login, self._base)
        said = dict(_SAID.findall(rest))
        asked = {"service": said.get("service", ""), "scope": f"repository:{self._place}:pull"}
        realm = said.get("realm", "")
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode({key: value for key, value in asked.items() if value})}"
        answer = await self._fetcher.ask(Question(url, _LARGEST, basic(self._fetcher.login, url)))
        given = _document(answer) if answer.code == 200 else {}
        token = given.get("token") or given.get("access_token")
        if not isinstance(token, str) or not token.isprintable():
            raise SourceFailed("Refused", f"{self._base} gives no token: `secret` names a Secret to log in by")
        return {"Authorization": f"Bearer {token}"}


def _split(url: str) -> tuple[str, str]:
    """Host with port, and path. Raises SourceFailed."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.rstrip("/").partition("/")
    if scheme != "oci" or not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host) or (path and not _PATH.fullmatch(path)):
        raise SourceFailed("BadAddress", f"{url[:200]!r} is no registry: oci://registry.example/charts")
    return host, path


def _places(folder: str, charts: Sequence[str]) -> dict[str, str]:
    """Charts, and where they are. Raises SourceFailed."""
    if charts:
        return {name: f"{folder}/{name}".lstrip("/") for name in charts}
    name = folder.rpartition("/")[2]
    if not NAME.fullmatch(name):
        raise SourceFailed("BadAddress", "a registry cannot be listed: name its charts in spec.charts")
    return {name: folder}


def _document(answer: Answer) -> dict[str, Any]:
    """Raises SourceFailed."""
    try:
        read = orjson.loads(answer.body)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise SourceFailed("NoAnswer", f"{answer.url} does not answer in JSON")
    return read
