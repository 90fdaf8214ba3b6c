"""The kind Release: what is to run, and what does.

What a release comes from is exactly one of `chart` and `source`. What is upstream of no catalogue (`chart.url`,
`source.git`) the capability `catalog` fetches: `base.upstreams`. Helm's own release storage in the target namespace is
the truth about revisions: `helm history` and `helm rollback` of a person see the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from skerry.platform.base.kinds import AGE, READY, REASON, Column, Kind, resource_of
from skerry.platform.base.model import Model, Name
from skerry.platform.base.upstreams import REFRESH_MINUTES

RELEASES = resource_of("releases", "Release", namespaced=True)
RELEASE_LABEL = "skerry.dev/release"
"""On what a release made: its name. Helm's own `app.kubernetes.io/instance` is the charts' business."""
RECOVER = "skerry.dev/recover"
"""Annotation: any new value has a stuck release looked at again at once, its pending revision given up."""

TEST = "skerry.dev/test"
"""Annotation: any new value has the chart's tests run."""

Values = Annotated[dict[str, Any], Field(json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})]


class ChartRef(Model):
    """A chart."""

    catalog: Name | None = Field(
        None, description="Of the namespace, of another one of its project, or everybody's, in this order."
    )
    name: Name | None = None
    url: str = Field(
        "", max_length=2000, description="Instead of catalog and name: https://... of an archive, oci://... of a chart."
    )
    version: str = Field("", description='A version or a range ("1", "^1.2", ">=1 <3"); "" is the newest.')
    digest: str = Field(
        "",
        pattern=r"^((sha256:)?[0-9a-f]{64})?$",
        description="With url: nothing else is taken; of an archive its sha256, in a registry the manifest's.",
    )
    secret: Name | None = Field(
        None, description="With url: a Secret beside the release, with username and password, or ca.crt."
    )


class GitSource(Model):
    """A directory in a repository."""

    url: str = Field(max_length=2000, description="https://..., ssh://..., without a password in it.")
    ref: str = Field("", max_length=200, description="Branch, tag or commit; by default what HEAD is.")
    path: str = Field("", max_length=500, description="A folder in it; by default its root.")
    secret: Name | None = Field(
        None,
        description="A Secret beside the release: username and password, ca.crt; for SSH ssh-privatekey, known_hosts.",
    )


SourceType = Literal["Manifests", "Kustomize", "Chart"]


class Source(Model):
    """Manifests, overlays of kustomize, or a chart that is in git."""

    type: SourceType
    config_map: Name | None = Field(None, description="Each of its keys is a file.")
    git: GitSource | None = None


class ValuesFrom(Model):
    """Values that are kept elsewhere; later ones win, `values` wins over all."""

    config_map: Name | None = None
    secret: Name | None = None
    key: str = "values.yaml"
    optional: bool = False


class ReleaseSpec(Model):
    """What is to run."""

    chart: ChartRef | None = None
    source: Source | None = None
    values: Values = Field({})
    refresh_minutes: int = Field(
        REFRESH_MINUTES, ge=1, le=7 * 24 * 60, description="With chart.url or source.git: how often upstream is asked."
    )
    values_from: list[ValuesFrom] = Field([], max_length=50)
    target_namespace: Name | None = Field(None, description="By default its own; another one must be of its project.")
    release_name: Name | None = Field(None, description="Helm's; by default its own.")
    wait: bool = Field(True, description="Until everything is ready.")
    timeout_seconds: int = Field(300, ge=5, le=24 * 3600)
    test: bool = Field(False, description="Run the chart's tests after each revision.")
    on_failure: Literal["Rollback", "Keep", "Uninstall"] = Field(
        "Rollback", description="Of an upgrade; a first installation that fails is uninstalled, or kept with Keep."
    )
    rollback_to: int | None = Field(None, ge=1, description="Run this revision again, until it is taken out.")
    drift: Literal["Show", "Correct", "Ignore"] = Field("Show", description="When others changed what was applied.")
    suspended: bool = Field(False, description="Nothing is done, whatever else is written here.")
    stopped: bool = Field(False, description="Scaled to zero; what it stores stays.")
    history: int = Field(10, ge=1, le=100, description="Revisions that are kept.")


class Revision(Model):
    """One of Helm's."""

    revision: int
    chart: str = ""
    app_version: str = ""
    status: str = ""
    description: str = ""
    deployed: datetime | None = None


