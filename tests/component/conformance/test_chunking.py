"""Servers with support for API chunking; tables."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.testing import cluster
from tests.component.conformance.e2e_client import E2eClient
from tests.support.clock import SetClock

TOTAL = 400
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def _fill(api: E2eClient, ns: str) -> str:
    path = f"/api/v1/namespaces/{ns}/podtemplates"
    for number in range(TOTAL):
        template = {"spec": {"containers": [{"name": "test", "image": "test2"}]}}
        api.create(path, {"metadata": {"name": f"template-{number:04}"}, "template": template})
    return path


def _pages(api: E2eClient, path: str, token: str, found: int, limits: Iterator[int]) -> None:
    """Reads to the end from what was found on, checking each page as upstream does."""
    revision = ""
    while True:
        limit = next(limits)
        page = api.get(f"{path}?limit={limit}" + (f"&continue={token}" if token else ""))
        meta, names = page["metadata"], [one["metadata"]["name"] for one in page["items"]]
        assert len(names) <= limit
        revision = revision or meta["resourceVersion"]
        assert meta["resourceVersion"] == revision
        token = meta.get("continue", "")
        if token:
            assert meta["remainingItemCount"] + len(names) + found == TOTAL
        else:
            assert "remainingItemCount" not in meta
        assert names == [f"template-{found + index:04}" for index in range(len(names))]
        found += len(names)
        if not token:
            assert found == TOTAL
            return


def test_returns_chunks_of_results_for_list_calls(api: E2eClient, ns: str) -> None:
    path = _fill(api, ns)
    for step in (7, 40, 23):
        _pages(api, path, "", 0, iter([step] * TOTAL))
    assert len(api.items(f"{path}?limit={TOTAL + 1}")) == TOTAL
    paged = api.call("GET", f"{path}?limit=2", accept=TABLE).body
    assert [row["cells"][0] for row in paged["rows"]] == ["template-0000", "template-0001"]
    rest = api.call("GET", f"{path}?continue={paged['metadata']['continue']}", accept=TABLE).body
    assert rest["rows"][0]["cells"][0] == "template-0002"


def test_continues_from_the_last_key_after_the_version_is_gone() -> None:
    clock = SetClock()
    with cluster(0, clock=clock) as running:
        api = E2eClient(running.kubeconfig)
        path = _fill(api, "default")
        first = api.get(f"{path}?limit=40")["metadata"]
        assert api.code(f"{path}?limit=40&continue={first['continue']}") == 200
        clock.advance(360)
        gone = api.call("GET", f"{path}?limit=40&continue={first['continue']}")
        assert (gone.code, gone.body["reason"]) == (410, "Expired")
        token = gone.body["metadata"]["continue"]
        api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "something-new"}})
        assert api.get(f"{path}?limit=40&continue={token}")["metadata"]["resourceVersion"] != first["resourceVersion"]
        _pages(api, path, token, 40, iter([40] * TOTAL))
        api.close()


def test_returns_406_where_there_is_no_metadata(api: E2eClient) -> None:
    body = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert api.call("POST", path, body, accept=TABLE).code == 406
    assert api.create(path, body)["status"]["allowed"]
