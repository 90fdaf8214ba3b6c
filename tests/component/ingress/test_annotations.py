"""What annotations of ingress-nginx do to requests, with both Caddies."""

from __future__ import annotations

import asyncio
import base64

import pytest

from skerry.kube.resources import CONFIG_MAPS
from tests.component.ingress.world import Ingresses, path, rule, running_ingress

pytestmark = pytest.mark.root
_BCRYPT = "$2y$05$CH6AsPzQHj3DTTsGjsgHN.3OycNmq2HkaBDoypR1hYI/0np.5Ovg2"


async def _one(ingress: Ingresses, name: str, place: str = "/", **annotations: str) -> str:
    """An Ingress for one host with these annotations (underscores for hyphens); the host."""
    host = f"{name}.example.com"
    given = {key.replace("_", "-"): text for key, text in annotations.items()}
    kind = "ImplementationSpecific"
    await ingress.create(name, rule(host, path(place, "web", kind)), annotations=given)
    return host


async def test_rewriting(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "groups", "/app(/|$)(.*)", use_regex="true", rewrite_target="/$2")
        await ingress.answers(host, "/app/x", "web")
        wanted = {"/app": "/", "/app/": "/", "/app/a/b?c=d": "/a/b?c=d", "/APP/x": "/x"}
        assert {place: (await ingress.ask(host, place)).told["target"] for place in wanted} == wanted
        assert (await ingress.ask(host, "/apple")).status == 404
        host = await _one(ingress, "fixed", "/", rewrite_target="/base")
        assert (await ingress.answers(host, "/x?y=z", "web")).told["target"] == "/base?y=z"
        await _one(ingress, "broken", "/(?!no)", use_regex="true")
        await ingress.event("InvalidPath", "is no regular expression")


async def test_redirects(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "root", app_root="/hub")
        assert (await ingress.status(host, "/", 302)).headers["location"] == "/hub"
        await ingress.answers(host, "/hub", "web")
        host = await _one(ingress, "moved", permanent_redirect="https://new.example.com/x")
        assert (await ingress.status(host, "/", 301)).headers["location"] == "https://new.example.com/x"
        host = await _one(ingress, "coded", permanent_redirect="https://n.example.com", permanent_redirect_code="308")
        await ingress.status(host, "/", 308)
        host = await _one(ingress, "away", temporal_redirect="https://new.example.com")
        await ingress.status(host, "/", 302)
        host = await _one(ingress, "www", from_to_www_redirect="true")
        answer = await ingress.status("www.www.example.com", "/p?q=1", 404)
        host = await _one(ingress, "secured", force_ssl_redirect="true")
        answer = await ingress.status(host, "/p?q=1", 308)
        assert answer.headers["location"] == f"https://{host}/p?q=1"


