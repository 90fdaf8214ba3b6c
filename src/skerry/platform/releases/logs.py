"""What the pods of a chart's tests wrote, when their nodes can be reached."""

from __future__ import annotations

import contextlib

from skerry.kube.errors import StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.resources import PODS
from skerry.platform.releases.helm.storage import HelmRevision

_LINES = 40


async def logs_of_tests(revision: HelmRevision, client: HttpClient, namespace: str) -> str:
    """The ends of their logs, each under its name; "" when there is nothing to be had."""
    found = []
    for hook in revision.hooks:
        if "test" not in (hook.get("events") or ()) or hook.get("kind") != PODS.kind:
            continue
        with contextlib.suppress(StatusError, OSError):
            path = PODS.path(namespace, str(hook.get("name", "")), "log")
            log = await client.get_raw(path, {"tailLines": str(_LINES)})
            found.append(f"{hook.get('name')}:\n{log.decode(errors='replace')}")
    return "\n".join(found)
