"""The pages of the login server: plain HTML without scripts, one style sheet, a strict content security policy.

Whatever a page is given is escaped. Its texts are English and are shown in the person's language, as `locales/` has
them: values go in by name, after that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from skerry.kube.records import record
from skerry.platform.base.language import COOKIE as LANGUAGE
from skerry.platform.base.language import language_of, texts_in
from skerry.platform.identity.login.forms import FIELD, form_value, remember_form

_LOCALES = Path(__file__).parent.parent / "locales"
STYLE = """\
:root { color-scheme: light dark; font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  --ground: #f5f7f6; --surface: #fff; --text: #16232a; --soft: #52636b; --line: #dbe3e2; --edge: #74868c;
  --accent: #0d5c63; --on-accent: #fff; --bad: #ab2a26; --bad-soft: #fbe9e7 }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0f171b; --surface: #172126; --text: #e6edee; --soft: #a3b4ba; --line: #2a383f; --edge: #728690;
  --accent: #6cc5c1; --on-accent: #06282b; --bad: #ff9d94; --bad-soft: #3d1d1b } }
body { margin: 0; padding: 10vh 1rem 2rem; background: var(--ground); color: var(--text) }
main { max-width: 26rem; margin: 0 auto; padding: 1.75rem; box-sizing: border-box; background: var(--surface);
  border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1rem }
a { color: var(--accent) }
label, input, button, .other { display: block; width: 100%; box-sizing: border-box }
label { margin-top: .9rem; font-weight: 550; font-size: .95rem }
input, button, .other { font: inherit; min-height: 2.7rem; padding: .5rem .7rem; border: 1px solid var(--edge);
  border-radius: .5rem; background: var(--surface); color: inherit }
input { margin-top: .3rem }
button, .other { margin-top: 1.1rem; text-align: center; font-weight: 500; cursor: pointer }
.other { padding: .55rem .7rem; text-decoration: none }
button { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
:focus-visible { outline: .15rem solid var(--accent); outline-offset: .15rem }
[role=alert] { padding: .7rem .9rem; border-radius: .5rem; background: var(--bad-soft);
  border-left: .3rem solid var(--bad) }
code { font-size: 1.2rem }
table { width: 100%; text-align: left }
"""
_PAGE = """\
<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} - Skerry</title><link rel="stylesheet" href="/identity/style.css"></head>
<body><main><h1>{title}</h1>
{body}
</main></body></html>
"""


@record
class Field:
    """One input with its label. `complete`: what browsers may fill in (autocomplete of HTML); `values`: go into the
    label, translated where they are ours."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    complete: str = "off"
    values: Mapping[str, str] = MappingProxyType({})


class Page:
    """One page, part by part. What it is given is escaped."""

    def __init__(self, request: Request, title: str, **values: str) -> None:
        self._language = language_of(request.cookies.get(LANGUAGE), request.headers.get("accept-language", ""))
        self._request, self._title = request, self._in_words(title, values)
        self._parts: list[str] = []
        self._form = form_value(request)
        self._may_lead_to = ""

    def says(self, text: str, **values: str) -> Page:
        """A paragraph."""
        self._parts.append(f"<p>{self._escaped(text, values)}</p>")
        return self

    def warns(self, text: str, **values: str) -> Page:
        """What went wrong; nothing when it is ""."""
        if text:
            self._parts.append(f'<p role="alert">{self._escaped(text, values)}</p>')
        return self

    def shows(self, text: str) -> Page:
        """A code to compare."""
        self._parts.append(f"<p><code>{escape(text)}</code></p>")
        return self

    def leads_to(self, path: str, label: str, **values: str) -> Page:
        """A link."""
        self._parts.append(f'<a class="other" href="{escape(path)}">{self._escaped(label, values)}</a>')
        return self

    def asks(self, action: str, fields: Iterable[Field], *buttons: str, **hidden: str) -> Page:
        """A form. `buttons`: their labels, the one pressed is the field `answer`, in English."""
        carried = "".join(_hidden(name, value) for name, value in {FIELD: self._form, **hidden}.items())
        filled = "".join(map(self._input, fields))
        pressed = "".join(
            f'<button name="answer" value="{escape(one)}">{self._escaped(one, {})}</button>' for one in buttons
        )
        self._parts.append(f'<form method="post" action="{escape(action)}">{carried}{filled}{pressed}</form>')
        return self

    def may_lead_to(self, origin: str) -> Page:
        """Where a form's answer may send the browser besides here: browsers hold redirects to the policy."""
        self._may_lead_to = f" {origin}"
        return self

    def answer(self, status: int = 200) -> Response:
        """As a response."""
        whole = _PAGE.format(language=self._language, title=escape(self._title), body="\n".join(self._parts))
        response = HTMLResponse(whole, status, _headers(self._may_lead_to))
        if any("<form" in part for part in self._parts):
            remember_form(response, self._form)
        return response

    def _input(self, one: Field) -> str:
        attributes = f'name="{one.name}" type="{one.kind}" value="{escape(one.value)}" autocomplete="{one.complete}"'
        label = self._escaped(one.label, {name: self._in_words(value, {}) for name, value in one.values.items()})
        return f'<label>{label}<input {attributes} autocapitalize="none" required></label>'

    def _escaped(self, text: str, values: Mapping[str, str]) -> str:
        return escape(self._in_words(text, values))

    def _in_words(self, text: str, values: Mapping[str, str]) -> str:
        translated = texts_in(_LOCALES, "identity", self._language).gettext(text) if text else ""
        return translated % values if values else translated


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _headers(origin: str) -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src 'self'; form-action 'self'{origin}; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
