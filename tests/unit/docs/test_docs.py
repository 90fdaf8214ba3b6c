"""Docs are held to the code: links lead somewhere, commands and rooms and decisions are all described."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest

from skerry.cli.main import main

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [
        link for link in LINK.findall(page.read_text()) if not link.startswith(("http://", "https://", "mailto:"))
    ]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_command_and_option_is_in_the_command_reference() -> None:
    text = (ROOT / "docs/cli.md").read_text()
    missing = [words for words in _words_of(main, "skerry") if words not in text]
    assert missing == []


def test_every_command_has_examples_that_can_be_given() -> None:
    for words, command in _commands(main, "skerry"):
        lines = [line.strip() for line in (command.help or "").partition("Example")[2].splitlines()[1:]]
        examples = [line.removeprefix("sudo ") for line in lines]
        assert any(line.startswith(words) for line in examples), words
        for example in examples:
            if example.startswith("skerry "):
                _parse(main, list(takewhile(lambda word: word not in _SHELL, shlex.split(example)[1:])))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_can_be_given_as_they_are_written(page: Path) -> None:
    """Targets exist, commands and options are known; what examples say runs in the end-to-end tests."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    blocks = re.findall(r"^```\n(.*?)^```", page.read_text(), re.M | re.S)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith(("make ", "skerry "))]
    for program, *words in (shlex.split(command, comments=True) for command in commands):
        if program == "make":
            assert words[0] in targets
        else:
            _parse(main, list(takewhile(lambda word: word not in _SHELL, words)))


@pytest.mark.parametrize("page", ["CHANGELOG.md", "docs/limits.md"])
def test_nothing_is_listed_twice(page: str) -> None:
    """These pages are merged line by line: an entry that one branch moved and another did not would be there twice."""
    begins = re.findall(r"^- (.{1,40})", (ROOT / page).read_text(), re.M)  # one may be wrapped anew
    assert begins
    assert [begin for begin in begins if begins.count(begin) > 1] == []


def test_every_room_is_in_the_architecture() -> None:
    """Two levels deep, and those of the engine's node."""
    text, source = (ROOT / "docs/architecture.md").read_text(), ROOT / "src/skerry"
    packages = [path.parent for pattern in ("*/*", "engine/node/*") for path in source.glob(f"{pattern}/__init__.py")]
    rooms = [str(path.relative_to(source)) for path in packages]
    assert "engine/node/probes" in rooms
    assert [room for room in rooms if f"`{room}/`" not in text] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    pages = [
        page.relative_to(ROOT / "docs") for folder in ("", "resources/") for page in ROOT.glob(f"docs/{folder}*.md")
    ]
    assert [str(page) for page in pages if page.name != "README.md" and f"({page})" not in index] == []


def test_every_decision_is_in_the_index() -> None:
    text = (ROOT / "docs/decisions/README.md").read_text()
    records = [path.name for path in (ROOT / "docs/decisions").glob("0*.md")]
    assert records
    assert [record for record in records if record not in text] == []
    numbers = sorted(name[:4] for name in records)
    assert numbers == sorted(set(numbers)), "two decisions share a number"


def test_every_example_has_a_readme() -> None:
    examples = [path for path in (ROOT / "examples").iterdir() if path.is_dir()]
    assert examples
    assert [path.name for path in examples if not (path / "README.md").exists()] == []


_SHELL = (">", "|")
"""Where a command ends and the shell's business begins."""


def _parse(command: click.Command, words: list[str]) -> None:
    """Raises click.UsageError for what the command line would refuse to read. Runs nothing."""
    context = click.Context(command, **command.context_settings)
    if isinstance(command, click.Group) and (words or not command.invoke_without_command):
        child = command.get_command(context, words[0])
        assert child is not None, words[0]
        _parse(child, words[1:])
        return
    command.make_parser(context).parse_args(words)


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """All that do something, with the words that call them."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for child_name in command.list_commands(context):
        child = command.get_command(context, child_name)
        assert child is not None
        yield from _commands(child, f"{name} {child_name}")


def _words_of(command: click.Command, name: str) -> list[str]:
    """`skerry image build` and each of its options, for every command below."""
    words = [name]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            words += [max(parameter.opts, key=len)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            words += _words_of(child, f"{name} {child_name}")
    return words
