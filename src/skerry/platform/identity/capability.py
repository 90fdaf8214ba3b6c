"""What this capability brings: people, groups, where they sign in, sessions. Its parts share `sessions_of(context)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.kube.controller import Controller
from skerry.platform.base.access import MAY_ASK
from skerry.platform.base.callers import EVERYBODY, Caller
from skerry.platform.base.capability import Capability, Context
from skerry.platform.identity.apps.doors import BACK, DoorController
from skerry.platform.identity.apps.guarding import guarding_hook
from skerry.platform.identity.apps.routes import app_routes
from skerry.platform.identity.gateway.routes import gateway_routes
from skerry.platform.identity.groups import GroupController
from skerry.platform.identity.local.method import local_routes
from skerry.platform.identity.login.server import login_routes
from skerry.platform.identity.membership.parts import federation_routes, membership_controllers
from skerry.platform.identity.naming_hook import naming_hook
from skerry.platform.identity.posix.hook import posix_hooks
from skerry.platform.identity.sessions.keeping import SessionController
from skerry.platform.identity.sessions.sessions import sessions_of
from skerry.platform.identity.shipped import shipped
from skerry.platform.identity.types import GROUP, IDENTITY_PROVIDER, SESSION, USER

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_READ = ["get", "list", "watch"]


def _controllers(context: Context) -> Sequence[Controller]:
    return [
        SessionController(context, sessions_of(context)),
        GroupController(context),
        DoorController(context),
        *membership_controllers(context),
    ]


def _routes(context: Context) -> Sequence[BaseRoute]:
    context.callers.answered_by(lambda token: _caller(context, token))
    signing_in = (*login_routes(context), *local_routes(context), *federation_routes(context), *app_routes(context))
    return [*signing_in, *gateway_routes(context)]


def _caller(context: Context, token: str) -> Caller | None:
    person = sessions_of(context).person_of(token)
    return Caller(person.user, (*person.groups, EVERYBODY)) if person is not None else None


IDENTITY = Capability(
    name="identity",
    kinds=(USER, GROUP, IDENTITY_PROVIDER, SESSION),
    rights=(
        {
            "apiGroups": ["skerry.dev"],
            "resources": ["users", "groups", "identityproviders", "sessions", "projects"],
            "verbs": _READ,
        },
        {"apiGroups": ["skerry.dev"], "resources": ["users", "groups"], "verbs": ["create", "update"]},
        {"apiGroups": ["skerry.dev"], "resources": ["sessions"], "verbs": ["create", "patch", "delete"]},
        {
            "apiGroups": ["skerry.dev"],
            "resources": ["users/status", "groups/status", "identityproviders/status", "sessions/status"],
            "verbs": ["update", "patch"],
        },
        MAY_ASK,
        {
            "apiGroups": ["networking.k8s.io"],
            "resources": ["ingresses"],
            "verbs": [*_READ, "create", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["services"], "verbs": ["list", "watch", "create"]},
        {"apiGroups": [""], "resources": ["services"], "resourceNames": [BACK], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": _READ},
    ),
    objects=shipped,
    controllers=_controllers,
    hooks=lambda context: [naming_hook(), guarding_hook(context), *posix_hooks(context)],
    routes=_routes,
)
