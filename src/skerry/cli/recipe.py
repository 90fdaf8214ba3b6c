"""What `recipe.toml` beside a Dockerfile says: the packages of Debian, Python and npm that the image is made of. Pure.

Packages are fetched by the machine that builds, with its own mirrors, indexes and proxies, and not by steps of the
Dockerfile: a build needs no network, and no image has a package manager. `recipe_contents` fetches.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from skerry.kube.records import record

RECIPE = "recipe.toml"
_KEYS = {
    "name": str,
    "debian": list,
    "suite": str,
    "drop": list,
    "python": str,
    "sources": list,
    "npm": str,
    "contexts": dict,
}
_NPM_LOCK = "package-lock.json"


@record
class Recipe:
    """A recipe. `debian`, `python` and `npm` say what is put beside the Dockerfile before it is built."""

    directory: Path
    name: str
    """The image's, when none is given."""
    debian: tuple[str, ...] = ()
    """Packages, with what they depend on: `root.tar`. Their maintainer scripts do not run."""
    suite: str = "bookworm"
    """Of Debian."""
    drop: tuple[str, ...] = ()
    """Patterns of paths of those packages that are left out."""
    python: str = ""
    """A lock file with hashes; its packages go to `python/`, for that Debian's Python."""
    sources: tuple[str, ...] = ()
    """Packages of that lock file that have no wheel, and are pure Python."""
    npm: str = ""
    """npm's lock file, with package.json beside it; its packages go to `node_modules/`. Their scripts do not run."""
    contexts: tuple[str, ...] = ()
    """NAME=DIR, as --build-context takes them."""


def read_recipe(directory: Path) -> Recipe | None:
    """The recipe of a directory with a Dockerfile, None when it has none. Raises ValueError with what is wrong."""
    path = directory / RECIPE
    if not path.is_file():
        return None
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text())
        _check(said)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    contexts = tuple(f"{name}={directory / str(place)}" for name, place in said.pop("contexts", {}).items())
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    return Recipe(directory, contexts=contexts, **said)


def _check(said: dict[str, Any]) -> None:
    unknown = sorted(set(said) - set(_KEYS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: not a key of recipes; these are: {', '.join(_KEYS)}")
    if "name" not in said:
        raise ValueError("name is missing: what the image is called")
    for key, value in said.items():
        if not isinstance(value, _KEYS[key]) or (isinstance(value, list) and not all(map(_is_word, value))):
            raise ValueError(f"{key} must be {_MEANT[_KEYS[key]]}")
    if said.get("npm", _NPM_LOCK) != _NPM_LOCK:
        raise ValueError(f"npm must be {_NPM_LOCK}: npm takes a lock file of this name only")


def _is_word(value: object) -> bool:
    """Nothing that mmdebstrap or pip could take for an option or for several."""
    return isinstance(value, str) and value != "" and value[0] != "-" and not set(value) & set(" ,\n")


_MEANT = {str: "a text", list: "a list of words without blanks and commas", dict: "a table of directories by name"}