async def test_names_beside_the_rules(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.create(
            "site",
            rule("site.org", path("/", "web")),
            annotations={"from-to-www-redirect": "true", "server-alias": "b.org"},
        )
        await ingress.answers("b.org", "/", "web")
        answer = await ingress.status("www.site.org", "/p?q=1", 308)
        assert answer.headers["location"] == "http://site.org/p?q=1"


async def test_sizes_of_bodies(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "small", proxy_body_size="1k")
        await ingress.answers(host, "/", "web")
        assert (await ingress.ask(host, method="POST", body=b"x" * 1024)).told["length"] == 1024
        refused = await ingress.ask(host, method="POST", body=b"x" * 1025)
        assert refused.status == 413
        assert b"larger than" in refused.body
        host = await _one(ingress, "large")
        await ingress.answers(host, "/", "web")
        assert (await ingress.ask(host, method="POST", body=b"x" * (8 << 20))).told["length"] == 8 << 20


async def test_time_to_answer(either_caddy: str) -> None:
    """Who takes longer to begin an answer than is allowed is given up; others are not concerned."""
    async with running_ingress() as ingress:
        app = await ingress.app("web")
        patient = await _one(ingress, "patient", proxy_read_timeout="3600")
        hasty = await _one(ingress, "hasty", proxy_read_timeout="1")
        await ingress.answers(patient, "/", "web")
        await ingress.answers(hasty, "/", "web")
        waiting = asyncio.ensure_future(ingress.ask(patient, "/slow"))
        async with asyncio.timeout(45):  # well before the minute that everybody has
            assert (await ingress.ask(hasty, "/slow")).status == 504
        assert not waiting.done()
        app.delay.set()
        assert (await waiting).status == 200


async def test_passwords(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        given = {"auth-type": "basic", "auth-secret": "users", "auth-realm": "lab"}
        host = await _one(ingress, "safe", **given)
        answer = await ingress.status(host, "/", 503)
        assert b"Secret" in answer.body
        await ingress.event("MissingObject", "default/users does not exist")
        await ingress.secret("users", {"auth": f"anna:{_BCRYPT}\nold:$apr1$x$y\n"})
        answer = await ingress.status(host, "/", 401)
        assert answer.headers["www-authenticate"] == 'Basic realm="lab"'
        await ingress.event("UnsupportedPassword", "the passwords of old are not in bcrypt")
        for login, status in (("anna:myPassword", 200), ("anna:wrong", 401), ("old:x", 401)):
            header = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
            assert (await ingress.ask(host, headers=header)).status == status


async def test_who_may_come(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "closed", whitelist_source_range="203.0.113.0/24")
        answer = await ingress.status(host, "/", 403)
        assert b"may not be reached" in answer.body
        host = await _one(ingress, "open", allowlist_source_range="10.0.0.0/8,192.0.2.0/24,127.0.0.0/8")
        await ingress.answers(host, "/", "web")
        host = await _one(ingress, "denied", denylist_source_range="0.0.0.0/0")
        await ingress.status(host, "/", 403)


async def test_other_origins(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "any", enable_cors="true")
        answer = await ingress.answers(host, "/", "web", headers={"Origin": "https://a.org"})
        assert answer.headers["access-control-allow-origin"] == "*"
        origins = "https://a.org, https://*.b.org"
        host = await _one(ingress, "some", enable_cors="true", cors_allow_origin=origins, cors_max_age="5")
        preflight = {"Origin": "https://x.b.org", "Access-Control-Request-Method": "PUT"}
        answer = await ingress.status(host, "/", 204, method="OPTIONS", headers=preflight)
        assert answer.headers["access-control-allow-origin"] == "https://x.b.org"
        assert answer.headers["access-control-max-age"] == "5"
        answer = await ingress.ask(host, headers={"Origin": "https://c.org"})
        assert "access-control-allow-origin" not in answer.headers


async def test_headers(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(ingress, "up", upstream_vhost="inner.local", x_forwarded_prefix="/pre")
        headers = (await ingress.answers(host, "/", "web")).told["headers"]
        assert (headers["host"], headers["x-forwarded-prefix"]) == ("inner.local", "/pre")
        body = {"metadata": {"name": "extra"}, "data": {"X-Frame-Options": "DENY"}}
        await ingress.world.client.create(CONFIG_MAPS, body, "default")
        host = await _one(ingress, "down", custom_headers="default/extra")
        assert (await ingress.answers(host, "/", "web")).headers["x-frame-options"] == "DENY"


async def test_the_same_pod_for_the_same_client(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        apps = [await ingress.app(name, service=False) for name in ("one", "two", "three")]
        await ingress.publish("web", apps)
        host = await _one(ingress, "sticky", affinity="cookie", session_cookie_name="route")
        answer = await ingress.status(host, "/", 200)
        cookie = answer.headers["set-cookie"].partition(";")[0]
        assert cookie.startswith("route=")
        same = [(await ingress.ask(host, headers={"Cookie": cookie})).told["app"] for _ in range(6)]
        assert set(same) == {answer.told["app"]}


async def test_another_server_is_asked_first(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        gate = await ingress.app("gate", service=False)
        url = f"http://192.0.2.10:{gate.port}"
        host = await _one(ingress, "asked", auth_url=f"{url}/auth?x=1", auth_response_headers="Content-Type")
        forged = {"Content_Type": "text/forged", "Connection": "close, content-type", "Kept": "1"}
        answer = await ingress.answers(host, "/page", "web", method="POST", headers=forged)
        asked = gate.requests[-1]
        assert (asked["method"], asked["target"]) == ("GET", "/auth?x=1")
        assert asked["headers"]["x-original-method"] == "POST"
        told = answer.told["headers"]
        assert (told["content-type"], told["kept"], "content_type" in told) == ("application/json", "1", False)
        host = await _one(ingress, "refused", auth_url=f"{url}/no", auth_signin="https://login.example.com/start")
        answer = await ingress.status(host, "/page", 302)
        assert answer.headers["location"] == f"https://login.example.com/start?rd=http://{host}/page"


async def test_what_is_not_known_is_reported_by_name() -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        host = await _one(
            ingress, "odd", limit_rps="5", server_snippet="return 200;", proxy_body_size="big", proxy_buffering="on"
        )
        await ingress.answers(host, "/", "web")
        await ingress.status(await _one(ingress, "shut", auth_url="gate.example.com/no-scheme"), "/", 503)
        await ingress.event("InvalidAnnotation", "nginx.ingress.kubernetes.io/auth-url")
        await ingress.event("UnsupportedAnnotation", "nginx.ingress.kubernetes.io/limit-rps is not supported")
        await ingress.event("RefusedAnnotation", "nginx.ingress.kubernetes.io/server-snippet is refused")
        await ingress.event("InvalidAnnotation", "nginx.ingress.kubernetes.io/proxy-body-size: 'big': must be a size")
        assert not any("proxy-buffering" in message for message in ingress.world.events("UnsupportedAnnotation"))
