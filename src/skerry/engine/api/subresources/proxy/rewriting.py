"""Links in what comes back through a proxy: made to lead through the proxy again. Pure.

Only absolute paths and links to the backend itself are changed, in `Location` and in HTML attributes that hold URLs.
Source: apimachinery `pkg/util/proxy/transport.go`.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

_ATTRIBUTES = {
    "a": "href", "applet": "codebase", "area": "href", "audio": "src", "base": "href", "blockquote": "cite",
    "body": "background", "button": "formaction", "command": "icon", "del": "cite", "embed": "src", "form": "action",
    "frame": "longdesc src", "head": "profile", "html": "manifest", "iframe": "longdesc src",
    "img": "longdesc src usemap", "input": "src formaction usemap", "ins": "cite", "link": "href",
    "object": "classid codebase data usemap", "q": "cite", "script": "src", "source": "src", "video": "poster src",
}  # fmt: skip
_TAG = re.compile(r"<([a-zA-Z]+)(\s[^<>]*)>")
_ATTRIBUTE = re.compile(r"""(\s)([a-zA-Z]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")


class Proxied(NamedTuple):
    """Where the client finds the proxy (scheme, host, path before the proxied one) and whom it stands for."""

    scheme: str
    host: str
    prefix: str
    backend: str
    """host:port of the backend."""


def rewritten(link: str, proxied: Proxied) -> str:
    """A link as the client must follow it; the same when it leads elsewhere or is relative."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return link
    if (parts.netloc and parts.netloc != proxied.backend) or not parts.path.startswith("/"):
        return link
    path = parts.path
    if not path.startswith(proxied.prefix):
        path = proxied.prefix.rstrip("/") + path
    whole = bool(parts.scheme or parts.netloc)
    scheme, host = (proxied.scheme, proxied.host) if whole else ("", "")
    return SplitResult(scheme, host, path, parts.query, parts.fragment).geturl()


def rewritten_html(text: str, proxied: Proxied) -> str:
    """A page with its links rewritten."""

    def tag(match: re.Match[str]) -> str:
        wanted = _ATTRIBUTES.get(match.group(1).lower(), "").split()
        if not wanted:
            return match.group(0)
        return f"<{match.group(1)}{_with_links(match.group(2), wanted, proxied)}>"

    return _TAG.sub(tag, text)


def _with_links(attributes: str, wanted: list[str], proxied: Proxied) -> str:
    def attribute(match: re.Match[str]) -> str:
        space, name, equals, value = match.groups()
        if name.lower() not in wanted:
            return match.group(0)
        before = unescape(value.strip("\"'"))
        after = rewritten(before, proxied)
        return match.group(0) if after == before else f'{space}{name}{equals}"{escape(after)}"'

    return _ATTRIBUTE.sub(attribute, attributes)
