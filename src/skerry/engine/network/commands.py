"""Runs `nft` and `ip`: short-lived programs, argument lists only, their message kept when they fail."""

from __future__ import annotations

import asyncio
import os

from skerry.engine.network.features import search_path


class CommandError(Exception):
    """A program ended with a code other than 0; the message is its standard error."""


async def run(*command: str, text: str = "") -> str:
    """Run a program with `text` on its standard input; returns its standard output. Raises CommandError, OSError.

    The input is a file in memory, not a pipe: a program that ends without reading it cannot fail us.
    """
    with os.fdopen(os.memfd_create("input", os.MFD_CLOEXEC), "w+b") as given:
        given.write(text.encode())
        given.seek(0)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": search_path(), "LC_ALL": "C"},
        )
    output, errors = await process.communicate()
    if process.returncode:
        raise CommandError(f"{' '.join(command)}: {errors.decode(errors='replace').strip()}")
    return output.decode()
