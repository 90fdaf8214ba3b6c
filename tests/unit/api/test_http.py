"""The API over TLS: who is let in, which form answers have, and that every mistake is a Status."""

from __future__ import annotations

import asyncio
import gzip
import socket

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, PODS, SERVICES
from tests.support.api import RunningApi
from tests.support.waiting import until
from tests.unit.api.raw_http import send, tls

CMS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


async def test_nobody_unknown_gets_in(api: RunningApi) -> None:
    for path in ("/", "/openapi/v3", "/livez/ping", "/metrics"):
        answer = await send(api, "GET", path, certificate=False)
        assert answer.code == 403
        assert answer.json["message"] == f'forbidden: User "system:anonymous" cannot get path "{path}"'
    answer = await send(api, "GET", "/api/v1/pods", certificate=False)
    assert answer.json["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope'
    )
    for path in ("/livez", "/readyz", "/healthz", "/version"):
        answer = await send(api, "GET", path, certificate=False)
        assert answer.code == 200


async def test_a_token_nobody_knows_is_not_anonymous(api: RunningApi) -> None:
    answer = await send(api, "GET", "/version", certificate=False, authorization="Bearer abc")
    assert (answer.code, answer.json["reason"]) == (401, "Unauthorized")


async def test_a_failing_check_makes_the_server_unready(api: RunningApi) -> None:
    api.server.health.ready["node"] = lambda: "no node"
    answer = await send(api, "GET", "/readyz?verbose")
    assert answer.code == 500
    assert answer.body.startswith(b"[+]ping ok\n")
    assert answer.body.endswith(b"[-]node failed: no node\nreadyz check failed\n")
    assert (await send(api, "GET", "/livez")).code == 200
    assert (await send(api, "GET", "/readyz?exclude=node")).code == 200
    assert (await send(api, "GET", "/readyz/node")).code == 500


@pytest.mark.parametrize(
    "query",
    ["limit=--5", "limit=-1", "limit=" + "1" * 5000, "resourceVersion=--5", "labelSelector=a%3E" + "1" * 5000],
)
async def test_numbers_that_are_none_are_the_clients_mistake(api: RunningApi, query: str) -> None:
    answer = await send(api, "GET", f"{CMS}?{query}")
    assert answer.code in (400, 422)
    assert answer.json["kind"] == "Status"


async def test_metrics_keep_no_names_that_a_client_made_up(api: RunningApi) -> None:
    assert (await send(api, "GET", f"{CMS}/a/made%22up")).code == 404
    assert (await send(api, "GET", "/api/v1/namespaces/default/pods/a/status")).code == 404
    page = (await send(api, "GET", "/metrics")).body.decode()
    assert 'apiserver_request_total{verb="get",resource="configmaps",subresource="",code="404"} 1' in page
    assert 'apiserver_request_total{verb="get",resource="pods",subresource="status",code="404"} 1' in page


async def test_an_administrator_may_act_as_somebody_else(api: RunningApi) -> None:
    answer = await send(api, "GET", CMS, impersonate_user="anna")
    assert answer.code == 403
    assert 'User "anna" cannot list resource "configmaps"' in answer.json["message"]


async def test_create_get_update_delete(api: RunningApi) -> None:
    made = await send(api, "POST", CMS, {"metadata": {"name": "a"}, "data": {"k": "v"}})
    assert made.code == 201
    assert (made.json["apiVersion"], made.json["kind"]) == ("v1", "ConfigMap")
    got = await send(api, "GET", f"{CMS}/a")
    assert got.json == made.json
    changed = await send(api, "PUT", f"{CMS}/a", {**made.json, "data": {"k": "w"}})
    assert (changed.code, changed.json["data"]) == (200, {"k": "w"})
    stale = await send(api, "PUT", f"{CMS}/a", {**made.json, "data": {"k": "x"}})
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    gone = await send(api, "DELETE", f"{CMS}/a")
    assert gone.json["details"] == {"name": "a", "kind": "configmaps", "uid": made.json["metadata"]["uid"]}
    assert (await send(api, "GET", f"{CMS}/a")).json["message"] == 'configmaps "a" not found'


