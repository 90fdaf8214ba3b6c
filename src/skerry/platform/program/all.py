"""The capabilities there are: the one list to add a new one to."""

from __future__ import annotations

from skerry.platform.base.capability import Capability
from skerry.platform.identity.capability import IDENTITY
from skerry.platform.projects.capability import PROJECTS
from skerry.platform.usage.capability import USAGE

ALL: tuple[Capability, ...] = (PROJECTS, IDENTITY, USAGE)
