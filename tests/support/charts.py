"""The charts that come with Skerry, and what Helm makes of them without a cluster."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from skerry.engine.node.containerd.client import NAMESPACE
from tests.support.program import Program, program_path
from tests.support.waiting import BUILDING

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
IMAGES = ROOT / "images"
APPS = ("code-server", "desktop", "jupyterhub", "jupyterlab", "static-site", "web-application")
"""Charts of one app at one address, which share `_common.tpl`."""
SERVICES = ("dask", "object-storage", "postgresql")
"""Charts of what other programs use. They have that file too."""


def rendered(chart: Path, *values: str) -> list[Any]:
    """Objects of a release `lab` in the namespace `sea`, tests included. `values` as --set and --set-json have them."""
    done = template(chart, *values)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@cache
def template(chart: Path, *values: str) -> subprocess.CompletedProcess[str]:
    """`helm template`, whatever it says; run once for the same values."""
    words = [
        word for value in values for word in ("--set-json" if value.partition("=")[2][:1] in "{[" else "--set", value)
    ]
    command = [program_path("helm"), "template", "lab", str(chart), "-n", "sea", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def build_images(program: Program, *names: str) -> None:
    """Images of `images/`, by their recipes, unless the program has them already: tests of a run share them."""
    there = {image["name"] for image in json.loads(program.skerry("image", "ls", "-o", "json").stdout)}
    for name in names:
        recipe = tomllib.loads((IMAGES / name / "recipe.toml").read_text())
        if recipe["name"] not in there:
            program.skerry("image", "build", str(IMAGES / name), timeout=BUILDING)


def lend_images(owner: Program, borrower: Program, scratch: Path, *names: str) -> None:
    """The same for a program of a test's own: taken from the one that all tests share, where they are built once."""
    build_images(owner, *names)
    archive = scratch / "lent.tar"
    wanted = [tomllib.loads((IMAGES / name / "recipe.toml").read_text())["name"] for name in names]
    ctr = [program_path("ctr"), "-a", str(owner.run_dir / "containerd.sock"), "-n", NAMESPACE]
    subprocess.run([*ctr, "images", "export", str(archive), *wanted], check=True, timeout=900)
    borrower.skerry("image", "load", str(archive), timeout=900)
    archive.unlink()


def opened(program: Program, host: str, path: str = "/") -> tuple[int, str]:
    """(code, page) of an app, through the Ingress."""
    return page_at(program.ingress(), host, path)


def page_at(ingress: tuple[str, int], host: str, path: str = "/") -> tuple[int, str]:
    """The same where that is known."""
    with contextlib.closing(HTTPConnection(*ingress, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def pods(objects: list[Any]) -> list[Any]:
    """Pods and pod templates."""
    jobs = [one["spec"]["jobTemplate"] if one["kind"] == "CronJob" else one for one in objects]
    return [one if one.get("kind") == "Pod" else one["spec"]["template"] for one in jobs if _has_pods(one)]


def the(objects: list[Any], kind: str) -> Any:
    """The one object of a kind."""
    (found,) = [one for one in objects if one["kind"] == kind]
    return found


def schema(chart: Path) -> Any:
    """What its values may be."""
    return json.loads((chart / "values.schema.json").read_text())


def fields(schema: Any, *before: str) -> Iterator[tuple[str, Any]]:
    """Every value that is not a group of others: its path with dots, and its schema."""
    for name, field in schema["properties"].items():
        if "properties" in field:
            yield from fields(field, *before, name)
        else:
            yield ".".join((*before, name)), field


def _has_pods(one: Any) -> bool:
    return one.get("kind") == "Pod" or "template" in one.get("spec", {})
