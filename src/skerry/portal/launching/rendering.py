"""What a chart comes to with some values: `helm template`, which also holds the values against the chart's schema.

Charts are anybody's. So Helm runs as a process of its own without a cluster, credentials or names to look up, with
bounds on time, CPU and memory, two at a time, in a private directory that goes with it; schemas that refer to anything
elsewhere are left out. `platform/releases/helm` runs it for releases: with a token, in a home that stays, interrupted
in order; what both do alike is in `platform/base` (`leashing`, `chart_schemas`).
Source: helm.sh, `helm template`; Helm 4's errors of schemas are those of santhosh-tekuri/jsonschema.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from skerry.kube.objects import Obj
from skerry.kube.programs import find_program
from skerry.kube.records import record
from skerry.kube.yaml_looking import look_first
from skerry.platform.base.chart_schemas import WITHOUT, reach_out
from skerry.platform.base.leashing import QUICK, bound, leash
from skerry.platform.base.private_directories import PrivateDirectory

_SECONDS, _CPU_SECONDS = 15.0, 10
_LARGEST = 8 * 1024 * 1024
_AT_ONCE = 2
_KEPT, _LARGEST_KEPT = 64, 128 * 1024
"""What was rendered, and bytes of it: as objects it takes ten times as much."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AT = re.compile(r"^\s*- at '(?P<path>[^']*)': (?P<what>.*)$", re.M)
_SCHEMA = "values don't meet the specifications of the schema"


@record
class Complaint:
    """What the schema says of one value. `path`: its parts; () for all values together."""

    path: tuple[str, ...]
    what: str


@record
class Rendered:
    """Objects, or why there are none. `size`: bytes that they were written in."""

    objects: Sequence[Obj] = ()
    complaints: Sequence[Complaint] = ()
    failure: str = ""
    size: int = 0


class Renderer:
    """One for the whole portal. Remembers what it rendered last, where that is not much: typing goes back and forth."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._known: OrderedDict[str, Rendered] = OrderedDict()

    async def render(self, archive: bytes, name: str, namespace: str, values: Mapping[str, Any]) -> Rendered:
        """`name`: of the release. Never raises for what is the chart's or the values' fault."""
        encoded = orjson.dumps(values)
        key = hashlib.sha256(b"\0".join((archive, name.encode(), namespace.encode(), encoded))).hexdigest()
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        async with self._turn:
            rendered = await _rendered(archive, name, namespace, encoded)
        if rendered.size <= _LARGEST_KEPT:
            self._known[key] = rendered
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return rendered


async def _rendered(archive: bytes, name: str, namespace: str, values: bytes) -> Rendered:
    directory = PrivateDirectory("render")
    folder = directory.path
    try:
        (folder / "chart.tgz").write_bytes(archive)
        (folder / "values.json").write_bytes(values)
        words = ["template", name, "chart.tgz", "--namespace", namespace, "--values", "values.json", "--no-hooks"]
        if await asyncio.to_thread(reach_out, archive):
            words.append(WITHOUT)
        code, out, err = await _run(folder, words)
    except TimeoutError:
        return Rendered(failure=f"the chart took longer than {_SECONDS:.0f} s")
    except OSError as error:
        return Rendered(failure=f"helm cannot be run: {error}")
    finally:
        directory.remove()
    return await asyncio.to_thread(_read, out) if code == 0 else _complained(err)


async def _run(folder: Path, words: Sequence[str]) -> tuple[int, bytes, str]:
    environment = {"HOME": str(folder), "PATH": "/nonexistent", "GOMAXPROCS": "1", "GOMEMLIMIT": "512MiB", **QUICK}
    process = await asyncio.create_subprocess_exec(
        *leash(),
        _helm(),
        *words,
        cwd=folder,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        bound(process.pid, _CPU_SECONDS)
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(_SECONDS):
            out, err = await asyncio.gather(_bounded(process.stdout), _bounded(process.stderr))
            code = await process.wait()
        return code, out, err.decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _bounded(stream: asyncio.StreamReader) -> bytes:
    """Raises OSError: it is too much."""
    read = bytearray()
    while piece := await stream.read(65536):
        read += piece
        if len(read) > _LARGEST:
            raise OSError("the chart comes to more than 8 MiB of manifests")
    return bytes(read)


def _helm() -> str:
    """Raises OSError."""
    found = find_program("helm")
    if found is None:
        raise FileNotFoundError("it is not installed on the machine of the platform: an operator runs `make setup`")
    return found


def _read(out: bytes) -> Rendered:
    try:
        look_first(out)
        found = [one for one in yaml.load_all(out, Loader=_LOADER) if isinstance(one, dict)]
    except (yaml.YAMLError, ValueError) as error:
        return Rendered(failure=f"what the chart comes to is no YAML: {error}")
    return Rendered(objects=found, size=len(out))


def _complained(err: str) -> Rendered:
    if _SCHEMA in err:
        return Rendered(complaints=[_complaint(one) for one in _AT.finditer(err)], failure=_first_line(err))
    return Rendered(failure=_first_line(err))


def _complaint(found: re.Match[str]) -> Complaint:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in found["path"].split("/")[1:]]
    return Complaint(tuple(parts), found["what"])


def _first_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("Error: ")]
    return (lines[0].removeprefix("Error: ") if lines else err.strip())[:1000]
