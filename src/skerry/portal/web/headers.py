"""Headers of every page: what it may load and do (a strict Content-Security-Policy), and that nobody keeps it.

No inline script and no inline style: what a page needs of them is in `static/`.
Source: W3C, "Content Security Policy Level 3"; OWASP, "HTTP Headers Cheat Sheet".
"""

from __future__ import annotations

_SOURCES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
_ALWAYS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def page_headers(more: dict[str, str] | None = None) -> dict[str, str]:
    """`more`: what a page needs beside, by directive: {"style-src": "'unsafe-inline'"}."""
    wider = more or {}
    policy = "; ".join(f"{name} {' '.join(filter(None, (what, wider.get(name))))}" for name, what in _SOURCES.items())
    return {**_ALWAYS, "content-security-policy": policy}
