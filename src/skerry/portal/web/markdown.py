"""What charts say of themselves, as HTML: markup within it is shown as text, pictures stay out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_LARGEST = 100_000
"""Characters; what is made to be slow takes seconds for so many."""


@lru_cache
def _reader() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def as_html(text: str) -> str:
    """Safe to put into a page: no markup of the text's own passes. Headings begin at the third level. Takes a
    moment: not for the event loop."""
    tokens = _reader().parse(text[:_LARGEST])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer nofollow")
    html: str = _reader().renderer.render(tokens, _reader().options, {})
    return html
