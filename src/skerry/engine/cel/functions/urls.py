"""`url(string)` and its parts: absolute URIs and absolute paths. Source: apiserver `pkg/cel/library/urls.go`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import no_overload
from skerry.kube.records import record

_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PATH_SAFE = "/%:@!$&'()*+,;=~"


@record
class Url:
    """A parsed URL."""

    CEL_TYPE: ClassVar[str] = "kubernetes.URL"
    text: str
    parts: SplitResult = field(compare=False)

    @property
    def hostname(self) -> str:
        """The host without port and brackets, as written."""
        host, _ = _split_port(self.parts.netloc.rpartition("@")[2])
        return host.removeprefix("[").removesuffix("]")

    @property
    def port(self) -> str:
        """The port as written, "" without one."""
        return _split_port(self.parts.netloc.rpartition("@")[2])[1]


def _split_port(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    if not colon or "]" in port:
        return host, ""
    return name, port


def url(text: str) -> Url:
    """Parse. Raises EvaluationError for what is neither an absolute URI nor an absolute path."""
    if type(text) is not str:
        raise no_overload()
    if not text or _UNSAFE.search(text) or _BAD_ESCAPE.search(text.partition("?")[0]):
        raise EvaluationError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    if not text.startswith("/") and not _SCHEME.match(text):
        raise EvaluationError(f"URL parse error during conversion from string: parse {text!r}: invalid URI for request")
    try:
        parts = urlsplit(text, allow_fragments=False)
        port = _split_port(parts.netloc.rpartition("@")[2])[1]
        if port and not port.isdecimal():
            raise ValueError(f"invalid port {port!r} after host")
    except ValueError as error:
        raise EvaluationError(f"URL parse error during conversion from string: {error}") from None
    return Url(text, parts)


def is_url(text: str) -> bool:
    """Whether `url` would take it."""
    if type(text) is not str:
        raise no_overload()
    try:
        url(text)
    except EvaluationError:
        return False
    return True


FUNCTIONS: dict[str, Callable[..., Any]] = {"url": url, "isURL": is_url}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Url: {
        "getScheme": lambda value: value.parts.scheme,
        "getHost": lambda value: value.parts.netloc.rpartition("@")[2],
        "getHostname": lambda value: value.hostname,
        "getPort": lambda value: value.port,
        "getEscapedPath": lambda value: quote(value.parts.path, safe=_PATH_SAFE),
        "getQuery": lambda value: parse_qs(value.parts.query, keep_blank_values=True),
    }
}
