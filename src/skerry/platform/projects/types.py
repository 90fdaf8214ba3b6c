"""The kinds of projects: what a tier grants, what a project is, and what somebody asks for.

Their schemas, their reference pages and what controllers read are made from these models.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from skerry.kube.objects import Obj
from skerry.platform.base.kinds import AGE, READY, Column, Kind, resource_of
from skerry.platform.base.model import Model, Name, Quantity

TIERS = resource_of("tiers", "Tier", namespaced=False)
PROJECTS = resource_of("projects", "Project", namespaced=False)
PROJECT_REQUESTS = resource_of("projectrequests", "ProjectRequest", namespaced=False)

PROJECT_LABEL = "skerry.dev/project"
"""On a namespace: whose it is. Only the platform and operators may set, change or remove it."""
CHANGES = "skerry.dev/changes"
"""Annotation of a Project: who changed what lately, JSON. Only admission writes it."""
MADE_LABEL = "skerry.dev/made-for"
"""On what the platform makes for a project, in its namespaces and beside them: its name. Nobody else changes those."""
SLEEPS_BECAUSE = "skerry.dev/sleeps-because"
"""Annotation of a Project that the platform put to sleep: why."""
PLACED_LABEL = "skerry.dev/placed"
"""On a namespace whose pods are given sites or a priority."""
RUN_AS_LABEL = "skerry.dev/run-as"
"""On a namespace: `person` where pods run with the numbers of whose they are. Capability `identity` sees to it."""
PULL_SECRETS = "skerry-pull-secrets"
"""The namespace where operators keep them: of all Secrets of the platform, this capability reads those only."""
PULL_SECRET_LABEL = "skerry.dev/pull-secret"  # noqa: S105  # its name
"""On a Secret in `PULL_SECRETS`: the project whose pods may pull images with it; "" for all projects."""
SITE_LABEL = "skerry.dev/site"
"""On a node: where it stands."""

Role = Literal["owner", "editor", "viewer"]
PodSecurity = Literal["privileged", "baseline", "restricted"]
Quota = dict[str, Quantity]
"""By the names of a ResourceQuota: `requests.cpu`, `limits.memory`, `requests.storage`, `pods`,
`<class>.storageclass.storage.k8s.io/requests.storage`, `requests.nvidia.com/gpu`, `services.loadbalancers`."""


Network = Annotated[str, Field(max_length=64)]


class Budgets(Model):
    """What may be used up over a project's life."""

    cpu_hours: float | None = Field(None, ge=0, description="Hours of one CPU, as requested by pods that run.")
    gpu_hours: float | None = Field(None, ge=0, description="Hours of one GPU, as requested by pods that run.")


class ContainerLimits(Model):
    """What containers get that say nothing, and the most they may ask for; as a LimitRange has it."""

    default_request: dict[str, Quantity] = Field({}, description="Requests of a container without any.")
    default: dict[str, Quantity] = Field({}, description="Limits of a container without any.")
    max: dict[str, Quantity] = Field({}, description="The largest limits of a container.")


class IdlePolicy(Model):
    """When a project of which nobody makes use is put to sleep."""

    after_hours: float = Field(ge=1, description="Its pods have used next to nothing for so long, as measured.")
    cpu: Quantity = Field("20m", description="What all its pods together use at most while nobody uses them.")


class TierSpec(Model):
    """What projects of a tier are given."""

    description: str = ""
    quota: Quota = Field({}, description="One number for all namespaces of a project together.")
    budgets: Budgets = Budgets(cpu_hours=None, gpu_hours=None)
    lifetime_days: int | None = Field(None, ge=1, description="A project ends so many days after it was made.")
    drain_hours: int = Field(24, ge=0, description="From the end of a project until what runs is put to sleep.")
    archive_days: int | None = Field(
        None, ge=0, description="From going to sleep at its end until a project is archived; without it, never."
    )
    purge_days: int | None = Field(
        None, ge=1, description="From then until it is deleted with all its data; without it, never."
    )
    idle: IdlePolicy | None = Field(None, description="Without it, nothing sleeps because nobody uses it.")
    limits: ContainerLimits = ContainerLimits(default_request={}, default={}, max={})
    pod_security: PodSecurity = "restricted"
    priority: int = Field(0, ge=-1_000_000, le=1_000_000, description="Of the pods: higher ones go first.")
    egress: list[Network] = Field(
        [], max_length=50, description="Networks (CIDR) that pods reach beside their project and DNS."
    )
    namespaces: int = Field(10, ge=1, le=1000, description="The most that members may make, all together.")
    approval: Literal["Automatic", "Manual"] = Field("Manual", description="Of requests for projects of this tier.")


