"""Projects as this capability sees them in the API. It does not know who makes them."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, labels_of, name_of, uid_of
from skerry.kube.records import record
from skerry.platform.base.kinds import resource_of

PROJECTS = resource_of("projects", "Project", namespaced=False)
TIERS = resource_of("tiers", "Tier", namespaced=False)
RELEASES = resource_of("releases", "Release", namespaced=True)
PROJECT_LABEL = "skerry.dev/project"
"""On a namespace: whose it is."""


@record
class Account:
    """Whose ledger: a project of one life. One that is made anew under its name begins at nothing."""

    project: str
    uid: str
    opened: int
    """Since when it is counted, in seconds since 1970."""


def account_of(project: Obj) -> Account:
    """A project's."""
    opened = parse_time(project["metadata"]["creationTimestamp"])
    return Account(name_of(project), uid_of(project), int(opened.timestamp()))


def project_of(namespace: Obj) -> str:
    """ "" when it is nobody's."""
    return labels_of(namespace).get(PROJECT_LABEL, "")


def home_of(project: Obj) -> str:
    """The namespace where members find what is told to them: its first."""
    named = project["spec"].get("namespaces") or [name_of(project)]
    return str(named[0])


def budgets_of(project: Obj, tier: Obj | None) -> Mapping[str, float]:
    """Hours by name (`cpuHours`, `gpuHours`): what was agreed for the project counts more than its tier."""
    granted = ((tier or {}).get("spec") or {}).get("budgets") or {}
    agreed = (project["spec"].get("overrides") or {}).get("budgets") or {}
    return {name: float(hours) for name, hours in {**granted, **agreed}.items() if hours is not None}
