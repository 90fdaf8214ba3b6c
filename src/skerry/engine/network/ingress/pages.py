"""Answers that Caddy gives by itself, in words that say whose turn it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skerry.kube.objects import Obj

_TITLES = {
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
NO_RULE = "No Ingress has a rule for this host and path."
NO_ENDPOINT = "The app behind this address has no pod that is ready."
NO_PASSWORDS = "This address is protected, and the Secret with its passwords is missing."  # a message
UNREADABLE = "This address is protected by an annotation that cannot be read: an event of its Ingress says why."
NOT_FROM_HERE = "This address may not be reached from where you are."
_ERRORS = {
    413: "What was sent is larger than this address takes.",
    502: "The app behind this address does not answer, or not in HTTP.",
    504: "The app behind this address took too long to answer.",
}


def page(code: int, explanation: str) -> Obj:
    """The handler that answers so."""
    return {
        "handler": "static_response",
        "status_code": code,
        "headers": _HEADERS,
        "body": f"{code} {_TITLES[code]}\n\n{explanation}\n",
    }


def redirect(to: str, code: int) -> Obj:
    """The handler that sends clients to `to`, which may have placeholders of Caddy's."""
    return {"handler": "static_response", "status_code": code, "headers": {"Location": [to]}}


def error_routes() -> Sequence[Obj]:
    """What is shown when something failed on the way to an app."""
    known = [
        {"match": [{"vars": {"{http.error.status_code}": [str(code)]}}], "handle": [page(code, text)], "terminal": True}
        for code, text in _ERRORS.items()
    ]
    other = {"handler": "static_response", "status_code": "{http.error.status_code}"}
    return [*known, {"handle": [other]}]


_HEADERS: Mapping[str, Sequence[str]] = {
    "Content-Type": ["text/plain; charset=utf-8"],
    "X-Content-Type-Options": ["nosniff"],
    "Cache-Control": ["no-store"],
}
