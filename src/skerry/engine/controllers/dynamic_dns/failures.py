"""Why a DNS server did not do what it was asked: a reason for conditions and events, a message for people."""

from __future__ import annotations


class DnsError(Exception):
    """`reason` is a CamelCase word: Unreachable, TimedOut, BadKey, BadSignature, BadTime, Refused, NotAuthoritative,
    NotInZone, ServerFailure, NotImplemented, BadAnswer, Invalid, PrerequisiteFailed."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PrerequisiteFailed(DnsError):
    """The zone is not as the update supposed; nothing was changed. `code`: YXDOMAIN, YXRRSET, NXDOMAIN, NXRRSET."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__("PrerequisiteFailed", message)
        self.code = code


class ServerTrouble(DnsError):
    """The server, or the way there, or the key: every other question would fail in the same way now."""
