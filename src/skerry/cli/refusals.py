"""What the cluster's refusals mean to whoever gave a command, and what to do; `cluster` says them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from skerry.kube.errors import AlreadyExists, Forbidden, NotFound, StatusError, Unauthorized
from skerry.kube.refusals import plain

_KINDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "catalogs": ("catalogue", "skerry catalogs ls"),
    "namespaces": ("namespace", "skerry kubectl get namespaces"),
    "persistentvolumeclaims": ("claim", "skerry volumes ls"),
    "persistentvolumes": ("volume", "skerry storage check"),
    "projectrequests": ("request", "skerry requests ls"),
    "projects": ("project", "skerry projects ls"),
    "releases": ("release", "skerry releases ls -A"),
    "storageclasses": ("storage class", "skerry storage ls"),
    "tiers": ("tier", "skerry tiers ls"),
})  # fmt: skip
"""By plural: what one of them is called, and what lists those there are."""
_NO_RIGHT = re.compile(
    r'User ".*" cannot (?P<verb>\S+) resource "(?P<of>[^"]+)" .*?(?:namespace "(?P<namespace>[^"]+)")?$'
)
"""As RBAC says it."""


def in_words(error: StatusError) -> str:
    """One line."""
    name, plural = error.details.get("name", ""), error.details.get("kind", "")
    kind, listing = _KINDS.get(plural, ("", ""))
    match error:
        case NotFound() if kind and name:
            return f"there is no {kind} {name} here: `{listing}` shows those there are"
        case NotFound() if not name:
            return (
                f"{error.message}: the platform does not run on this cluster, or is an older one (`skerry up` starts "
                "it with the engine, unless told --no-platform)"
            )
        case AlreadyExists() if kind and name:
            return f"there is a {kind} {name} already: `{listing}` shows it"
        case Unauthorized():
            return (
                f"{error.message}: the cluster does not know who asks; sign in with `skerry login`, or name another "
                "kubeconfig (--kubeconfig, --context)"
            )
        case Forbidden() if missing := _NO_RIGHT.search(error.message):
            return f"{error.message}: {_whose_right(missing)}"
    return plain(error.message)


def _whose_right(missing: re.Match[str]) -> str:
    """Who has the right that is missing, or where one may have it."""
    verb, of, namespace = missing.group("verb", "of", "namespace")
    if of == "projects":
        there = "there is no such project, or you are not in it" if verb == "get" else "its owners may, and operators"
        return f"{there}; `skerry projects ls` shows yours"
    if namespace:
        return (
            f"{namespace} is of no project in which you may; `skerry projects ls` shows yours, -n names another "
            "namespace, and owners give roles (`skerry members add`)"
        )
    return "operators may; `skerry whoami` says as whom you ask"


def unreachable(server: str, error: OSError) -> str:
    """One line."""
    return (
        f"the API at {server} does not answer: {error}: does it run (`skerry status` tells of this machine's), and is "
        "it the one you mean (--kubeconfig, --context)?"
    )