class Member(Model):
    """Who may do what in a project: one user, or everybody in a group."""

    user: str | None = Field(None, min_length=1, max_length=256, description="As the cluster knows the person.")
    group: str | None = Field(None, min_length=1, max_length=512, description="As the cluster knows the group.")
    role: Role


class Overrides(Model):
    """What differs from the tier, by agreement. Only operators may change it."""

    quota: Quota = Field({})
    budgets: Budgets = Budgets(cpu_hours=None, gpu_hours=None)
    pod_security: PodSecurity | None = None
    priority: int | None = Field(None, ge=-1_000_000, le=1_000_000)
    archive_without: list[str] | None = Field(
        None, max_length=1000, description="Claims, `namespace/name`, that are archived and purged without their data."
    )


class ProjectSpec(Model):
    """What a project is to be."""

    description: str = ""
    tier: Name = "free"
    owner: str = Field(min_length=1, max_length=256, description="The user who answers for it; has the role owner.")
    members: list[Member] = Field([], max_length=500)
    namespaces: list[Name] = Field(
        [],
        max_length=1000,
        description="Made for it; by default one of its own name. More may be made as `<project>-...`.",
    )
    sites: list[Name] = Field(
        [], max_length=50, description="Where its pods may run, by node label `skerry.dev/site`; [] anywhere."
    )
    overrides: Overrides = Overrides(quota={}, pod_security=None, priority=None, archive_without=None)
    expires: datetime | None = Field(None, description="Its end, instead of that which the tier gives.")
    run_as: Literal["Manifest", "Person"] = Field(
        "Manifest", description="Person: pods run with the uidNumber and gidNumber of whose they are."
    )
    state: Literal["Active", "Hibernated", "Archived"] = Field(
        "Active",
        description="Hibernated: scaled to zero, data kept. Archived: manifests and data are kept elsewhere as well.",
    )


class Amount(Model):
    """Of one resource."""

    used: str
    hard: str


class Spent(Model):
    """Of one budget, in hours."""

    used: float
    limit: float | None = None


class Activity(Model):
    """Whether a project is made use of, where its tier has an idle policy and pods run."""

    last: datetime = Field(description="When its pods last used more than the tier's `idle.cpu`.")
    until: datetime = Field(description="Until when that was measured.")


class KeptData(Model):
    """The data of one volume, in a claim of `skerry-archives`."""

    claim: str = Field(description="The project's, `namespace/name`.")
    uid: str
    size: str = Field(description="Of the project's volume.")
    bytes: int = Field(description="Of the archive.")
    sha256: str = Field(description="Of the archive.")


class Archive(Model):
    """What is kept of a project in `skerry-archives`: its manifests as Secrets, the data of its volumes as claims."""

    time: datetime
    objects: int = 0
    parts: int = 0
    volumes: list[str] = Field([], description="Claims whose data is not in it, and why. The first hundred.")
    data: list[KeptData] | None = Field(
        None, description="Volumes whose data is in it. The first hundred. Archives of earlier releases do not have it."
    )
    left_out: list[str] = Field([], description="Kinds that could not be read.")


class Happening(Model):
    """One line of a project's history."""

    time: datetime
    what: str
    by: str = ""


Phase = Literal["Pending", "Active", "Draining", "Hibernated", "Archived"]


