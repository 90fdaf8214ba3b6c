"""What a project comes to in the cluster. Pure: from a project and what it is granted to objects.

Every object carries `MADE_LABEL`, by which it is found again, kept from tenants, and taken away with the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record
from skerry.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    LIMIT_RANGES,
    NETWORK_POLICIES,
    PRIORITY_CLASSES,
    RESOURCE_QUOTAS,
    ROLE_BINDINGS,
    SERVICE_ACCOUNTS,
)
from skerry.platform.projects.roles import ROLE_NAMES
from skerry.platform.projects.tiers import Granted, project_class
from skerry.platform.projects.types import MADE_LABEL, PLACED_LABEL, PROJECT_LABEL, RUN_AS_LABEL, ProjectSpec, Role

_RBAC = "rbac.authorization.k8s.io"

QUOTA, LIMITS, ISOLATION, DEPLOYER = "skerry", "skerry", "skerry-isolation", "skerry-deployer"
INGRESS_LABEL = "skerry.dev/ingress"
"""On namespaces of others whose pods may reach all projects' pods: ingress controllers, monitoring."""
_POD_SECURITY = "pod-security.kubernetes.io"
_RESERVED = ("default", "kube-", "skerry-")


@record
class Tenant:
    """A project and what it is granted."""

    name: str
    spec: ProjectSpec
    granted: Granted
    pull_secrets: Sequence[str] = field(default=())
    """Names of the copies that its service accounts name."""


Wanted = tuple[Resource, Obj]


def wished_namespaces(project: str, spec: ProjectSpec) -> list[str]:
    """The namespaces that are made for it; its members may make more."""
    return spec.namespaces or [project]


def is_reserved(namespace: str) -> bool:
    """Whether it is one of the cluster's own, which no project gets."""
    return namespace.startswith(_RESERVED)


def namespace_labels(tenant: Tenant) -> dict[str, str]:
    """Labels of every namespace of a project."""
    granted = tenant.granted
    labels = {PROJECT_LABEL: tenant.name, f"{_POD_SECURITY}/enforce": granted.pod_security}
    placed = {PLACED_LABEL: "true"} if tenant.spec.sites or granted.priority_class else {}
    person = {RUN_AS_LABEL: "person"} if tenant.spec.run_as == "Person" else {}
    return {**labels, **placed, **person}


def gone_labels(there: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, None]:
    """Labels of a namespace that it has no longer, as a merge patch."""
    return {name: None for name in (PLACED_LABEL, RUN_AS_LABEL) if name in there and name not in wanted}


def in_namespace(tenant: Tenant, namespace: str) -> Iterable[Wanted]:
    """Everything in one namespace."""
    yield from _quota(tenant)
    yield from _limits(tenant)
    yield NETWORK_POLICIES, _of(tenant, ISOLATION, spec=isolation(tenant))
    for role, subjects in subjects_of(tenant.spec).items():
        theirs = [*subjects, _programs(tenant.name, role)]
        yield ROLE_BINDINGS, _binding(tenant, f"skerry-{role}", ROLE_NAMES[role], theirs)
    deployer = {"kind": "ServiceAccount", "name": DEPLOYER, "namespace": namespace}
    yield ROLE_BINDINGS, _binding(tenant, DEPLOYER, ROLE_NAMES["editor"], [deployer, _releases(tenant.name)])
    yield SERVICE_ACCOUNTS, _of(tenant, DEPLOYER, **_pulling(tenant))


def default_account(tenant: Tenant) -> Obj:
    """What the account `default` of a namespace is given: not ours, so it has no label."""
    return {"metadata": {"name": "default"}, **_pulling(tenant)}


IN_NAMESPACE: Sequence[tuple[Resource, str]] = (
    (RESOURCE_QUOTAS, QUOTA),
    (LIMIT_RANGES, LIMITS),
    (NETWORK_POLICIES, ISOLATION),
    *((ROLE_BINDINGS, f"skerry-{role}") for role in ROLE_NAMES),
    (ROLE_BINDINGS, DEPLOYER),
    (SERVICE_ACCOUNTS, DEPLOYER),
)
"""What `in_namespace` may give: which of it is not wanted any more goes."""


def beside(tenant: Tenant) -> Iterable[Wanted]:
    """What belongs to the project and to no namespace: who may see and change it, and make namespaces in it."""
    for role, subjects in subjects_of(tenant.spec).items():
        if subjects:
            name = access_name(tenant.name, role)
            yield CLUSTER_ROLES, _of(tenant, name, rules=access_rules(tenant.name, role))
            yield CLUSTER_ROLE_BINDINGS, _binding(tenant, name, name, subjects)
    if tenant.granted.priority_class == project_class(tenant.name):
        name = tenant.granted.priority_class
        yield PRIORITY_CLASSES, _of(tenant, name, value=tenant.granted.priority)


