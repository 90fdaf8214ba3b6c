"""The link with which the first operator of a cluster signs in: `skerry up` prints it until there is one."""

from __future__ import annotations

import asyncio
from pathlib import Path


def first_operator_link(kubeconfig: Path, url: str) -> str | None:
    """A new link that is good for a day; None when there are operators. `url`: the platform's. Raises OSError,
    StatusError."""
    return asyncio.run(_link(kubeconfig, url))


async def _link(kubeconfig: Path, url: str) -> str | None:
    from skerry.kube.clock import SystemClock
    from skerry.kube.http_client import HttpClient
    from skerry.platform.identity.local import links

    async with HttpClient.from_kubeconfig(kubeconfig) as client:
        return await links.first_operator_link(client, SystemClock(), url)
