"""Certificates: whose is shown to whom, and what is done without a usable one."""

from __future__ import annotations

import asyncio
import base64
import ssl

import pytest

from skerry.engine.definitions.acme import CHALLENGES
from skerry.engine.definitions.all import ALL
from skerry.engine.definitions.installing import install
from skerry.kube.resources import SECRETS
from tests.component.ingress.certificates import Authority, issuer_of, names_in, trusting_anybody
from tests.component.ingress.world import Ingresses, path, rule, running_ingress
from tests.support.waiting import until

pytestmark = pytest.mark.root
TLS = "kubernetes.io/tls"


def tls(secret: str, *hosts: str) -> list[dict[str, object]]:
    """`spec.tls` with one entry."""
    return [{"hosts": list(hosts), **({"secretName": secret} if secret else {})}]


async def shown_from(ingress: Ingresses, host: str, issuer: str) -> bytes:
    """Wait until the certificate shown for a host is of this issuer."""

    async def found() -> bytes:
        certificate = (await ingress.ask(host, tls=trusting_anybody())).certificate
        return certificate if issuer in issuer_of(certificate) else b""

    return await until(found, f"a certificate of {issuer} for {host}")


async def test_the_secret_of_a_host_is_shown_and_http_leads_to_https(either_caddy: str) -> None:
    authority = Authority.make()
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.secret("own", authority.secret("web.example.com"), TLS)
        await ingress.secret("wild", authority.secret("*.apps.example.com"), TLS)
        await ingress.create("web", rule("web.example.com", path("/", "web")), tls=tls("own", "web.example.com"))
        wild = tls("wild", "*.apps.example.com")
        await ingress.create("wild", rule("*.apps.example.com", path("/", "web")), tls=wild)
        await shown_from(ingress, "web.example.com", "Test CA")
        answer = await ingress.answers("web.example.com", "/", "web", tls=authority.context())
        assert answer.told["headers"]["x-forwarded-proto"] == "https"
        assert answer.told["headers"]["x-forwarded-port"] == "443"
        await ingress.answers("one.apps.example.com", "/", "web", tls=authority.context())
        answer = await ingress.status("web.example.com", "/p?q", 308)
        assert answer.headers["location"] == "https://web.example.com/p?q"
        await ingress.secret("pair", authority.secret("a.example.org", "b.example.org"), TLS)
        pair = tls("pair", "a.example.org", "b.example.org")
        rules = [rule(host, path("/", "web")) for host in ("a.example.org", "b.example.org")]
        await ingress.create("pair", *rules, tls=pair)
        for host in ("a.example.org", "b.example.org"):
            await ingress.answers(host, "/", "web", tls=authority.context())
        await ingress.create(
            "both",
            rule("both.example.com", path("/", "web")),
            annotations={"ssl-redirect": "false"},
            tls=tls("own", "both.example.com"),
        )
        await ingress.answers("both.example.com", "/", "web")


async def test_a_host_without_a_usable_secret_gets_a_certificate_of_the_built_in_authority() -> None:
    authority = Authority.make()
    async with running_ingress() as ingress:
        await ingress.app("web")
        for host in ("plain.example.com", "named.example.com"):
            await ingress.create(host, rule(host, path("/", "web")), tls=tls("", host))
        certificate = await shown_from(ingress, "plain.example.com", "")
        assert names_in(certificate) == ["plain.example.com"]
        built_in = await ingress.world.client.get(SECRETS, "skerry-ca", "kube-system")
        trusted = base64.b64decode(built_in["data"]["tls.crt"]).decode()
        context = ssl.create_default_context(cadata=trusted)
        await ingress.answers("plain.example.com", "/", "web", tls=context)
        await ingress.create("web", rule("web.example.com", path("/", "web")), tls=tls("soon", "web.example.com"))
        await ingress.event("MissingCertificate", "Secret default/soon does not exist: web.example.com is served")
        await ingress.answers("web.example.com", "/", "web", tls=context)
        await ingress.secret("soon", authority.secret("web.example.com"), TLS)
        await ingress.answers("web.example.com", "/", "web", tls=authority.context())


async def test_certificates_that_cannot_be_used_are_named_and_replaced() -> None:
    authority = Authority.make()
    pair = authority.secret("web.example.com")
    async with running_ingress() as ingress:
        await ingress.app("web")
        bad = {
            "mixed": ({**pair, "tls.key": authority.secret("web.example.com")["tls.key"]}, "does not belong"),
            "foreign": (authority.secret("other.example.com"), "is not for foreign.example.com"),
            "over": (authority.secret("over.example.com", days=-1), "is over since"),
            "text": ({"tls.crt": "no", "tls.key": "no"}, "is no certificate in PEM"),
        }
        for name, (texts, _) in bad.items():
            await ingress.secret(name, texts, "Opaque" if name in ("mixed", "text") else TLS)
            host = f"{name}.example.com"
            await ingress.create(name, rule(host, path("/", "web")), tls=tls(name, host))
        for name, (_, reason) in bad.items():
            await ingress.event("BadCertificate", reason)
            certificate = await shown_from(ingress, f"{name}.example.com", "")
            assert names_in(certificate) == [f"{name}.example.com"]
            assert "Test CA" not in issuer_of(certificate)


async def test_http_2_and_names_nobody_has() -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.create("web", rule("web.example.com", path("/", "web")))
        await ingress.answers("web.example.com", "/", "web", tls=trusting_anybody())
        unknown = await ingress.ask("nobody.example.com", tls=trusting_anybody())
        assert unknown.status == 404
        assert names_in(unknown.certificate) == ["ingress.local"]
        context = trusting_anybody()
        context.set_alpn_protocols(["h2"])
        listeners = ingress.ingress._controller.caddy.listeners
        _, writer = await asyncio.open_connection(
            listeners.addresses[0], listeners.https, ssl=context, server_hostname="web.example.com"
        )
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        writer.close()


async def test_answers_for_acme_servers_come_before_redirects(either_caddy: str) -> None:
    async with running_ingress() as ingress:
        client = ingress.world.client
        await install(client, ALL)
        await ingress.app("web")
        host = "web.example.com"
        await ingress.create("web", rule(host, path("/", "web")), tls=tls("soon", host))
        await ingress.status(host, "/", 308)
        spec = {
            "url": "https://acme.example.com/1", "authorizationURL": "https://acme.example.com/2", "dnsName": host,
            "type": "HTTP-01", "token": "to-ken_1", "key": "to-ken_1.thumb", "issuerRef": {"name": "le"},
            "solver": {"http01": {"ingress": {}}},
        }  # fmt: skip
        await client.create(CHALLENGES, {"metadata": {"name": "one"}, "spec": spec}, "default")

        async def presented() -> bool:
            return bool((await client.get(CHALLENGES, "one", "default")).get("status", {}).get("presented"))

        await until(presented, "the challenge is presented")
        answer = await ingress.ask(host, "/.well-known/acme-challenge/to-ken_1")
        assert (answer.status, answer.body) == (200, b"to-ken_1.thumb")
        assert answer.headers["content-type"] == "text/plain"
        assert (await ingress.ask(host, "/.well-known/acme-challenge/other")).status == 308
        await client.delete(CHALLENGES, "one", "default")
        await ingress.status(host, "/.well-known/acme-challenge/to-ken_1", 308)