async def test_preconditions_and_dry_runs_delete_nothing(api: RunningApi) -> None:
    await send(api, "POST", CMS, {"metadata": {"name": "a"}})
    answer = await send(api, "DELETE", f"{CMS}/a", {"preconditions": {"uid": "other"}})
    assert answer.code == 409
    assert "Precondition failed: UID in precondition: other" in answer.json["message"]
    assert (await send(api, "DELETE", f"{CMS}/a?dryRun=All")).code == 200
    assert (await send(api, "GET", f"{CMS}/a")).code == 200
    assert (await send(api, "POST", f"{CMS}?dryRun=All", {"metadata": {"name": "b"}})).code == 201
    assert (await send(api, "GET", f"{CMS}/b")).code == 404


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", "/nothing", 404, "NotFound"),
        ("GET", "/api/v2", 404, "NotFound"),
        ("GET", "/apis/no.group/v1/things", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/things", 404, "NotFound"),
        ("GET", "/api/v1/nodes/x/no-such", 404, "NotFound"),
        ("GET", "/api/v1//pods", 404, "NotFound"),
        ("GET", "//api/v1/pods", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/nodes", 404, "NotFound"),
        ("GET", "/api/v1/pods/web", 404, "NotFound"),
        ("GET", f"{CMS}/%2e%2e", 400, "BadRequest"),
        ("GET", f"{CMS}/a%2fb", 400, "BadRequest"),
        ("GET", f"{CMS}/a%00b", 400, "BadRequest"),
        ("GET", f"{CMS}/%ff", 400, "BadRequest"),
        ("GET", f"{CMS}/{'x' * 5000}", 400, "BadRequest"),
        ("GET", f"{CMS}?limit=abc", 400, "BadRequest"),
        ("GET", f"{CMS}?watch=maybe", 400, "BadRequest"),
        ("GET", f"{CMS}?continue=!!", 400, "BadRequest"),
        ("GET", f"{CMS}?labelSelector=a%20in%20(", 400, "BadRequest"),
        ("GET", f"{CMS}?fieldSelector=data.x=y", 400, "BadRequest"),
        ("GET", f"{CMS}?resourceVersion=x", 422, "Invalid"),
        ("GET", f"{CMS}?resourceVersionMatch=Exact", 422, "Invalid"),
        ("GET", f"{CMS}?resourceVersion=999999&resourceVersionMatch=Exact", 504, "Timeout"),
        ("GET", f"{CMS}?%ff=1", 400, "BadRequest"),
        ("OPTIONS", CMS, 405, "MethodNotAllowed"),
        ("HEAD", CMS, 405, ""),
        ("POST", "/version", 405, "MethodNotAllowed"),
        ("POST", "/api/v1/configmaps", 405, "MethodNotAllowed"),
        ("PUT", CMS, 405, "MethodNotAllowed"),
        ("POST", f"{CMS}/a", 405, "MethodNotAllowed"),
        ("POST", f"{CMS}?dryRun=some", 422, "Invalid"),
        ("POST", f"{CMS}?fieldValidation=x", 422, "Invalid"),
        ("GET", "/api/v1/nodes/x/proxy/pods", 404, "NotFound"),
        ("GET", "/api/v1/namespaces/default/pods/x/exec", 404, "NotFound"),
    ],
)
async def test_mistakes_are_answered_with_a_status(
    api: RunningApi, method: str, path: str, code: int, reason: str
) -> None:
    answer = await send(api, method, path, {} if method in ("POST", "PUT") else None)
    assert answer.code == code
    if method != "HEAD":
        assert (answer.json["kind"], answer.json["status"], answer.json["code"]) == ("Status", "Failure", code)
        assert answer.json["reason"] == reason


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"kind":"Pod","apiVersion":"v1"}', {}, 400),
        (b'{"metadata":{"name":"Bad_Name"}}', {}, 422),
        (b'{"metadata":{"name":"a","namespace":"other"}}', {}, 400),
        (b'{"metadata":[]}', {}, 400),
        (b'{"metadata":{"name":"a"},"data":{"k":1}}', {}, 400),
        (b"{}", {}, 422),
        (b"{}", {"content_type": "text/html"}, 415),
        (b"a: [", {"content_type": "application/yaml"}, 400),
        (b"k8s\x00\xff", {"content_type": "application/vnd.kubernetes.protobuf"}, 400),
        (b"", {"content_length": "99999999"}, 413),
        (b" " * (3 * 1024 * 1024 + 1), {}, 413),
    ],
)
async def test_bad_bodies(api: RunningApi, body: bytes, headers: dict[str, str], code: int) -> None:
    answer = await send(api, "POST", CMS, body, **headers)
    assert answer.code == code
    assert answer.json["kind"] == "Status"


async def test_what_is_no_http_gets_a_status_too(api: RunningApi) -> None:
    answer = await send(api, "GET", b"/api/v1/\xff\xfe pods")
    assert answer.code == 400
    assert answer.json["kind"] == "Status"