def beside_names(project: str) -> Iterable[tuple[Resource, str]]:
    """What `beside` may give."""
    for role in ROLE_NAMES:
        yield CLUSTER_ROLES, access_name(project, role)
        yield CLUSTER_ROLE_BINDINGS, access_name(project, role)
    yield PRIORITY_CLASSES, project_class(project)


def access_name(project: str, role: Role) -> str:
    """Of the ClusterRole by which a role's people reach the Project itself."""
    return f"skerry:project:{project}:{role}"


def access_rules(project: str, role: Role) -> list[Obj]:
    """`divide` marks people whose namespaces are narrowed to their projects (guarding/namespaces)."""
    own = {"apiGroups": ["skerry.dev"], "resourceNames": [project]}
    rules: list[Obj] = [{**own, "resources": ["projects"], "verbs": ["get", "watch"]}]
    if role != "viewer":
        rules += [
            {**own, "resources": ["projects/namespaces"], "verbs": ["create"]},
            {"apiGroups": ["skerry.dev"], "resources": ["projects"], "verbs": ["divide"]},
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["create"]},
        ]
    if role == "owner":
        rules.append({**own, "resources": ["projects"], "verbs": ["patch", "update"]})
    return rules


def subjects_of(spec: ProjectSpec) -> dict[Role, list[Obj]]:
    """Who has which role, as bindings name them, in order of the spec and each once."""
    owner = {"apiGroup": _RBAC, "kind": "User", "name": spec.owner}
    found: dict[Role, list[Obj]] = {"owner": [owner], "editor": [], "viewer": []}
    for member in spec.members:
        kind, name = ("User", member.user) if member.user else ("Group", member.group)
        subject = {"apiGroup": _RBAC, "kind": kind, "name": name}
        if subject not in found[member.role]:
            found[member.role].append(subject)
    return found


def _programs(project: str, role: Role) -> Obj:
    """The group as which capability `identity` lets programs with a token of the project in. It has no members else."""
    return {"apiGroup": _RBAC, "kind": "Group", "name": f"skerry:project:{project}:{role}"}


def _releases(project: str) -> Obj:
    """As whom capability `releases` carries out the project's releases."""
    return {"kind": "ServiceAccount", "name": project, "namespace": "skerry-releases"}


def isolation(tenant: Tenant) -> Obj:
    """Nothing in or out, but within the project, names, and from where ingress comes; and what the tier opens.
    What members allow beside it, by policies of their own, adds up."""
    same = {"namespaceSelector": {"matchLabels": {PROJECT_LABEL: tenant.name}}}
    ingress = {"namespaceSelector": {"matchLabels": {INGRESS_LABEL: "true"}}}
    names = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    egress: list[Obj] = [{"to": [same]}, {"ports": names}]
    if tenant.granted.egress:
        egress.append({"to": [{"ipBlock": {"cidr": cidr}} for cidr in tenant.granted.egress]})
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [same, ingress]}],
        "egress": egress,
    }


def _quota(tenant: Tenant) -> Iterable[Wanted]:
    if tenant.granted.quota:
        yield RESOURCE_QUOTAS, _of(tenant, QUOTA, spec={"hard": tenant.granted.quota})


def _limits(tenant: Tenant) -> Iterable[Wanted]:
    limits = {name: value for name, value in tenant.granted.limits.dump().items() if value}
    if limits:
        yield LIMIT_RANGES, _of(tenant, LIMITS, spec={"limits": [{"type": "Container", **limits}]})


def _pulling(tenant: Tenant) -> Obj:
    return {"imagePullSecrets": [{"name": name} for name in tenant.pull_secrets]} if tenant.pull_secrets else {}


def _binding(tenant: Tenant, name: str, role: str, subjects: Sequence[Obj]) -> Obj:
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}
    return _of(tenant, name, roleRef=reference, subjects=list(subjects))


def _of(tenant: Tenant, name: str, **content: object) -> Obj:
    return {"metadata": {"name": name, "labels": {MADE_LABEL: tenant.name}}, **content}


def covers(there: object, wanted: object) -> bool:
    """Whether what is there says everything that is wanted; it may say more, as defaults do. Lists are whole.
    Compared with every object at every restart: what is equal is not looked into."""
    if there == wanted:
        return True
    if isinstance(wanted, dict) and isinstance(there, dict):
        return all(covers(there.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        return len(there) == len(wanted) and all(map(covers, there, wanted))
    return False