class ProjectStatus(Model):
    """What a project is."""

    phase: Phase = "Pending"
    namespaces: list[str] = Field([])
    quota: dict[str, Amount] = Field({})
    budgets: dict[str, Spent] = Field({}, description="By name: cpuHours, gpuHours.")
    activity: Activity | None = None
    expires: datetime | None = None
    archive: Archive | None = None
    purges: datetime | None = Field(None, description="When everything is deleted.")
    warned: list[str] = Field([], description="What its people were told already.")
    history: list[Happening] = Field([], description="The last hundred things that happened to it.")


class ProjectRequestSpec(Model):
    """What somebody asks for, and what was decided."""

    kind: Literal["Project", "Quota", "Extension"]
    project: Name
    requester: str = Field("", description="Set from who creates the request; nobody can ask in another's name.")
    tier: Name | None = Field(None, description="Of a new project, or to move to.")
    quota: Quota = Field({}, description="Wanted instead of what there is.")
    budgets: Budgets = Budgets(cpu_hours=None, gpu_hours=None)
    days: int | None = Field(None, ge=1, le=3650, description="How much longer.")
    reason: str = Field("", description="Why; for whoever decides.")
    decision: Literal["Approved", "Denied"] | None = Field(None, description="By those who may `approve` requests.")
    answer: str = Field("", description="The reason of the decision; required to deny.")
    decided_by: str = Field("", description="Set from who decides.")


class ProjectRequestStatus(Model):
    """What became of it."""

    phase: Literal["Pending", "Approved", "Denied", "Failed"] = "Pending"
    decided_by: str = ""
    decided_at: datetime | None = None


def _name_rules(name: str, besides: str = "false") -> tuple[Obj, ...]:
    """What a project may be called. `name`, `besides`: CEL; where the latter holds, the name may be any."""
    return (
        {
            "rule": f"{besides} || {name}.matches('^[a-z]([-a-z0-9]{{0,48}}[a-z0-9])?$')",
            "message": "a project's name begins its namespaces' names: at most 50 of a-z, 0-9 and -, a letter first",
        },
        {
            "rule": f"{besides} || !({name} in ['default', 'kube', 'skerry'] "
            f"|| {name}.startsWith('kube-') || {name}.startsWith('skerry-'))",
            "message": "default, kube, kube-..., skerry and skerry-... are names of the cluster itself",
        },
    )


TIER = Kind(
    TIERS,
    TierSpec,
    columns=(
        Column("CPU", ".spec.quota.requests\\.cpu"),
        Column("Memory", ".spec.quota.requests\\.memory"),
        Column("CPU-hours", ".spec.budgets.cpuHours", "number"),
        Column("Days", ".spec.lifetimeDays", "integer"),
        AGE,
    ),
    rules=(
        {
            "rule": "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$')",
            "message": "a tier's name has at most 50 of a-z, 0-9 and -",
        },
        {
            "rule": "self.spec.egress.all(one, isCIDR(one))",
            "message": "spec.egress names networks, such as 10.0.0.0/8",
        },
    ),
    description="What a project is given: quota, budgets, lifetime, limits.",
)
PROJECT = Kind(
    PROJECTS,
    ProjectSpec,
    ProjectStatus,
    columns=(
        Column("Tier", ".spec.tier"),
        Column("Owner", ".spec.owner"),
        Column("Phase", ".status.phase"),
        READY,
        Column("Expires", ".status.expires", "string", 1),
        AGE,
    ),
    short_names=("proj",),
    rules=(
        *_name_rules("self.metadata.name"),
        {
            "rule": "self.spec.members.all(one, has(one.user) != has(one.group))",
            "message": "each member is either a user or a group",
        },
    ),
    description="A group of people, what they may do, and what they may use, in namespaces of their own.",
)
PROJECT_REQUEST = Kind(
    PROJECT_REQUESTS,
    ProjectRequestSpec,
    ProjectRequestStatus,
    columns=(
        Column("Kind", ".spec.kind"),
        Column("Project", ".spec.project"),
        Column("Requester", ".spec.requester"),
        Column("Phase", ".status.phase"),
        AGE,
    ),
    short_names=("preq",),
    rules=_name_rules("self.spec.project", besides="self.spec.kind != 'Project'"),
    description="Asks for a project, for more, or for longer.",
)
