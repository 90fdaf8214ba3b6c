"""String formats a custom resource's schema may ask for; others are ignored, as in Kubernetes.

Source: kube-openapi `pkg/validation/strfmt` and `apiserver/validation/formats.go` of the apiextensions server.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date
from email.utils import parseaddr
from urllib.parse import urlsplit

from skerry.kube.durations import parse_duration

_HOST_LABEL = re.compile(r"[a-zA-Z0-9_]([-a-zA-Z0-9_]{0,61}[a-zA-Z0-9_])?")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(\.\d+)?(z|[+-]\d\d:\d\d)")
_UNITS = re.compile(
    r"(?<!\d)\d+\s*(ns|nano\w*|us|µs|micro\w*|ms|milli\w*|s|sec\w*|m|min\w*|h|hr|hour\w*|d|day\w*|w|wk|week\w*)(?![a-zµ])",
    re.I,
)
_CARD = re.compile(
    r"(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})"
)
_SHORT_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def _matches(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(version: str = "", variant: str = "") -> Callable[[str], bool]:
    digits = "[0-9a-f]"
    third = version + digits * 3 if version else digits + "{4}"
    fourth = variant + digits * 3 if variant else digits + "{4}"
    return _matches(f"{digits}{{8}}-?{digits}{{4}}-?{third}-?{fourth}-?{digits}{{12}}", re.IGNORECASE)


def _date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == 10


def _date_time(text: str) -> bool:
    day, separator, time = text.lower().partition("t")
    found = _TIME.fullmatch(time)
    if not separator or not _date(day) or found is None:
        return False
    return found[1] <= "23" and found[2] <= "59" and found[3] <= "59"


def _duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return _UNITS.search(text) is not None
    return True


def _ip(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ipaddress.ip_address(text).version == version and "%" not in text
        except ValueError:
            return False

    return check


def _cidr(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return text.rpartition("/")[2].isdigit() and "/" in text


def _uri(text: str) -> bool:
    """An absolute URI or an absolute path, as Go's `url.ParseRequestURI` takes it."""
    if not text or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return text.startswith("/") or bool(parts.scheme)


def _email(text: str) -> bool:
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    return bool(at and local and domain) and " " not in address


def _hostname(text: str) -> bool:
    labels = text.split(".")
    return len(text.replace(".", "")) <= 255 and all(_HOST_LABEL.fullmatch(label) for label in labels)


def _byte(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return text != ""


def _isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    return sum((10 if char == "X" else int(char)) * (10 - index) for index, char in enumerate(digits)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    return (
        re.fullmatch(r"\d{13}", digits) is not None
        and sum(int(char) * (3 if index % 2 else 1) for index, char in enumerate(digits)) % 10 == 0
    )


def _credit_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    doubled = [int(char) * (2 if index % 2 else 1) for index, char in enumerate(reversed(digits))]
    return _CARD.fullmatch(digits) is not None and sum(each // 10 + each % 10 for each in doubled) % 10 == 0


def _rgb(text: str) -> bool:
    part = r"\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*"
    return re.fullmatch(rf"rgb\({part},{part},{part}\)", text) is not None


CHECKS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(r"[0-9a-fA-F]{24}"),
    "uri": _uri,
    "email": _email,
    "hostname": _hostname,
    "ipv4": _ip(4),
    "ipv6": _ip(6),
    "cidr": _cidr,
    "mac": _matches(r"([0-9a-fA-F]{2}([:-])){5,7}[0-9a-fA-F]{2}|([0-9a-fA-F]{4}\.){2,3}[0-9a-fA-F]{4}"),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "creditcard": _credit_card,
    "ssn": _matches(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matches(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _rgb,
    "byte": _byte,
    "password": lambda text: True,
    "date": _date,
    "duration": _duration,
    "datetime": _date_time,
    "k8sshortname": lambda text: len(text) <= 63 and re.fullmatch(_SHORT_NAME, text) is not None,
    "k8slongname": lambda text: (
        len(text) <= 253 and re.fullmatch(rf"{_SHORT_NAME}(\.{_SHORT_NAME})*", text) is not None
    ),
}
"""By name without dashes."""
_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def is_known(kind: str, form: str) -> bool:
    """Whether a format means something for a type ("" counts as string)."""
    if kind in ("", "string"):
        return form.replace("-", "") in CHECKS
    return form in _NUMBERS.get(kind, ())
