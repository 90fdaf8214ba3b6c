"""Orders at an ACME server: what it says of them, in plain data. Every call begins anew from URLs. Source: RFC 8555."""

from __future__ import annotations

from typing import Any

from acme import challenges, messages
from cryptography import x509
from josepy.json_util import decode_b64jose

from skerry.engine.certificates.helper.account import Connection, connected, retry_after


def new_order(account: dict[str, Any], names: list[str], addresses: list[str]) -> dict[str, Any]:
    """`url` and `finalize` of a new order, its `state`, and its `authorizations` as `authorization` gives them."""
    identifiers = [messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name) for name in names]
    identifiers += [messages.Identifier(typ=messages.IDENTIFIER_IP, value=address) for address in addresses]
    with connected(account) as connection:
        wanted = messages.NewOrder(identifiers=identifiers)
        answer = connection.post(connection.client.directory["newOrder"], wanted)
        body = answer.json()
        authorizations = [_authorization(connection, url) for url in body["authorizations"]]
        about = {"url": answer.headers["Location"], "finalize": body["finalize"], "state": body["status"]}
        return {**about, "authorizations": authorizations}


def order(account: dict[str, Any], url: str) -> dict[str, Any]:
    """`state`, `certificate` (its URL, "" before it is there), `error`, and `wait`: seconds the server asks for."""
    with connected(account) as connection:
        return _order(connection.post(url))


def finalize(account: dict[str, Any], url: str, request: str) -> dict[str, Any]:
    """The order after its request (PEM) was handed in at the order's `finalize` URL."""
    with connected(account) as connection:
        wanted = messages.CertificateRequest(csr=x509.load_pem_x509_csr(request.encode()))
        return _order(connection.post(url, wanted))


def chain(account: dict[str, Any], url: str) -> str:
    """The certificate and what leads to its root, PEM."""
    with connected(account) as connection:
        return connection.post(url).text


def authorization(account: dict[str, Any], url: str) -> dict[str, Any]:
    """`url`, `identifier`, `wildcard`, `state`, `error`, `wait`, and the `challenges` that are offered: `type`, `url`,
    `token`, `key` (the answer for HTTP-01) and `record` (that for DNS-01)."""
    with connected(account) as connection:
        return _authorization(connection, url)


def accept(account: dict[str, Any], url: str) -> str:
    """Tell the server that a challenge is ready to be looked at. Its state."""
    with connected(account) as connection:
        return str(connection.post(url, challenges.HTTP01Response(key_authorization="")).json()["status"])


def _order(answer: Any) -> dict[str, Any]:
    body = answer.json()
    about = {"state": body["status"], "certificate": body.get("certificate", "")}
    return {**about, "error": _problem(body.get("error")), "wait": retry_after(answer)}


def _authorization(connection: Connection, url: str) -> dict[str, Any]:
    answer = connection.post(url)
    body = answer.json()
    failed = (one.get("error") for one in body["challenges"])
    return {
        "url": url,
        "identifier": body["identifier"]["value"],
        "wildcard": bool(body.get("wildcard")),
        "state": body["status"],
        "error": next((text for one in failed if (text := _problem(one))), ""),
        "wait": retry_after(answer),
        "challenges": [_challenge(connection, one) for one in body["challenges"] if one["type"] in _KINDS],
    }


_KINDS = {"http-01": challenges.HTTP01, "dns-01": challenges.DNS01}


def _challenge(connection: Connection, offered: dict[str, Any]) -> dict[str, str]:
    challenge = _KINDS[offered["type"]](token=decode_b64jose(offered["token"]))
    is_http = offered["type"] == "http-01"
    return {
        "type": offered["type"],
        "url": offered["url"],
        "token": offered["token"],
        "state": offered["status"],
        "key": challenge.key_authorization(connection.key),
        "record": "" if is_http else str(challenge.validation(connection.key)),
    }


def _problem(body: dict[str, Any] | None) -> str:
    return f"{body.get('status', '')} {body.get('type', '')}: {body.get('detail', '')}".strip() if body else ""
