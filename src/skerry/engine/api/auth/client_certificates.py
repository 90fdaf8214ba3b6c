"""Whom the client certificate of a connection names, and whether it is good now.

OpenSSL has seen that our authority signed it. When it is good is judged here, by the clock that the instance's
certificates are made by, and again while the connection lasts: OpenSSL would do it once, and end the connection without
a word. Source: `apiserver/pkg/authentication/request/x509`.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from skerry.engine.api.auth.authentication import CREDENTIAL_ID, Refused, user_of_certificate
from skerry.engine.api.request import User
from skerry.kube.clock import rfc3339
from skerry.kube.records import record

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h; Python has no name for it


@record
class ClientCertificate:
    """A verified one. Times are seconds of Unix time."""

    user: User
    begins: float
    ends: float

    def user_at(self, now: datetime) -> User:
        """The user, or one who is refused with the reason."""
        if self.begins <= now.timestamp() <= self.ends:
            return self.user
        early = now.timestamp() < self.begins
        moment = rfc3339(datetime.fromtimestamp(self.begins if early else self.ends, UTC))
        what = "is not valid before" if early else "has expired at"
        return Refused(f"the client certificate of {self.user.name} {what} {moment}")


def ask_for_certificates(context: ssl.SSLContext) -> None:
    """Have a server's connections ask for client certificates, and take those only that its authorities signed."""
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)


def certificate_of(tls: ssl.SSLSocket | ssl.SSLObject) -> ClientCertificate | None:
    """What a connection's client has shown; None without a certificate, or one that names nobody."""
    shown = tls.getpeercert()
    known = user_of_certificate(shown)
    encoded = tls.getpeercert(binary_form=True)
    if not shown or known is None or encoded is None:
        return None
    named = replace(known, extra={CREDENTIAL_ID: (f"X509SHA256={hashlib.sha256(encoded).hexdigest()}",)})
    begins, ends = (ssl.cert_time_to_seconds(str(shown[key])) for key in ("notBefore", "notAfter"))
    return ClientCertificate(_one_of(named), begins, ends)


@lru_cache(1024)
def _one_of(named: User) -> User:
    """The same object for equal users: what is remembered by user is then found without comparing them."""
    return named
