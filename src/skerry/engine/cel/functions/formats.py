"""Named formats: `format.dns1123Label().validate(x)` gives the complaints, or nothing. Source: `library/format.go`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, ClassVar

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.functions.urls import url
from skerry.engine.cel.times import parse_timestamp
from skerry.engine.cel.values import NONE, Optional, no_overload
from skerry.kube.records import record

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"
_LOWER_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL}')"
)
_LOWER_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_DNS1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    f"character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    f"'({_QUALIFIED})?')"
)


@record
class Format:
    """A named format; equal by name."""

    CEL_TYPE: ClassVar[str] = "kubernetes.NamedFormat"
    name: str


def _pattern(pattern: str, longest: int, complaint: str) -> Callable[[str], list[str]]:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> list[str]:
        found = [] if len(text) <= longest else [f"must be no more than {longest} bytes"]
        return found if compiled.fullmatch(text) else [*found, complaint]

    return check


def _prefix(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """A prefix of a name may end in a dash: what follows is not known yet."""
    return lambda text: check(text[:-1] + "a" if text.endswith("-") else text)


def _qualified_name(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    if slash and not prefix:
        return ["prefix part must be non-empty"]
    found = [f"prefix part {complaint}" for complaint in _subdomain(prefix)] if prefix else []
    return found + (["name part must be non-empty"] if not name else _name_part(name))


def _attempt(parse: Callable[[str], Any], complaint: str) -> Callable[[str], list[str]]:
    def check(text: str) -> list[str]:
        try:
            parse(text)
        except (EvaluationError, binascii.Error, ValueError):
            return [complaint]
        return []

    return check


def _date(text: str) -> None:
    parse_timestamp(f"{text}T00:00:00Z")


def _datetime(text: str) -> None:
    if "T" not in text.upper():
        raise ValueError(text)
    parse_timestamp(text)


_label = _pattern(_LABEL, 63, _LOWER_LABEL)
_subdomain = _pattern(_SUBDOMAIN, 253, _LOWER_SUBDOMAIN)
_dns1035 = _pattern(r"[a-z]([-a-z0-9]*[a-z0-9])?", 63, _DNS1035)
_name_part = _pattern(_QUALIFIED, 63, _NAME)
_CHECKS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": _label,
    "dns1123Subdomain": _subdomain,
    "dns1035Label": _dns1035,
    "qualifiedName": _qualified_name,
    "dns1123LabelPrefix": _prefix(_label),
    "dns1123SubdomainPrefix": _prefix(_subdomain),
    "dns1035LabelPrefix": _prefix(_dns1035),
    "labelValue": _pattern(rf"({_QUALIFIED})?", 63, _VALUE),
    "uri": _attempt(url, "invalid URI for request"),
    "uuid": _pattern(_UUID, 128, "does not match the UUID format"),
    "byte": _attempt(lambda text: base64.b64decode(text, validate=True), "invalid base64"),
    "date": _attempt(_date, "invalid date"),
    "datetime": _attempt(_datetime, "invalid datetime"),
}


def validate(value: Format, text: str) -> Optional:
    """The complaints; no value when there are none."""
    if type(text) is not str:
        raise no_overload()
    complaints = _CHECKS[value.name](text)
    return Optional(complaints) if complaints else NONE


def named(name: str) -> Optional:
    """The format of a name; no value when there is none."""
    return Optional(Format(name)) if name in _CHECKS else NONE


def _format(name: str) -> Callable[[], Format]:
    return lambda: Format(name)


FUNCTIONS: dict[str, Callable[..., Any]] = {"format.named": named}
FUNCTIONS |= {f"format.{name}": _format(name) for name in _CHECKS}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {Format: {"validate": validate}}
NAMES = tuple(_CHECKS)
