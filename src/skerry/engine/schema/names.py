"""What names, label keys and the like may look like; each check returns Kubernetes' complaint, or "" when all is well.

Source: k8s.io/apimachinery `pkg/util/validation`. Neighbours: `metadata`, `kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

NameRule = Callable[[str], str]

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


def _rule(pattern: str, longest: int, what: str, examples: str) -> NameRule:
    compiled = re.compile(pattern)
    complaint = f"{what} ({examples}, regex used for validation is '{pattern}')"

    @lru_cache(1024)  # namespaces, keys and values of labels: the same few, in every write
    def match(value: str) -> str:
        return "" if compiled.fullmatch(value) else complaint

    def check(value: str) -> str:
        return match(value) if len(value) <= longest else f"must be no more than {longest} bytes"

    return check


subdomain = _rule(
    _SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character",
    "e.g. 'example.com'",
)
wildcard_subdomain = _rule(
    rf"\*\.{_SUBDOMAIN}",
    253,
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    "e.g. '*.example.com'",
)
label = _rule(
    _LABEL,
    63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character",
    "e.g. 'my-name',  or '123-abc'",
)
dns1035 = _rule(
    _DNS1035,
    63,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    "e.g. 'my-name',  or 'abc-123'",
)
label_value = _rule(
    rf"({_QUALIFIED})?",
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character",
    "e.g. 'MyValue',  or 'my_value',  or '12345'",
)
_qualified_name = _rule(
    _QUALIFIED,
    63,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character",
    "e.g. 'MyName',  or 'my.name',  or '123-abc'",
)
config_key = _rule(
    r"[-._a-zA-Z0-9]+",
    253,
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "e.g. 'key.name',  or 'KEY_NAME',  or 'key-name'",
)
env_name = _rule(
    r"[ -<>-~]+",
    1 << 20,
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
    "e.g. 'my-name',  or 'MY_NAME',  or 'MyName.1'",
)


def qualified_name(value: str) -> str:
    """A label or annotation key: an optional DNS subdomain and a slash, then a name."""
    prefix, slash, name = value.rpartition("/")
    if slash and not prefix:
        return "prefix part must be non-empty"
    if "/" in prefix:
        return (
            "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            f"'{_QUALIFIED}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )
    if prefix and (complaint := subdomain(prefix)):
        return f"prefix part {complaint}"
    if not name:
        return "name part must be non-empty"
    if len(name) > 63:
        return "name part must be no more than 63 bytes"
    return _qualified_name(name)


def path_segment(value: str) -> str:
    """RBAC names and the like: anything that is one segment of a URL path."""
    if value in (".", ".."):
        return f"may not be '{value}'"
    for illegal in "/%":
        if illegal in value:
            return f"may not contain '{illegal}'"
    return ""


def port_name(value: str) -> str:
    """An IANA service name: at most 15 characters, one letter at least, no "--"."""
    if len(value) > 15:
        return "must be no more than 15 characters"
    if not re.fullmatch(r"[-a-z0-9]+", value):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", value):
        return "must contain at least one letter (a-z)"
    if "--" in value:
        return "must not contain consecutive hyphens"
    return "must not begin or end with a hyphen" if value[0] == "-" or value[-1] == "-" else ""


def port_number(value: int) -> str:
    """1 to 65535."""
    return "" if 1 <= value <= 65535 else "must be between 1 and 65535, inclusive"