ODD_BODIES = [
    b"{}",
    b'{"spec":null,"metadata":null}',
    b'{"preconditions":[]}',
    b'{"dryRun":7}',
    b'{"metadata":{"name":1}}',
    b'{"propagationPolicy":{}}',
    b'{"target":[]}',
    b'{"deleteOptions":1}',
    b'[{"op":"add"}]',
    b'{"spec":{"replicas":"x"}}',
]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]),
    path=st.lists(
        st.sampled_from(
            ["api", "apis", "v1", "apps", "namespaces", "default", "pods", "deployments", "x", "status", "scale", "",
             "%2e%2e", "%2F", "..", "watch", "log", "finalize", "%00", "%C3%A9", "openapi", "v3", "binding", "nodes"]
        ),
        max_size=8,
    ),
    query=st.sampled_from(
        ["", "?watch=1&timeoutSeconds=1&resourceVersion=1", "?limit=1&continue=x", "?dryRun=All", "?pretty=1", "?a=%zz"]
    ),
    body=st.one_of(
        st.none(),
        st.binary(max_size=20),
        st.sampled_from(ODD_BODIES),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=3),
            lambda below: st.lists(below, max_size=2)
            | st.dictionaries(
                st.sampled_from(["metadata", "name", "spec", "status", "target", "preconditions"]),
                below, max_size=3,
            ),
            max_leaves=6,
        ).map(orjson.dumps),
    ),
    content_type=st.sampled_from(["application/merge-patch+json", "application/json", "application/json-patch+json",
                                  "application/strategic-merge-patch+json", "application/yaml"]),
)  # fmt: skip
async def test_nothing_makes_it_fail(
    api: RunningApi, method: str, path: list[str], query: str, body: bytes | None, content_type: str
) -> None:
    raw = "/" + "/".join(path) + query
    answer = await send(api, method, raw, body, content_type=content_type)
    assert answer.code < 500 or answer.code in (501, 503, 504), (raw, answer)


async def test_tables(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}}, "default")
    listed = (await send(api, "GET", CMS, accept=TABLE)).json
    assert (listed["kind"], listed["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in listed["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert listed["rows"][0]["cells"][:2] == ["a", 1]
    assert listed["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    one = (await send(api, "GET", f"{CMS}/a?includeObject=None", accept=TABLE)).json
    assert "object" not in one["rows"][0]
    missing = await send(api, "GET", f"{CMS}/b", accept=TABLE)
    assert (missing.code, missing.json["kind"]) == (404, "Status")


async def test_other_forms(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}}, "default")
    yaml = await send(api, "GET", f"{CMS}/a", accept="application/yaml")
    assert yaml.headers["content-type"] == "application/yaml"
    assert b"kind: ConfigMap" in yaml.body
    pretty = await send(api, "GET", f"{CMS}/a?pretty=true")
    assert b'\n  "kind": "ConfigMap"' in pretty.body
    partial = await send(api, "GET", CMS, accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert partial.json["kind"] == "PartialObjectMetadataList"
    assert "data" not in partial.json["items"][0]
    assert (await send(api, "GET", CMS, accept="application/cbor")).code == 406


async def test_yaml_bodies(api: RunningApi) -> None:
    body = b"metadata:\n  name: a\ndata:\n  k: v\n"
    answer = await send(api, "POST", CMS, body, content_type="application/yaml")
    assert (answer.code, answer.json["data"]) == (201, {"k": "v"})


async def test_unknown_fields_are_warned_of_or_refused(api: RunningApi) -> None:
    body = {"metadata": {"name": "a"}, "daat": {}}
    warned = await send(api, "POST", CMS, body)
    assert warned.code == 201
    assert warned.headers["warning"] == '299 - "unknown field \\"daat\\""'
    refused = await send(api, "POST", f"{CMS}?fieldValidation=Strict", {**body, "metadata": {"name": "b"}})
    assert refused.code == 400
    assert 'unknown field "daat"' in refused.json["message"]


async def test_big_answers_are_compressed_for_those_who_ask(api: RunningApi) -> None:
    await api.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"k": "v" * 200_000}}, "default")
    plain = await send(api, "GET", CMS)
    small = await send(api, "GET", CMS, accept_encoding="gzip")
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 10


