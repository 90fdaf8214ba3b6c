"""What this capability brings: kinds, rights, built-in tiers, controllers, admission."""

from __future__ import annotations

from skerry.platform.base.capability import Capability
from skerry.platform.projects.lifecycle import parts as lifecycle
from skerry.platform.projects.lifecycle.readers import shipped as shipped_roles
from skerry.platform.projects.quota import parts as quota
from skerry.platform.projects.reconcile import ProjectController
from skerry.platform.projects.tiers import built_in
from skerry.platform.projects.types import PROJECT, PROJECT_REQUEST, TIER

PROJECTS = Capability(
    name="projects",
    kinds=(TIER, PROJECT, PROJECT_REQUEST),
    rights=(
        {"apiGroups": ["skerry.dev"], "resources": ["projects", "tiers"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": ["skerry.dev"], "resources": ["projects/status"], "verbs": ["update", "patch"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch", "create", "patch"]},
        *quota.RIGHTS,
        *lifecycle.RIGHTS,
    ),
    objects=lambda: [*built_in(), *shipped_roles()],
    controllers=lambda context: [
        ProjectController(context), *quota.controllers(context), *lifecycle.controllers(context)
    ],
    hooks=lambda context: [*quota.hooks(context), *lifecycle.hooks(context)],
)  # fmt: skip
