"""Every text of the portal and of the pages to sign in is translated, and says the same with the same values."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from skerry.portal.web.language import NAMES, language_of, texts_of

SOURCES = Path(__file__).parents[3] / "src/skerry"
PORTAL, IDENTITY = SOURCES / "portal", SOURCES / "platform/identity"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
MARKED = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
SAID = {"N_": None, "says": None, "warns": None, "leads_to": (2,), "Page": (2,)}
KEYWORDS: dict[Path, dict[str, tuple[int, ...] | None]] = {PORTAL: MARKED, IDENTITY: SAID}
VALUE = re.compile(r"%\(\w+\)s")


def _texts(folder: Path) -> set[str]:
    strictly = {"trimmed": "true", "extensions": "jinja2.ext.do", "silent": "false"}
    options = {"templates/**.html": strictly}
    found = extract_from_dir(str(folder), METHODS, options, KEYWORDS[folder])
    return {_first(message) for _, _, message, _, _ in found}


def _first(message: object) -> str:
    return str(message[0] if isinstance(message, tuple) else message)


def _catalog(folder: Path, language: str) -> Catalog:
    return read_po(BytesIO((folder / "locales" / language / f"{folder.name}.po").read_bytes()), locale=language)


@pytest.mark.parametrize("language", sorted(set(NAMES) - {"en"}))
@pytest.mark.parametrize("folder", KEYWORDS, ids=lambda one: one.name)
def test_everything_is_translated(folder: Path, language: str) -> None:
    translated = {_first(one.id): one for one in _catalog(folder, language) if one.id}
    assert sorted(_texts(folder) - set(translated)) == [], "run scripts/texts.sh, then translate"
    assert sorted(set(translated) - _texts(folder)) == [], "run scripts/texts.sh"
    assert [text for text, one in translated.items() if not _is_whole(one)] == []


def _is_whole(one: Message) -> bool:
    strings = one.string if isinstance(one.string, (tuple, list)) else (one.string,)
    wanted = set(VALUE.findall(_first(one.id)))
    return all(text and set(VALUE.findall(text)) == wanted for text in strings)


def test_the_language_is_the_persons() -> None:
    assert language_of("de", "en") == "de"
    assert language_of(None, "fr-FR, de;q=0.7, en;q=0.8") == "en"
    assert language_of("xx", "de-CH,de;q=0.9") == "de"
    assert language_of(None, "en;q=0, ;;, x;q=y") == "en"
    assert language_of(None, "en; q=0.5, de; q=0.8") == "de"
    assert texts_of("de").gettext("Projects") == "Projekte"


def test_what_is_heavy_is_imported_when_it_is_needed() -> None:
    """The platform's idle memory is a promise."""
    code = "import sys, skerry.portal.portal; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"jinja2", "babel", "markdown_it", "kubernetes_validate"}.isdisjoint(loaded)