async def test_chunked_lists(api: RunningApi) -> None:
    for number in range(5):
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": f"cm-{number}"}}, "default")
    first = (await send(api, "GET", f"{CMS}?limit=2")).json
    assert first["metadata"]["remainingItemCount"] == 3
    rest = (await send(api, "GET", f"{CMS}?limit=9&continue={first['metadata']['continue']}")).json
    assert [item["metadata"]["name"] for item in rest["items"]] == ["cm-2", "cm-3", "cm-4"]
    assert "continue" not in rest["metadata"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_discovery_in_both_forms(api: RunningApi) -> None:
    assert (await send(api, "GET", "/api")).json["versions"] == ["v1"]
    groups = (await send(api, "GET", "/apis")).json
    assert groups["kind"] == "APIGroupList"
    names = {each["name"] for each in (await send(api, "GET", "/apis/apps/v1")).json["resources"]}
    assert {"deployments", "deployments/scale", "deployments/status"} <= names
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    answer = await send(api, "GET", "/apis", accept=accept)
    assert answer.json["kind"] == "APIGroupDiscoveryList"
    assert {each["metadata"]["name"] for each in answer.json["items"]} == {each["name"] for each in groups["groups"]}
    again = await send(api, "GET", "/apis", accept=accept, if_none_match=answer.headers["etag"])
    assert (again.code, again.body) == (304, b"")


async def test_version(api: RunningApi) -> None:
    version = (await send(api, "GET", "/version")).json
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.0+skerry")


async def test_openapi(api: RunningApi) -> None:
    index = (await send(api, "GET", "/openapi/v3")).json
    path = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    document = (await send(api, "GET", path)).json
    assert "io.k8s.api.apps.v1.Deployment" in document["components"]["schemas"]
    assert (await send(api, "GET", "/openapi/v3/apis/none/v1")).code == 404


async def test_deleting_a_collection(api: RunningApi) -> None:
    for name, app in (("a", "x"), ("b", "x"), ("c", "y")):
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": name, "labels": {"app": app}}}, "default")
    deleted = (await send(api, "DELETE", f"{CMS}?labelSelector=app%3Dx")).json
    assert [item["metadata"]["name"] for item in deleted["items"]] == ["a", "b"]
    left = await api.client.list(CONFIG_MAPS, "default")
    assert [item["metadata"]["name"] for item in left.items] == ["c"]


async def test_the_default_namespace_cannot_be_deleted(api: RunningApi) -> None:
    answer = await send(api, "DELETE", "/api/v1/namespaces/default")
    assert (answer.code, answer.json["reason"]) == (403, "Forbidden")
    assert answer.json["message"] == 'namespaces "default" is forbidden: this namespace may not be deleted'


async def test_binding_and_eviction(api: RunningApi) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    await api.client.create(PODS, pod, "default")
    path = "/api/v1/namespaces/default/pods/p"
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "node"}}
    assert (await send(api, "POST", f"{path}/binding", binding)).code == 201
    bound = await api.client.get(PODS, "p", "default")
    assert bound["spec"]["nodeName"] == "node"
    assert bound["status"]["conditions"][-1]["type"] == "PodScheduled"
    again = await send(api, "POST", f"{path}/binding", binding)
    assert again.code == 409
    assert 'pod p is already assigned to node "node"' in again.json["message"]
    eviction = {"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 5}}
    assert (await send(api, "POST", f"{path}/eviction", eviction)).code == 201
    assert (await api.client.get(PODS, "p", "default"))["metadata"]["deletionGracePeriodSeconds"] == 5


async def test_services_are_told_what_is_taken(api: RunningApi) -> None:
    path = "/api/v1/namespaces/default/services"
    spec = {"ports": [{"port": 80}], "clusterIP": "10.112.0.1"}
    taken = await send(api, "POST", path, {"metadata": {"name": "a"}, "spec": spec})
    assert taken.code == 422
    assert "provided IP is already allocated" in taken.json["message"]
    outside = await send(api, "POST", path, {"metadata": {"name": "a"}, "spec": {**spec, "clusterIP": "192.168.0.1"}})
    assert "not in the valid range. The range of valid IPs is 10.112.0.0/16" in outside.json["message"]
    first = await api.client.create(
        SERVICES, {"metadata": {"name": "b"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}, "default"
    )
    port = first["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    same = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
    answer = await send(api, "POST", path, {"metadata": {"name": "c"}, "spec": same})
    assert "provided port is already allocated" in answer.json["message"]


async def test_a_namespace_has_its_label(api: RunningApi) -> None:
    namespace = await api.client.get(NAMESPACES, "default")
    assert namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] == "default"


async def test_an_endless_head_is_cut_short(api: RunningApi) -> None:
    answer = await send(api, "GET", CMS, x_long="x" * 70_000)
    assert (answer.code, answer.json["reason"]) == (400, "BadRequest")


async def test_who_makes_what_nothing_acts_on_is_told(api: RunningApi) -> None:
    more = {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.99.0.0/16"]}}
    made = await send(api, "POST", "/apis/networking.k8s.io/v1/servicecidrs", more)
    assert made.code == 201
    assert "servicecidrs.networking.k8s.io are stored, but nothing acts on them" in made.headers["warning"]
    plain = await send(api, "POST", CMS, {"metadata": {"name": "quiet"}})
    assert "warning" not in plain.headers


async def test_stopping_ends_what_others_have_closed_twice(api: RunningApi) -> None:
    """On asyncio's own loop: TLS of Debian 12's Python 3.11.2 forgets its protocol then, and cannot abort."""
    with socket.create_connection(("127.0.0.1", api.server.port)) as plain:
        client = await asyncio.to_thread(tls(api).wrap_socket, plain, server_hostname="127.0.0.1")
        (connection,) = await until(lambda: list(api.server._state.connections))
        for _ in range(2):
            connection.transport.close()  # this client says no goodbye
        await api.server.stop()
        client.close()
