"""What was granted to command lines and is not fetched yet: authorization codes (with PKCE) and device codes.

Kept in memory, for minutes: after a restart the person begins again. Every code is good once. Bounded, so that nobody
fills the memory. Source: RFC 6749, RFC 7636, RFC 8628.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from skerry.kube.clock import Clock
from skerry.kube.records import record
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.sessions.tokens import digest, new_token

_CODE_LIVES, DEVICE_LIVES, INTERVAL = timedelta(seconds=60), timedelta(minutes=10), 5
_MOST, _MOST_OF_ADDRESS = 1000, 20
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words (RFC 8628, 6.1)


@record
class Granted:
    """An authorization code's meaning."""

    username: str
    redirect_uri: str
    challenge: str
    """BASE64URL(SHA256(verifier))."""
    description: str
    until: datetime


@record
class Device:
    """A command line elsewhere that waits for somebody to say yes."""

    user_code: str
    address: str
    description: str
    until: datetime
    asked: datetime | None = None
    """When it last asked."""
    state: Literal["Waiting", "Allowed", "Denied"] = "Waiting"
    username: str = ""


class Codes:
    """Authorization codes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Granted] = {}

    def grant(self, username: str, redirect_uri: str, challenge: str, description: str) -> str:
        """The code. Raises TooMany."""
        now = self._clock.steady()
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        if len(self._kept) >= _MOST:
            raise TooMany("too many sign-ins at the moment: try again in a minute")
        code = new_token("skc")
        self._kept[digest(code)] = Granted(username, redirect_uri, challenge, description, now + _CODE_LIVES)
        return code

    def take(self, code: str, redirect_uri: str, verifier: str) -> Granted | None:
        """What was granted, to who began it; used up, also by a wrong verifier."""
        granted = self._kept.pop(digest(code), None)
        if granted is None or granted.until <= self._clock.steady() or granted.redirect_uri != redirect_uri:
            return None
        return granted if secrets.compare_digest(challenge_of(verifier), granted.challenge) else None


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class DeviceCodes:
    """Device codes, by the hash of the code that the device has and by the one that the person types."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Device] = {}

    def begin(self, address: str, description: str) -> tuple[str, str]:
        """The device code and the user code. Raises TooMany."""
        now = self._clock.steady()
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        theirs = sum(1 for one in self._kept.values() if one.address == address)
        if len(self._kept) >= _MOST or theirs >= _MOST_OF_ADDRESS:
            raise TooMany("too many devices wait for a sign-in: try again in some minutes")
        code, user_code = new_token("skd"), _user_code(one.user_code for one in self._kept.values())
        self._kept[digest(code)] = Device(user_code, address, description[:100], now + DEVICE_LIVES)
        return code, user_code

    def waiting(self, user_code: str) -> Device | None:
        """Who waits with the code that a person typed; case and dashes do not matter."""
        found = self._by_user_code(user_code)
        return self._kept[found] if found else None

    def answer(self, user_code: str, username: str, *, allowed: bool) -> bool:
        """A person's decision; False: nobody waits with this code."""
        found = self._by_user_code(user_code)
        if found is None:
            return False
        state: Literal["Allowed", "Denied"] = "Allowed" if allowed else "Denied"
        self._kept[found] = replace(self._kept[found], state=state, username=username)
        return True

    def poll(
        self, code: str
    ) -> Device | Literal["authorization_pending", "slow_down", "expired_token", "access_denied"]:
        """What the device is told; the Device when it is allowed, once. Errors by RFC 8628, 3.5."""
        key, now = digest(code), self._clock.steady()
        device = self._kept.get(key)
        if device is None or device.until <= now:
            return "expired_token"
        if device.state != "Waiting":
            del self._kept[key]
            return device if device.state == "Allowed" else "access_denied"
        too_early = device.asked is not None and now - device.asked < timedelta(seconds=INTERVAL - 1)
        self._kept[key] = replace(device, asked=now)
        return "slow_down" if too_early else "authorization_pending"

    def _by_user_code(self, user_code: str) -> str | None:
        wanted, now = _plain(user_code), self._clock.steady()
        for key, one in self._kept.items():
            if _plain(one.user_code) == wanted and one.until > now and one.state == "Waiting":
                return key
        return None


def _user_code(taken: Iterable[str]) -> str:
    known = set(taken)
    while True:
        letters = [secrets.choice(_LETTERS) for _ in range(8)]
        code = f"{''.join(letters[:4])}-{''.join(letters[4:])}"
        if code not in known:
            return code


def _plain(code: str) -> str:
    return "".join(one for one in code.upper() if one.isalpha())