class Fetched(Model):
    """What upstream had, of chart.url or source.git. The capability `catalog` writes it."""

    revision: str = Field("", description="branch@sha1:commit, tag@sha256:digest, or sha256:digest.")
    digest: str = Field("", description="sha256 of what was fetched, hexadecimal.")
    name: str = Field("", description="Of the chart.")
    version: str = Field("", description="Of the chart.")
    archive: str = Field("", description="The ConfigMap that has it.")
    looked: datetime | None = Field(None, description="When upstream was asked last.")
    key: str = Field("", description="Digest of what it was fetched for.")
    tried: str = Field("", description="Digest of what was tried last.")
    asked: str = Field("", description="The value of the annotation skerry.dev/refresh that was obeyed last.")


class Tested(Model):
    """Of the chart's tests."""

    revision: int
    passed: bool
    asked: str = Field("", description="What the annotation skerry.dev/test said.")
    message: str = ""
    time: datetime | None = None


Phase = Literal[
    "Pending", "Installing", "Upgrading", "RollingBack", "Deployed", "Failed", "Stopped", "Suspended", "Uninstalling"
]


class ReleaseStatus(Model):
    """What runs."""

    phase: Phase = "Pending"
    revision: int = 0
    chart: str = Field("", description="Name and version of what runs.")
    source_revision: str = Field("", description="What of upstream runs: branch@sha1:commit, tag@sha256:digest.")
    source: Fetched | None = Field(None, description="What upstream had when it was asked last.")
    app_version: str = ""
    url: str = Field("", description="Where people open it.")
    urls: list[str] = Field([])
    notes: str = Field("", description="What the chart says to who installed it.")
    history: list[Revision] = Field([], description="Newest first.")
    drift: list[str] = Field([], description="What others changed: kind/name: field.")
    tested: Tested | None = None
    attempted: str = Field("", description="Digest of what was tried last, so that a failure is not tried for ever.")
    step: str = Field("", description="What is being waited for, in words.")


_URL = "(has(self.spec.chart.url) && self.spec.chart.url != '')"
_SOURCES = (
    (
        f"!has(self.spec.chart) || has(self.spec.chart.name) != {_URL}",
        "a chart is meant by exactly one of spec.chart.name and spec.chart.url",
    ),
    (
        f"!has(self.spec.chart) || {_URL} || !(has(self.spec.chart.secret) || "
        "(has(self.spec.chart.digest) && self.spec.chart.digest != ''))",
        "spec.chart.secret and spec.chart.digest are for a chart by spec.chart.url: a Catalog has its own",
    ),
    (
        f"!has(self.spec.chart) || !{_URL} || !has(self.spec.chart.catalog)",
        "a chart by spec.chart.url is of no catalogue: leave out spec.chart.catalog",
    ),
    (
        "!has(self.spec.source) || has(self.spec.source.configMap) != has(self.spec.source.git)",
        "a source is exactly one of spec.source.configMap and spec.source.git",
    ),
    (
        "!has(self.spec.source) || self.spec.source.type != 'Chart' || has(self.spec.source.git)",
        "a source of type Chart is in spec.source.git: a ConfigMap has manifests or an overlay",
    ),
)
"""Rules, and what is said where they do not hold."""

RELEASE = Kind(
    RELEASES,
    ReleaseSpec,
    ReleaseStatus,
    columns=(
        Column("Chart", ".status.chart"),
        Column("Revision", ".status.revision", "integer"),
        Column("Phase", ".status.phase"),
        READY,
        REASON,
        Column("URL", ".status.url"),
        AGE,
    ),
    short_names=("rel",),
    rules=(
        {
            "rule": "has(self.spec.chart) != has(self.spec.source)",
            "message": "a release comes from exactly one of spec.chart and spec.source",
        },
        *({"rule": rule, "message": message} for rule, message in _SOURCES),
        *(
            {
                "rule": f"has(self.spec.{name}) == has(oldSelf.spec.{name}) "
                f"&& (!has(self.spec.{name}) || self.spec.{name} == oldSelf.spec.{name})",
                "message": f"spec.{name} cannot be changed: what runs elsewhere would stay there",
            }
            for name in ("targetNamespace", "releaseName")
        ),
    ),
    description="An application from a chart, an overlay or manifests, kept as it is wanted.",
)
