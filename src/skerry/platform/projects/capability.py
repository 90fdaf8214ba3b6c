"""What this capability brings: kinds, rights, shipped objects, controllers, admission; each part's own."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.kube.objects import Obj
from skerry.platform.base.admission import Hook
from skerry.platform.base.capability import Capability, Context
from skerry.platform.projects.guarding import parts as guarding
from skerry.platform.projects.lifecycle import parts as lifecycle
from skerry.platform.projects.lifecycle.readers import shipped as shipped_for_requests
from skerry.platform.projects.quota import parts as quota
from skerry.platform.projects.reconcile import ProjectController
from skerry.platform.projects.rights import TENANCY
from skerry.platform.projects.shipped import shipped
from skerry.platform.projects.tier_classes import TierController
from skerry.platform.projects.types import PROJECT, PROJECT_REQUEST, TIER


def _objects() -> Sequence[Obj]:
    return [*shipped(), *shipped_for_requests()]


def _controllers(context: Context) -> Sequence[Controller]:
    tenancy = [ProjectController(context), TierController(context)]
    return [*tenancy, *quota.controllers(context), *lifecycle.controllers(context)]


def _hooks(context: Context) -> Sequence[Hook]:
    return [*guarding.hooks(context), *quota.hooks(context), *lifecycle.hooks(context)]


PROJECTS = Capability(
    name="projects",
    kinds=(TIER, PROJECT, PROJECT_REQUEST),
    rights=(*TENANCY, *quota.RIGHTS, *lifecycle.RIGHTS),
    objects=_objects,
    controllers=_controllers,
    hooks=_hooks,
)
