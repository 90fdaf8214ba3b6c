"""Addresses that are none, or that programs read differently: each source says so, none falls over."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from skerry.platform.catalog.settings import Allowed
from skerry.platform.catalog.sources.fetching import Fetcher, Login
from skerry.platform.catalog.sources.git import Git
from skerry.platform.catalog.sources.index import offered_in
from skerry.platform.catalog.sources.reaching import Reach
from skerry.platform.catalog.sources.registry import Registry
from skerry.platform.catalog.sources.repository import Repository
from skerry.platform.catalog.sources.source import Source, SourceFailed
from skerry.platform.catalog.types import CatalogSpec

KEY = {"ssh-privatekey": "x", "known_hosts": "y"}
SOURCES: dict[str, Callable[[CatalogSpec], Source]] = {
    "https": lambda spec: Repository(spec, Fetcher(Reach(False), Login("anna", "secret"))),
    "oci": lambda spec: Registry(spec, Fetcher(Reach(False), Login("anna", "secret"))),
    "git": lambda spec: Git(spec, Reach(False), Allowed((), ()), {}),
    "ssh": lambda spec: Git(spec, Reach(False), Allowed((), ()), KEY),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("host", ["[", "[x]", "[::1", "localhost:99999", "localhost:abc", "localhost:\u0663"])
async def test_what_is_no_address_is_said(kind: str, host: str) -> None:
    scheme = "https" if kind == "git" else kind
    spec = CatalogSpec.of({"type": "Http", "url": f"{scheme}://{host}/web"})
    with pytest.raises(SourceFailed) as failed:
        await SOURCES[kind](spec).read("")
    assert failed.value.reason == "BadAddress"


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("host", ["a..example", f"{'x' * 70}.example"])
async def test_what_cannot_be_a_name_does_not_answer(kind: str, host: str) -> None:
    spec = CatalogSpec.of({"type": "Http", "url": f"{'https' if kind == 'git' else kind}://{host}/web"})
    with pytest.raises(SourceFailed) as failed:
        await SOURCES[kind](spec).read("")
    assert failed.value.reason in ("NoAnswer", "BadAddress")


@pytest.mark.parametrize("host", ["localhost.", "%6cocalhost", "a..%2f"])
async def test_git_is_not_given_a_host_that_it_reads_otherwise(host: str) -> None:
    """The address that was judged is given to it by the host's name: another spelling would be resolved again."""
    spec = CatalogSpec.of({"type": "Git", "url": f"https://{host}/web"})
    with pytest.raises(SourceFailed, match="is no host"):
        await SOURCES["git"](spec).read("")


async def test_an_upstream_that_names_no_address_offers_nothing_there() -> None:
    places = ("http://[", "https://h:99999/x.tgz", "https://[::1", "web-1.0.0.tgz")
    listed = [{"version": f"{number}.0.0", "urls": [place]} for number, place in enumerate(places, 1)]
    charts, _ = await offered_in(orjson.dumps({"entries": {"web": listed}}), "https://charts.example/index.yaml", ())
    assert [one.url for one in charts["web"]] == ["https://charts.example/web-1.0.0.tgz"]
    repository = Repository(CatalogSpec.of({"type": "Http", "url": "https://h"}), Fetcher(Reach(False), Login()))
    with pytest.raises(SourceFailed, match="is no address"):
        await repository.archive("web", "1.0.0", "https://h:99999/x.tgz")
