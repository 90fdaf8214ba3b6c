"""The capabilities there are: the one list to add a new one to."""

from __future__ import annotations

from skerry.platform.base.capability import Capability
from skerry.platform.catalog.capability import CATALOG_CAPABILITY
from skerry.platform.identity.capability import IDENTITY
from skerry.platform.projects.capability import PROJECTS
from skerry.platform.releases.capability import RELEASES
from skerry.platform.usage.capability import USAGE

ALL: tuple[Capability, ...] = (PROJECTS, USAGE, IDENTITY, CATALOG_CAPABILITY, RELEASES)
"""Webhooks are called in this order: usage notes whose a pod is, identity gives it that person's numbers."""
