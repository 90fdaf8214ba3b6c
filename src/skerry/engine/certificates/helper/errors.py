"""How calls of the helper fail."""

from __future__ import annotations


class HelperError(OSError):
    """The helper broke down or could not be started: worth trying again."""


class Refused(Exception):
    """What was asked for cannot be done; the message is for people."""

    def __init__(self, message: str, kind: str = "invalid", retry_after: float = 0.0, status: int = 0) -> None:
        """`kind`: an ACME error ("rateLimited"), "network" when nobody answered, or "invalid". `retry_after`: seconds
        that the other side asks to wait, 0 for none. `status`: of an ACME server's HTTP answer, 0 without one."""
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same may succeed later: nobody answered, or the server was not well."""
        return self.kind in ("network", "serverInternal", "badNonce") or self.status >= 500
