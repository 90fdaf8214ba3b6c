"""What an Ingress asks for, and the annotations that make a controller ask us before each request. Pure.

`ACCESS` says who may open it; each value is one question to RBAC, so whoever it names is decided where all else is.
The rest is what ingress-nginx calls external authentication, which Skerry's own Ingress understands as well: see
ingress-nginx, `user-guide/nginx-configuration/annotations.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from skerry.kube.objects import Obj, Resource, annotations_of, name_of, namespace_of
from skerry.platform.base.access import Action
from skerry.platform.base.capability import NAMESPACE
from skerry.platform.base.kinds import resource_of

INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", namespaced=True)
_PROJECTS = resource_of("projects", "Project", namespaced=False)

ACCESS = "skerry.dev/access"
"""Annotation of an Ingress: one of `WHO`."""
WHO = ("members", "editors", "owner", "everyone")
_USER = "skerry.dev/user"
CHECK, SIGN_IN = "/identity/apps/check", "/identity/apps/sign-in"
PLACE = "/.skerry/"
"""Below this, at the app's own host, the platform answers instead of the app."""
SERVICE = "skerry-platform"
"""The Service, in the platform's namespace, by which controllers reach the platform."""
USER_HEADER = "X-Auth-Request-User"
"""Tells the app who it is, as oauth2-proxy does."""

_NGINX = "nginx.ingress.kubernetes.io/"
ASKS = f"//{SERVICE}.{NAMESPACE}.svc.cluster.local{CHECK}?"
"""Is in `auth-url` of an Ingress about which we are asked."""
AUTH_URL, ALIAS = f"{_NGINX}auth-url", f"{_NGINX}server-alias"
_OURS = ("auth-url", "auth-signin", "auth-response-headers", "force-ssl-redirect")


def who_may(ingress: Obj) -> str:
    """What is asked for; "" for nothing."""
    return annotations_of(ingress).get(ACCESS, "")


def is_guarded(ingress: Obj) -> bool:
    """Whether somebody is asked to sign in before it."""
    return who_may(ingress) in WHO[:-1]


def guarded(annotations: Mapping[str, str], name: str, namespace: str, url: str) -> dict[str, str]:
    """The annotations as they have to be. `url`: the platform's, for browsers. What we once set goes with the wish."""
    kept = {key: value for key, value in annotations.items() if not _is_ours(key, annotations)}
    if annotations.get(ACCESS) not in WHO[:-1]:
        return kept
    which = urlencode({"namespace": namespace, "ingress": name})
    wanted = (f"https:{ASKS}{which}", f"{url}{SIGN_IN}?{which}", USER_HEADER, "true")
    return {**kept, **{f"{_NGINX}{key}": value for key, value in zip(_OURS, wanted, strict=True)}}


def _is_ours(key: str, annotations: Mapping[str, str]) -> bool:
    """Ours are those of an Ingress that asks us."""
    if key.removeprefix(_NGINX) not in _OURS or not key.startswith(_NGINX):
        return False
    return annotations.get(ACCESS) in WHO[:-1] or ASKS in annotations.get(AUTH_URL, "")


def question(ingress: Obj, project: str) -> Action | None:
    """What somebody must be allowed, to open it; None: nobody is asked. An Ingress of which nobody knows whose it is
    has the owners of the project for its owner."""
    name, namespace, who = name_of(ingress), namespace_of(ingress), who_may(ingress)
    if who == "members" or (who == "owner" and owner_of(ingress)):
        return Action("get", INGRESSES, name, namespace)
    if who == "editors":
        return Action("update", INGRESSES, name, namespace)
    if who == "owner":
        return Action("update", _PROJECTS, project)
    return None


def owner_of(ingress: Obj) -> str:
    """Whose it is: who made it, or launched the release that it is of. Admission notes it, nobody says it himself."""
    return annotations_of(ingress).get(_USER, "")


def is_anothers(ingress: Obj, user: str) -> bool:
    """Whether it is for its owner only, who is somebody else."""
    return who_may(ingress) == "owner" and owner_of(ingress) not in ("", user)


def hosts_of(ingress: Obj) -> list[str]:
    """The names by which it is opened."""
    return [rule["host"] for rule in ingress["spec"].get("rules") or () if rule.get("host")]


def has_host(ingress: Obj, host: str) -> bool:
    """Whether a host is one of its names; a wildcard stands for one label."""
    _, _, parent = host.partition(".")
    return any(one == host or one == f"*.{parent}" for one in hosts_of(ingress))
