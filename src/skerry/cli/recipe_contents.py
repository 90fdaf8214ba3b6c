"""Fetches what a recipe is made of into the context of a build: by this machine's mmdebstrap, pip and npm."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from skerry.cli.engine_process import environment
from skerry.cli.errors import CommandFailed, MachineLacks
from skerry.cli.recipe import Recipe

_UNREAD = ("man/*", "locale/*", "info/*", "lintian/*", "bug/*", "doc/*/examples/*", "doc/*/changelog*", "doc/*/README*")
"""Below /usr/share. What licences ask for (doc/*/copyright) stays."""
_PYTHONS = {"bookworm": "3.11.2", "trixie": "3.13.5"}
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")


def gather(recipe: Recipe, context: Path) -> None:
    """Fill `context`, which is not there yet: the recipe's own files, `root.tar`, `python/`, `node_modules/`.

    Raises CommandFailed.
    """
    shutil.copytree(recipe.directory, context, symlinks=True)
    fetching = {}
    if recipe.debian:
        fetching["the packages of Debian"] = _debian(recipe, context / "root.tar")
    if recipe.python:
        fetching[f"the packages of {recipe.python}"] = _python(recipe, context / "python")
    if recipe.npm:
        fetching[f"the packages of {recipe.npm}"] = _npm(context)
    _run(fetching)
    _point_at_python(context / "python" / "bin")


def _debian(recipe: Recipe, target: Path) -> list[str]:
    """`extract`: no maintainer scripts, no essential packages but those that are named; merged-usr as Debian has it.

    One filter at the end, since mmdebstrap's own starts anew for each package.
    """
    _need("mmdebstrap")
    hooks = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr"
    packages = f"--include={','.join(recipe.debian)}"
    unpack = ["mmdebstrap", "--quiet", "--variant=extract", "--format=tar", hooks, packages, recipe.suite, "-"]
    dropped = (*(f"/usr/share/{path}" for path in _UNREAD), *recipe.drop)
    keep = ["mmtarfilter", *(f"--path-exclude={path}" for path in dropped)]
    script = f"set -o pipefail; {shlex.join(unpack)} | {shlex.join(keep)} >{shlex.quote(str(target))}"
    return ["bash", "-c", script]


def _python(recipe: Recipe, target: Path) -> list[str]:
    """Wheels for the Python of the image's Debian, whatever Python runs here."""
    if recipe.suite not in _PYTHONS:
        raise CommandFailed(f"which Python Debian {recipe.suite} has is not known: {', '.join(_PYTHONS)} are")
    words = ["install", "--quiet", "--no-deps", "--require-hashes", "--no-compile", "--only-binary=:all:"]
    words += [f"--no-binary={package}" for package in recipe.sources]
    words += ["--implementation=cp", f"--python-version={_PYTHONS[recipe.suite]}"]
    words += [f"--platform={platform}" for platform in _PLATFORMS]
    lock = recipe.directory / recipe.python
    return [sys.executable, "-m", "pip", *words, "--target", str(target), "-r", str(lock)]


def _npm(context: Path) -> list[str]:
    """As locked. Scripts of packages would build, or fetch from elsewhere, with what this machine happens to have."""
    _need("npm")
    how = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    return ["npm", "ci", "--prefix", str(context), "--ignore-scripts", "--omit=dev", *how]


def _need(program: str) -> None:
    if shutil.which(program, path=environment()["PATH"]) is None:
        raise MachineLacks(f"{program} is missing: apt-get install {program}")


def _point_at_python(programs: Path) -> None:
    """The programs that packages bring run by the image's Python, not by this machine's."""
    for script in (path for path in programs.glob("*") if path.is_file()):
        first, _, rest = script.read_bytes().partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            script.write_bytes(b"#!/usr/bin/python3\n" + rest)


def _run(commands: Mapping[str, Sequence[str]]) -> None:
    """At the same time: they wait for mirrors and indexes. What they say goes to the person's terminal."""
    running = {what: subprocess.Popen(command, env=environment()) for what, command in commands.items()}
    failed = [what for what, process in running.items() if process.wait() != 0]
    if failed:
        raise CommandFailed(f"{' and '.join(failed)} could not be fetched")
