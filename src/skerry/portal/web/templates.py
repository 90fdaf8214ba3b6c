"""Pages from templates: Jinja2, everything escaped, one environment per language, imported when the first page is asked
for (the platform's idle memory stays what it is)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.portal.web.assets import Assets
from skerry.portal.web.language import texts_of
from skerry.portal.web.words import LABELS, Words, share

if TYPE_CHECKING:
    from jinja2 import Environment

_KEPT_METERS = 4096
_FOLDER = Path(__file__).parent.parent / "templates"


class Templates:
    """One for the whole portal."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._environment = lru_cache(self._made)

    def render(self, template: str, language: str, values: dict[str, Any]) -> str:
        """The text of a page."""
        return self._environment(language).get_template(template).render(values)

    def _made(self, language: str) -> Environment:
        from jinja2 import ChainableUndefined, Environment, FileSystemLoader

        made = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=ChainableUndefined,  # objects of the API leave out what is empty
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        texts: Any = made
        texts.install_gettext_translations(texts_of(language), newstyle=True)
        made.globals.update(asset=self._assets.url, has_asset=self._assets.has, words=Words(language), share=share)
        made.globals.update(language=language, labels=LABELS, meter=_kept_meter(made))
        return made


def _kept_meter(environment: Environment) -> Callable[[Hashable], Any]:
    """The macro of parts.html, each meter written once: a list of projects shows a hundred, and most are alike."""

    @lru_cache(_KEPT_METERS)
    def meter(value: Hashable) -> Any:
        parts: Any = environment.get_template("parts.html").module
        return parts.meter(value)

    return meter
