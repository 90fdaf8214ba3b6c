"""Looks at what is about to be applied, and refuses what cannot work: by the checks that the command line has.

Images are left out: nodes of other clusters tell of new ones late, and a pod that waits for its image is seen anyway
(`steps`).
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, annotations_of
from skerry.platform.releases.helm.rendering import Refused

REFUSED = "manifests refused: "
_NAMES = frozenset({"schema", "deprecated", "policy", "quota"})
_LINES = 20


async def look(objects: Sequence[Obj], client: HttpClient, namespace: str) -> None:
    """`client`: with the rights of whoever applies them. Raises Refused, StatusError, OSError."""
    from skerry.checking.check import check
    from skerry.checking.checks import Checks

    applied = [one for one in objects if "helm.sh/hook" not in annotations_of(one)]
    report = await check(client, applied, namespace, Checks(names=_NAMES))
    if report.errors:
        lines = [str(one) for one in report.errors]
        more = [f"and {len(lines) - _LINES} more"] if len(lines) > _LINES else []
        raise Refused(REFUSED + "; ".join([*lines[:_LINES], *more]))
