"""Languages: which one somebody reads, and texts in it: English is as it stands in the code, others in `.po` files.

Those are read as they are written, when somebody first reads that language: nothing has to be compiled before.
Source of the choice: RFC 9110, 12.5.4 (Accept-Language).
"""

from __future__ import annotations

import gettext
import io
from functools import lru_cache
from pathlib import Path

DEFAULT = "en"
NAMES = {"en": "English", "de": "Deutsch"}
"""What there is, as its readers call it."""
COOKIE = "__Host-skerry-language"


def language_of(chosen: str | None, accepted: str) -> str:
    """`chosen`: what the person said here; `accepted`: what the browser says."""
    if chosen in NAMES:
        return chosen
    return next((code for code in _preferred(accepted) if code in NAMES), DEFAULT)


def _preferred(accepted: str) -> list[str]:
    ranked = []
    for place, part in enumerate(accepted[:500].split(",")):
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            ranked.append((-float(weight or 1), place, tag.lower().partition("-")[0]))
        except ValueError:
            continue
    return [code for weight, _, code in sorted(ranked) if weight < 0]


@lru_cache
def texts_in(folder: Path, domain: str, language: str) -> gettext.NullTranslations:
    """The texts of one of `NAMES`: `folder` has `<language>/<domain>.po`."""
    if language == DEFAULT:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (folder / language / f"{domain}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text
