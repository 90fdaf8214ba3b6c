"""`python -m skerry.engine.node.containerd.images`: load, build, list and remove, for the command line.

Prints what changed, one name a line, or JSON with `-o json`. A failure is one line on standard error and exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import orjson

from skerry.engine.node.containerd import images
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.image_build import BuildRequest, build
from skerry.kube.clock import rfc3339


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except ContainerdError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="images", description="Images of one Skerry instance.")
    parser.add_argument("--socket", type=Path, required=True, help="the instance's containerd socket")
    commands = parser.add_subparsers(required=True)
    loading = commands.add_parser("load", help="import a docker or OCI archive")
    loading.add_argument("archive", type=Path)
    building = commands.add_parser("build", help="build a Dockerfile with buildah")
    building.add_argument("context", type=Path)
    building.add_argument("-t", "--tag", required=True)
    building.add_argument("-f", "--file", type=Path)
    building.add_argument("--build-arg", action="append", default=[])
    building.add_argument("--work-dir", type=Path, required=True, help="where temporary storage may be made")
    listing = commands.add_parser("ls", help="list images")
    removing = commands.add_parser("rm", help="remove names")
    removing.add_argument("names", nargs="+")
    for command, run in ((loading, _load), (building, _build), (listing, _list), (removing, _remove)):
        command.add_argument("-o", "--output", choices=("text", "json"), default="text")
        command.set_defaults(run=run)
    return parser


def _load(options: argparse.Namespace) -> None:
    _show(options, {"loaded": images.load(options.socket, options.archive)})


def _build(options: argparse.Namespace) -> None:
    def progress(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    request = BuildRequest(options.context, options.tag, options.file, tuple(options.build_arg))
    _show(options, {"built": build(options.socket, options.work_dir, request, progress)})


def _list(options: argparse.Namespace) -> None:
    found = asyncio.run(images.list_images(options.socket))
    if options.output == "json":
        _write_json({"images": [_to_json(info) for info in found]})
    for info in found if options.output == "text" else ():
        sys.stdout.write(f"{' '.join(info.names)}\t{info.id.removeprefix('sha256:')[:12]}\t{info.size}\n")


def _to_json(info: images.ImageInfo) -> dict[str, Any]:
    created = rfc3339(info.created.replace(tzinfo=UTC)) if info.created else None
    return {"names": list(info.names), "id": info.id, "sizeBytes": info.size, "created": created}


def _remove(options: argparse.Namespace) -> None:
    for name in options.names:
        asyncio.run(images.remove_image(options.socket, name))
    _show(options, {"removed": options.names})


def _show(options: argparse.Namespace, result: dict[str, list[str]]) -> None:
    if options.output == "json":
        _write_json(result)
    else:
        sys.stdout.writelines(f"{name}\n" for names in result.values() for name in names)


def _write_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
