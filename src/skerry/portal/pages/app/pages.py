"""The paths of an app's pages."""

from __future__ import annotations

from skerry.portal.pages.app import actions, files, history, logs, overview, sharing, terminal, usage, values
from skerry.portal.web.pages import Page, Socket, get, post

_APP = "/portal/apps/{namespace}/{name}"

PAGE = Page(
    handled=(
        get(_APP, overview.show),
        get(f"{_APP}/live", overview.live),
        get(f"{_APP}/logs", logs.show),
        get(f"{_APP}/logs/stream", logs.stream),
        get(f"{_APP}/terminal", terminal.show),
        Socket(f"{_APP}/terminal/shell", terminal.connect),
        get(f"{_APP}/files", files.show),
        get(f"{_APP}/file", files.give),
        post(f"{_APP}/file", files.take, raw=True),
        get(f"{_APP}/usage", usage.show),
        get(f"{_APP}/usage/stream", usage.stream),
        get(f"{_APP}/values", values.show),
        post(f"{_APP}/values/compare", values.compare),
        post(f"{_APP}/values", values.change),
        get(f"{_APP}/history", history.show),
        post(f"{_APP}/history/back", history.back),
        post(f"{_APP}/history/forward", history.forward),
        post(f"{_APP}/share", sharing.share),
        post(f"{_APP}/do/{{what}}", actions.act),
        post(f"{_APP}/restart", actions.restart),
        get(f"{_APP}/remove", actions.ask),
        post(f"{_APP}/remove", actions.remove),
    ),
)
