"""Recipes of images, as files say them."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.cli.recipe import Recipe, read_recipe


def written(directory: Path, text: str) -> Path:
    (directory / "recipe.toml").write_text(text)
    return directory


def test_a_directory_without_one_has_none(tmp_path: Path) -> None:
    assert read_recipe(tmp_path) is None


def test_everything_it_may_say(tmp_path: Path) -> None:
    text = """
        name = "team/tool:1"
        debian = ["bash", "git"]
        suite = "trixie"
        drop = ["/usr/share/icons/*"]
        python = "requirements.lock"
        sources = ["old"]
        npm = "package-lock.json"
        contexts = {programs = "/usr/bin", more = "../more"}
    """
    contexts = ("programs=/usr/bin", f"more={tmp_path}/../more")
    assert read_recipe(written(tmp_path, text)) == Recipe(
        tmp_path,
        "team/tool:1",
        ("bash", "git"),
        "trixie",
        ("/usr/share/icons/*",),
        "requirements.lock",
        ("old",),
        "package-lock.json",
        contexts,
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("debian = []", "name is missing"),
        ("name = 1", "name must be a text"),
        ('name = "a"\nbase = "b"', "base: not a key of recipes"),
        ('name = "a"\ndebian = "bash"', "debian must be a list of words"),
        ('name = "a"\ndebian = ["--variant=essential"]', "debian must be a list of words"),
        ('name = "a"\ndebian = ["bash,git"]', "debian must be a list of words"),
        ('name = "a"\nnpm = "other.json"', "npm must be package-lock.json"),
        ('name = "a"\ncontexts = []', "contexts must be a table"),
        ("name", "recipe.toml"),
    ],
)
def test_what_it_may_not_say_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_recipe(written(tmp_path, text))
