"""The kinds of the catalogue: where charts come from, and what there is.

A Catalog lives in a namespace: those in `GLOBAL_NAMESPACE` are everybody's, others are their project's. The platform
writes a CatalogEntry for each chart beside it. The archive of a version that is kept is a ConfigMap beside the entry,
named by its digest, so that an upstream which vanishes breaks nothing: `ARCHIVE_KEY` in `binaryData`, and the files
that people and programs read of it (`FILES`) in `data`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from skerry.platform.base.kinds import AGE, READY, REASON, Column, Kind, resource_of
from skerry.platform.base.model import Model, Name

CATALOGS = resource_of("catalogs", "Catalog", namespaced=True)
CATALOG_ENTRIES = resource_of("catalogentries", "CatalogEntry", namespaced=True)

GLOBAL_NAMESPACE = "skerry-catalogs"
"""Catalogues here are everybody's: who is signed in may read them."""
SHIPPED = "skerry"
"""The name of the catalogue that comes with the platform."""
CHART_LABEL = "skerry.dev/chart"
"""On the ConfigMap of an archive: the chart's name."""
ARCHIVE_KEY = "chart.tgz"
FILES = ("Chart.yaml", "values.yaml", "values.schema.json", "README.md")
"""What is beside the archive, when the chart has it."""
REFRESH = "skerry.dev/refresh"
"""Annotation of a Catalog: any new value has it refreshed at once."""
LARGEST_ARCHIVE = 900 * 1024
"""Bytes. An object of the API holds no more, and Helm could not keep the release of a larger chart either."""

SourceType = Literal["Http", "OCI", "Directory", "Git", "Hosted"]


class Pin(Model):
    """Versions of a chart that are always kept."""

    name: Name
    version: str = Field(description="A version or a range of versions, as in Chart.yaml's dependencies.")


class CatalogSpec(Model):
    """Where charts come from."""

    type: SourceType
    url: str = Field("", description="Of the repository: https://..., oci://..., or what git clones; not for Hosted.")
    path: str = Field("", description="Directory: where; Git: below its root.")
    ref: str = Field("", description="Git: branch, tag or commit; by default what HEAD is.")
    secret: Name | None = Field(
        None, description="A Secret beside it with username and password, or ca.crt; for git also ssh-privatekey."
    )
    display_name: str = ""
    description: str = ""
    refresh_minutes: int = Field(60, ge=1, le=7 * 24 * 60)
    charts: list[Name] = Field([], max_length=1000, description="Only these; OCI registries cannot be listed: needed.")
    keep: Literal["Used", "Newest", "All"] = Field(
        "Used", description="Archives kept beside those that are pinned: of releases; also each newest; all."
    )
    pinned: list[Pin] = Field([], max_length=1000)
    suspended: bool = Field(False, description="Not refreshed.")
    overwrite: bool = Field(False, description="Hosted: a version may be pushed again with other content.")


class CatalogStatus(Model):
    """What is there."""

    charts: int = 0
    versions: int = 0
    refreshed: datetime | None = None
    revision: str = Field("", description="Of what was read last: a digest or a commit.")
    asked: str = Field("", description="The value of the annotation skerry.dev/refresh that was obeyed last.")


class Maintainer(Model):
    """Who keeps a chart."""

    name: str = ""
    email: str = ""
    url: str = ""


class Version(Model):
    """Of one chart."""

    version: str
    app_version: str = ""
    kube_version: str = ""
    created: datetime | None = None
    digest: str = Field("", description="sha256 of the archive, hexadecimal.")
    url: str = Field("", description="Where upstream has it.")
    archive: str = Field("", description="The ConfigMap that has it; empty when it is not kept.")
    pinned: bool = False


class CatalogEntrySpec(Model):
    """A chart. The platform writes it."""

    catalog: Name
    name: Name
    display_name: str = ""
    category: str = Field("", description="The annotation skerry.dev/category of its Chart.yaml.")
    description: str = ""
    icon: str = Field("", description="An URL, or the picture itself as a data: URL.")
    home: str = ""
    keywords: list[str] = Field([])
    maintainers: list[Maintainer] = Field([])
    deprecated: bool = False
    versions: list[Version] = Field([], description="Newest first, at most fifty and those that are kept.")


CATALOG = Kind(
    CATALOGS,
    CatalogSpec,
    CatalogStatus,
    columns=(
        Column("Type", ".spec.type"),
        Column("URL", ".spec.url", "string", 1),
        Column("Charts", ".status.charts", "integer"),
        READY,
        REASON,
        Column("Refreshed", ".status.refreshed", "date"),
        AGE,
    ),
    short_names=("cat",),
    description="A source of charts: a repository, a registry, a directory, or kept by the platform itself.",
)
CATALOG_ENTRY = Kind(
    CATALOG_ENTRIES,
    CatalogEntrySpec,
    columns=(
        Column("Catalog", ".spec.catalog"),
        Column("Chart", ".spec.name"),
        Column("Version", ".spec.versions[0].version"),
        Column("App", ".spec.versions[0].appVersion"),
        Column("Description", ".spec.description", "string", 1),
        AGE,
    ),
    description="A chart of a catalogue, with its versions.",
)
