"""Requests through the real Caddy, as Ingresses ask for: hosts, paths, backends, whose host it is."""

from __future__ import annotations

import pytest

from skerry.kube.objects import Resource
from skerry.kube.resources import INGRESS_CLASSES, INGRESSES, NAMESPACES, SERVICES
from tests.component.ingress.world import path, rule, running_ingress
from tests.support.waiting import until

pytestmark = pytest.mark.root


async def test_a_host_leads_to_its_service(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        answer = await ingress.answers("web.example.com", "/some?q=1", "web")
        assert answer.told["target"] == "/some?q=1"
        headers = answer.told["headers"]
        assert headers["host"] == "web.example.com"
        assert headers["x-real-ip"] == headers["x-forwarded-for"]
        assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", "80")
        spoofed = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "X-Request-ID": "mine"}
        headers = (await ingress.ask("web.example.com", headers=spoofed)).told["headers"]
        assert "203.0.113.9" not in (headers["x-real-ip"], headers["x-forwarded-for"])
        assert headers["x-request-id"] == "mine"
        unknown = await ingress.ask("other.example.com")
        assert unknown.status == 404
        assert b"No Ingress" in unknown.body
        await ingress.event("Sync", "served")


async def test_paths_are_matched_as_kubernetes_says(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        for name in ("root", "v2", "deep", "exact", "any"):
            await ingress.app(name)
        await ingress.create(
            "paths",
            rule(
                "a.example.com",
                path("/", "root"),
                path("/v2/", "v2", port="http"),
                path("/v2/deep", "deep"),
                path("/v2/deep", "exact", "Exact"),
                path("/any", "any", "ImplementationSpecific"),
            ),
        )
        await ingress.answers("a.example.com", "/", "root")
        expected = {
            "/x": "root", "/v2": "v2", "/v2/": "v2", "/v2/x": "v2", "/v2x": "root", "/V2/": "root",
            "/v2/deep": "exact", "/v2/deep/": "deep", "/v2/deep/x": "deep", "/v2/deeper": "v2", "/any/x": "any",
        }  # fmt: skip
        found = {place: (await ingress.ask("a.example.com", place)).told["app"] for place in expected}
        assert found == expected


async def test_exact_hosts_then_wildcards_then_everybody(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        for name in ("one", "wild", "all"):
            await ingress.app(name)
        await ingress.create("wild", rule("*.example.com", path("/", "wild")))
        await ingress.create("one", rule("one.example.com", path("/only", "one")))
        await ingress.create("all", defaultBackend={"service": {"name": "all", "port": {"number": 80}}})
        await ingress.answers("one.example.com", "/only", "one")
        await ingress.answers("two.example.com", "/", "wild")
        await ingress.answers("two.one.example.com", "/", "all")
        await ingress.answers("elsewhere.org", "/", "all")
        assert (await ingress.ask("one.example.com", "/")).status == 404, "the host's rules decide about the host"


async def test_a_default_backend_takes_what_no_path_of_its_hosts_does() -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.app("rest")
        default = {"service": {"name": "rest", "port": {"name": "http"}}}
        await ingress.create("web", rule("web.example.com", path("/web", "web")), defaultBackend=default)
        await ingress.answers("web.example.com", "/web", "web")
        await ingress.answers("web.example.com", "/", "rest")


async def test_without_endpoints_the_answer_says_so() -> None:
    async with running_ingress() as ingress:
        app = await ingress.app("web", service=False)
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        answer = await ingress.status("web.example.com", "/", 503)
        assert b"no pod that is ready" in answer.body
        await ingress.event("NoBackend", "there is no Service default/web")
        await ingress.publish("web", [app])
        await ingress.answers("web.example.com", "/", "web")
        app.stop()
        answer = await ingress.status("web.example.com", "/", 502)
        assert b"does not answer" in answer.body


async def test_a_connection_that_fails_is_tried_elsewhere() -> None:
    async with running_ingress() as ingress:
        good = await ingress.app("good", service=False)
        bad = await ingress.app("bad", service=False)
        await ingress.publish("web", [good, bad])
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        await ingress.answers("web.example.com", "/", "bad")
        bad.stop()
        for _ in range(10):
            answer = await ingress.ask("web.example.com", method="POST", body=b"x")
            assert answer.told["app"] == "good"


async def test_the_namespace_that_asked_first_keeps_the_host() -> None:
    async with running_ingress() as ingress:
        client = ingress.world.client
        await client.create(NAMESPACES, {"metadata": {"name": "other"}})
        for name in ("mine", "more"):
            await ingress.app(name)
        await ingress.app("theirs", "other")
        mine = await ingress.create("mine", rule("h.example.com", path("/", "mine")))
        await ingress.answers("h.example.com", "/", "mine")
        await ingress.in_another_second(mine)
        await ingress.create("theirs", rule("h.example.com", path("/theirs", "theirs")), namespace="other")
        await ingress.event("HostTaken", "host h.example.com belongs to the older Ingress default/mine")
        await ingress.create("more", rule("h.example.com", path("/more", "more"), path("/", "more")))
        await ingress.answers("h.example.com", "/more", "more")
        await ingress.event("PathTaken", "h.example.com/ is served by default/mine already")
        assert (await ingress.ask("h.example.com", "/theirs")).told["app"] == "mine"
        for name in ("mine", "more"):
            await client.delete(INGRESSES, name, "default")
        await ingress.answers("h.example.com", "/theirs", "theirs")


async def test_only_ingresses_of_our_classes_are_served() -> None:
    async with running_ingress() as ingress:
        client = ingress.world.client
        await ingress.app("web")
        await ingress.create("default", rule("default.example.com", path("/", "web")))
        await ingress.create("named", rule("named.example.com", path("/", "web")), ingressClassName="nginx")
        old = {"kubernetes.io/ingress.class": "nginx"}
        await ingress.create("old", rule("old.example.com", path("/", "web")), annotations=old)
        await ingress.create("other", rule("other.example.com", path("/", "web")), ingressClassName="traefik")
        for host in ("default", "named", "old"):
            await ingress.answers(f"{host}.example.com", "/", "web")
        assert (await ingress.ask("other.example.com")).status == 404
        assert (await client.get(INGRESSES, "default", "default"))["spec"]["ingressClassName"] == "skerry"

        foreign = {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
        await client.create(INGRESS_CLASSES, foreign)
        for host in ("named", "old"):
            await ingress.status(f"{host}.example.com", "/", 404)
        await ingress.answers("default.example.com", "/", "web")


async def test_the_status_has_the_address_of_the_service_until_the_class_changes() -> None:
    async with running_ingress() as ingress:
        client = ingress.world.client
        await ingress.app("web")
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        await ingress.answers("web.example.com", "/", "web")
        await ingress.world.until(lambda: ingress.world.get(SERVICES, "ingress", "kube-system"))
        service = await client.get(SERVICES, "ingress", "kube-system")
        assert service["spec"]["type"] == "LoadBalancer"

        async def address(resource: Resource, name: str, namespace: str) -> object:
            status = (await client.get(resource, name, namespace)).get("status") or {}
            return [one["ip"] for one in (status.get("loadBalancer") or {}).get("ingress") or ()]

        async def has_address() -> bool:
            given = await address(SERVICES, "ingress", "kube-system")
            return bool(given) and given == await address(INGRESSES, "web", "default")

        await until(has_address, "the address of the Service")
        await client.patch(INGRESSES, "web", {"spec": {"ingressClassName": "traefik"}}, "default")

        async def has_none() -> bool:
            return not await address(INGRESSES, "web", "default")

        await until(has_none, "no address")
        await ingress.status("web.example.com", "/", 404)


async def test_names_outside_the_cluster_and_other_resources() -> None:
    async with running_ingress() as ingress:
        app = await ingress.app("web", service=False)
        spec = {"type": "ExternalName", "externalName": "192.0.2.10"}
        await ingress.world.client.create(SERVICES, {"metadata": {"name": "out"}, "spec": spec}, "default")
        resource = {"backend": {"resource": {"apiGroup": "example.com", "kind": "Bucket", "name": "b"}}}
        await ingress.create(
            "out",
            rule("out.example.com", path("/", "out", port=app.port), {"path": "/b", "pathType": "Prefix", **resource}),
        )
        await ingress.answers("out.example.com", "/", "web")
        await ingress.event("UnsupportedBackend", "kind Bucket are not supported")
