"""The portal's texts in the languages that there are (`platform.base.language`)."""

from __future__ import annotations

import gettext
from pathlib import Path

from skerry.platform.base.language import COOKIE, DEFAULT, N_, NAMES, language_of, texts_in

__all__ = ["COOKIE", "DEFAULT", "NAMES", "N_", "language_of", "texts_of"]

_FOLDER = Path(__file__).parent.parent / "locales"


def texts_of(language: str) -> gettext.NullTranslations:
    """The portal's, in one of `NAMES`."""
    return texts_in(_FOLDER, "portal", language)
