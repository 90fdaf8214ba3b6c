"""What the ACME server will see: the answer to an HTTP-01 challenge, the record of a DNS-01 one, and the zone it is in.

Looked at before the server is told to look, because servers count failures. Name servers are the machine's, unless
some are given (`address[:port]`). Source of the behaviour: cert-manager's `pkg/issuer/acme/http` and `dns/util`.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from urllib.parse import urljoin, urlsplit

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from skerry.engine.certificates.helper.errors import Refused

_PATIENCE = 10.0  # seconds for each step
_REDIRECTS = 5
_ALIASES = 10
_LONGEST = 4096  # bytes of an answer that are looked at


def check_http(host: str, path: str, key: str, port: int, servers: list[str]) -> str:
    """Why an ACME server would not find `key` at that path, "" when it would."""
    url = f"http://{host}{f':{port}' if port != 80 else ''}{path}"
    for _ in range(_REDIRECTS):
        try:
            status, location, body = _get(url, servers)
        except (OSError, http.client.HTTPException, dns.exception.DNSException) as error:
            return f"failed to perform self check GET request '{url}': {error}"
        if status not in (301, 302, 303, 307, 308):
            break
        url = urljoin(url, location)
    if status != 200:
        return f"wrong status code '{status}', expected '200', from {url}"
    return "" if body.strip() == key else f"did not get expected response from {url}"


def _get(url: str, servers: list[str]) -> tuple[int, str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = _connect(parts.scheme, _address_of(host, servers), parts.port)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": parts.netloc, "User-Agent": "skerry"})
        answer = connection.getresponse()
        body = answer.read(_LONGEST).decode("ascii", "replace")
        return answer.status, answer.headers.get("Location", ""), body
    finally:
        connection.close()


def _connect(scheme: str, address: str, port: int | None) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(address, port or 80, timeout=_PATIENCE)
    anybody = ssl.create_default_context()
    anybody.check_hostname = False  # as ACME servers do: this is about to get a certificate
    anybody.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, port or 443, timeout=_PATIENCE, context=anybody)


def _address_of(host: str, servers: list[str]) -> str:
    return str(_resolver(servers).resolve(host, "A", search=False)[0]) if servers else host


def check_txt(name: str, value: str, servers: list[str]) -> str:
    """Why one of these servers does not show the TXT record yet, "" when all do."""
    for server in servers:
        try:
            answer = _resolver([server]).resolve(name, "TXT", search=False)
        except dns.exception.DNSException as error:
            return f"{server} does not show the record {name} yet: {error}"
        if value not in [b"".join(record.strings).decode() for record in answer]:
            return f"{server} shows another record {name} still"
    return ""


def zone_of(name: str, servers: list[str]) -> str:
    """The zone that a name is in. Raises Refused when no server knows."""
    wanted = dns.name.from_text(name)
    resolver = _resolver(servers)
    while wanted != dns.name.root:
        try:
            resolver.resolve(wanted, "SOA", search=False)
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            wanted = wanted.parent()
        except dns.exception.DNSException as error:
            raise Refused(f"the zone of {name} cannot be found: {error}", "network") from None
        else:
            return wanted.to_text(omit_final_dot=True)
    raise Refused(f"no zone of {name} is known to {', '.join(servers) or 'the name servers of this machine'}")


def alias_of(name: str, servers: list[str]) -> str:
    """What a name is an alias for in the end; itself when it is none."""
    for _ in range(_ALIASES):
        try:
            answer = _resolver(servers).resolve(name, "CNAME", search=False)
        except dns.exception.DNSException:
            return name
        name = str(answer[0].target.to_text(omit_final_dot=True))
    raise Refused(f"{name} is an alias of an alias, over and over")


def servers_of(zone: str, primary: str) -> list[str]:
    """The primary server of a zone, and the addresses of those that the zone names, as far as these are known."""
    found = [primary]
    with contextlib.suppress(dns.exception.DNSException, OSError):
        for record in _resolver([primary]).resolve(zone, "NS", search=False):
            host = record.target.to_text(omit_final_dot=True)
            found += [str(one[4][0]) for one in socket.getaddrinfo(host, 53, socket.AF_INET, socket.SOCK_DGRAM)]
    return list(dict.fromkeys(found))


def _resolver(servers: list[str]) -> dns.resolver.Resolver:
    if not servers:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.lifetime = _PATIENCE
    resolver.nameservers = [_server(one) for one in servers]
    return resolver


def _server(text: str) -> dns.nameserver.Do53Nameserver:
    from dns.nameserver import Do53Nameserver

    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    return Do53Nameserver(address.strip("[]"), int(port or 53))
