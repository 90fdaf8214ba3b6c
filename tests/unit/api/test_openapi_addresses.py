"""OpenAPI documents asked for by their hash: kept for good by clients, or found at their new address."""

from __future__ import annotations

from tests.support.api import RunningApi
from tests.unit.api.raw_http import send

BATCH = "/openapi/v3/apis/batch/v1"


async def test_a_document_by_its_hash_may_be_kept_for_good(api: RunningApi) -> None:
    index = await send(api, "GET", "/openapi/v3")
    url = index.json["paths"]["apis/batch/v1"]["serverRelativeURL"]
    by_hash = await send(api, "GET", url)
    assert by_hash.code == 200
    assert "immutable" in by_hash.headers["cache-control"]
    known = await send(api, "GET", url, if_none_match=by_hash.headers["etag"])
    assert (known.code, known.body) == (304, b"")
    plain = await send(api, "GET", BATCH)
    assert plain.headers["cache-control"] == "no-cache, private"
    assert plain.body == by_hash.body

    stale = await send(api, "GET", f"{BATCH}?hash=OLD")
    assert (stale.code, stale.headers["location"]) == (301, url)
