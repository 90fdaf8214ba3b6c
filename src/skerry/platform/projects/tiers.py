"""The tiers that come with Skerry, and what a project is granted: its tier, with what was agreed instead."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical
from skerry.kube.records import record
from skerry.platform.base.capability import INITIAL
from skerry.platform.projects.types import TIERS, Budgets, ContainerLimits, PodSecurity, ProjectSpec, Quota, TierSpec

_SPECS: dict[str, Obj] = {
    "free": {
        "description": "To try things out: small, for three months.",
        "quota": {
            "requests.cpu": "2",
            "limits.cpu": "2",
            "requests.memory": "4Gi",
            "limits.memory": "4Gi",
            "requests.storage": "10Gi",
            "pods": "20",
            "persistentvolumeclaims": "10",
            "services.loadbalancers": "0",
        },
        "budgets": {"cpuHours": 500},
        "lifetimeDays": 90,
        "limits": {"defaultRequest": {"cpu": "100m", "memory": "256Mi"}, "default": {"cpu": "1", "memory": "1Gi"}},
        "approval": "Automatic",
    },
    "guaranteed": {
        "description": "By agreement: what was agreed stands in the project's overrides. No expiry.",
        "limits": {"defaultRequest": {"cpu": "100m", "memory": "256Mi"}, "default": {"cpu": "1", "memory": "1Gi"}},
        "priority": 1000,
        "approval": "Manual",
    },
}


def built_in() -> Sequence[Obj]:
    """The objects to make where they are missing."""
    return [
        {
            "apiVersion": TIERS.api_version,
            "kind": TIERS.kind,
            "metadata": {"name": name, "annotations": {INITIAL: "true"}},
            "spec": spec,
        }
        for name, spec in _SPECS.items()
    ]


@record
class Granted:
    """What a project may have. Quantities are canonical, as the API gives them back."""

    quota: Quota
    budgets: Budgets
    limits: ContainerLimits
    pod_security: PodSecurity
    priority: int
    priority_class: str
    """Of its pods that name none; "" when they have the cluster's default."""
    egress: tuple[str, ...]
    namespaces: int


def granted(project: str, tier_name: str, tier: TierSpec, spec: ProjectSpec) -> Granted:
    """The tier's, where the project's overrides say nothing."""
    own = spec.overrides
    priority = tier.priority if own.priority is None else own.priority
    return Granted(
        quota=_canonical({**tier.quota, **own.quota}),
        budgets=granted_budgets(tier, spec),
        limits=ContainerLimits(
            default_request=_canonical(tier.limits.default_request),
            default=_canonical(tier.limits.default),
            max=_canonical(tier.limits.max),
        ),
        pod_security=own.pod_security or tier.pod_security,
        priority=priority,
        priority_class=_class_name(project, tier_name, priority, tier.priority),
        egress=tuple(tier.egress),
        namespaces=tier.namespaces,
    )


def granted_budgets(tier: TierSpec, spec: ProjectSpec) -> Budgets:
    """What may be used for good; the tier's, where the project's overrides say nothing."""
    return Budgets.of({**tier.budgets.dump(), **spec.overrides.budgets.dump()})


def tier_class(tier_name: str) -> str:
    """The name of a tier's PriorityClass."""
    return f"skerry-tier-{tier_name}"


def project_class(project: str) -> str:
    """The name of the PriorityClass of a project whose priority is not its tier's."""
    return f"skerry-project-{project}"


def _class_name(project: str, tier_name: str, priority: int, of_tier: int) -> str:
    if priority != of_tier:
        return project_class(project)
    return tier_class(tier_name) if priority else ""


def _canonical(amounts: dict[str, str]) -> dict[str, str]:
    return {name: canonical(amount) for name, amount in amounts.items()}
