"""What `skerry launch` is told to launch, as a Release says it. Pure.

`jupyterlab` and `skerry/jupyterlab` are charts of catalogues, `oci://...` and `https://...tgz` charts at addresses,
`git+https://...` and `git+ssh://...` what is in a repository. Neighbour: `platform.releases.types`, `ReleaseSpec`.
"""

from __future__ import annotations

import re

import click

from skerry.kube.objects import Obj
from skerry.kube.records import record

TYPES = ("Chart", "Kustomize", "Manifests")
_GIT = "git+"
_VERSIONED = re.compile(r"(-v?[0-9]+\.[^/]*)?\.tgz$")


@record
class Origin:
    """What was said; "" for what was not."""

    chart: str
    version: str = ""
    secret: str = ""
    ref: str = ""
    path: str = ""
    type: str = ""

    @property
    def is_git(self) -> bool:
        """Whether it is in a repository."""
        return self.chart.startswith(_GIT)

    @property
    def name(self) -> str:
        """What its release is called: of `https://charts.example/web-1.2.0.tgz` as of `skerry/web`; of git as the
        folder, or the repository."""
        if self.is_git:
            return (self.path.strip("/") or self.chart.rstrip("/").removesuffix(".git")).rpartition("/")[2]
        return _VERSIONED.sub("", self.chart.rpartition("/")[2])

    def spec(self) -> Obj:
        """Of a Release, without values. Raises click.UsageError."""
        more = {"version": self.version, "secret": self.secret}
        if self.is_git:
            return {"source": self._source()}
        for option in ("ref", "path", "type"):
            if getattr(self, option):
                raise click.UsageError(f"--{option} is for what is in git: git+https://..., git+ssh://...")
        catalog, _, name = self.chart.rpartition("/")
        said = {"url": self.chart} if "://" in self.chart else {"catalog": catalog, "name": name}
        return {"chart": _said(**said, **more)}

    def _source(self) -> Obj:
        if self.version:
            raise click.UsageError("--version is for charts that have versions: in git it is --ref, a branch or a tag")
        git = _said(url=self.chart.removeprefix(_GIT), ref=self.ref, path=self.path, secret=self.secret)
        return {"type": self.type or "Chart", "git": git}


def _said(**words: str) -> dict[str, str]:
    return {key: value for key, value in words.items() if value}
