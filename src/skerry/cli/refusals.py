"""What the cluster's refusals mean to whoever gave a command, and what to do; `cluster` says them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from skerry.kube.errors import AlreadyExists, NotFound, StatusError, Unauthorized

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
_OWN_HOOK = re.compile(r'^admission webhook "[a-z-]+\.skerry\.dev" denied the request: ')
"""Who refused matters where others may have."""


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
    return _OWN_HOOK.sub("", error.message)


def unreachable(server: str, error: OSError) -> str:
    """One line."""
    return (
        f"the API at {server} does not answer: {error}: does it run (`skerry status` tells of this machine's), and is "
        "it the one you mean (--kubeconfig, --context)?"
    )
