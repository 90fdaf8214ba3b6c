"""Finds what routes need beside Ingresses and Services: certificates, passwords, headers; remembers what it checked.

What is missing or wrong becomes a problem of the Ingress that names it. A host without a usable certificate of its own
gets one of the built-in authority, made when it is first needed and again before it is over.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from skerry.engine.network.ingress import annotation_values
from skerry.engine.network.ingress.annotations import PREFIX, Problem
from skerry.engine.network.ingress.certificates import BadCertificate, Issued, checked, issue
from skerry.engine.network.ingress.materials import Certificate, Materials
from skerry.engine.network.ingress.passwords import accounts
from skerry.engine.network.ingress.plan import Site
from skerry.engine.network.ingress.rules import Wanted
from skerry.kube.objects import Obj, uid_of

ObjectOf = Callable[[str, str], Obj | None]
"""A Secret or ConfigMap by name and namespace."""
_Checked = tuple[tuple[str, str, str], Certificate | str]


class Gathering:
    """Keeps certificates between one plan and the next."""

    def __init__(self, secret_of: ObjectOf, config_map_of: ObjectOf) -> None:
        self._secret_of, self._config_map_of = secret_of, config_map_of
        self._issued: dict[str, Issued] = {}
        self._checked: dict[tuple[str, str], _Checked] = {}

    def gather(
        self, sites: Sequence[Site], asking: Sequence[Wanted], authority: tuple[bytes, bytes], now: datetime
    ) -> Materials:
        """Everything; slow when there are new certificates: call it in a thread. Raises ValueError for an authority
        that cannot issue."""
        problems: dict[str, list[Problem]] = defaultdict(list)
        certificates: dict[str, Certificate] = {}
        for host in {"", *(site.host for site in sites)}:
            certificates[host] = self._own(host, authority, now)
        for site in sites:
            if site.tls is not None and site.tls.secret and site.host:
                found = self._from_secret(site.tls.secret, site.host, now)
                if isinstance(found, Problem):
                    problems[site.tls.ingress].append(found)
                else:
                    certificates[site.host] = found
        self._issued = {host: one for host, one in self._issued.items() if host in certificates}
        passwords = {one.key: self._passwords(one, problems[one.key]) for one in asking if one.settings.basic_auth}
        headers = {one.key: self._headers(one, problems[one.key]) for one in asking if one.settings.answer_headers}
        return Materials(certificates, passwords, headers, dict(problems))

    def renewal(self) -> datetime | None:
        """When a certificate of the built-in authority must be made anew."""
        return min((one.renew for one in self._issued.values()), default=None)

    def _own(self, host: str, authority: tuple[bytes, bytes], now: datetime) -> Certificate:
        known = self._issued.get(host)
        if known is None or known.renew <= now or known.issuer != authority[0]:
            known = self._issued[host] = issue(host, authority, now)
        return known.certificate

    def _from_secret(self, key: str, host: str, now: datetime) -> Certificate | Problem:
        namespace, _, name = key.partition("/")
        secret = self._secret_of(name, namespace)
        if secret is None:
            return Problem("MissingCertificate", f"Secret {key} does not exist: {_instead(host)}")
        version = (uid_of(secret), secret["metadata"].get("resourceVersion", ""), f"{now:%Y-%m-%d}")
        known = self._checked.get((key, host))
        if known is None or known[0] != version:
            known = self._checked[key, host] = (version, _certificate(secret, host, now))
        if isinstance(known[1], str):
            return Problem("BadCertificate", f"Secret {key}: {known[1]}: {_instead(host)}")
        return known[1]

    def _passwords(self, one: Wanted, problems: list[Problem]) -> Mapping[str, str]:
        auth = one.settings.basic_auth
        assert auth is not None
        secret = self._object(one, auth.secret, self._secret_of, "auth-secret", problems)
        if secret is None:
            return {}
        known, refused = accounts(auth, secret)
        if refused:
            message = f"Secret {auth.secret}: the passwords of {', '.join(refused)} are not in bcrypt (htpasswd -B)"
            problems.append(Problem("UnsupportedPassword", message))
        return known

    def _headers(self, one: Wanted, problems: list[Problem]) -> Mapping[str, str]:
        found = self._object(one, one.settings.answer_headers, self._config_map_of, "custom-headers", problems)
        headers: dict[str, str] = {}
        for name, text in ((found or {}).get("data") or {}).items():
            try:
                headers[annotation_values.token(name)] = annotation_values.line(text)
            except ValueError as error:
                problems.append(Problem("InvalidHeader", f"{one.settings.answer_headers}: {name}: {error}"))
        return headers

    def _object(self, one: Wanted, name: str, lookup: ObjectOf, annotation: str, problems: list[Problem]) -> Obj | None:
        """Of the Ingress's own namespace: others have not agreed to have theirs used."""
        namespace, _, short = name.rpartition("/")
        if namespace not in ("", one.namespace):
            problems.append(Problem("RefusedAnnotation", f"{PREFIX}{annotation}: {name} is in another namespace"))
            return None
        found = lookup(short, one.namespace)
        if found is None:
            problems.append(Problem("MissingObject", f"{PREFIX}{annotation}: {one.namespace}/{short} does not exist"))
        return found


def _certificate(secret: Obj, host: str, now: datetime) -> Certificate | str:
    """The certificate, or what is wrong with it."""
    data = secret.get("data") or {}
    try:
        certificate, key = (base64.b64decode(data.get(name, "")).decode() for name in ("tls.crt", "tls.key"))
        return checked(certificate, key, host, now)
    except BadCertificate as error:
        return str(error)
    except (binascii.Error, UnicodeDecodeError):
        return "tls.crt or tls.key is no text"


def _instead(host: str) -> str:
    return f"{host} is served with a certificate of the built-in CA"
