"""Whose a namespace is, also when it is newer than the cache."""

from __future__ import annotations

from skerry.kube.informer import Informer
from skerry.kube.objects import labels_of
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.capability import Context
from skerry.platform.projects.types import PROJECT_LABEL


class Whose:
    """By the label that the platform keeps."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._namespaces: Informer = context.informers.of(NAMESPACES)

    async def project_of(self, namespace: str) -> str:
        """The project's name, "" when it is nobody's. Raises StatusError."""
        found = self._namespaces.get(namespace) or await self._client.get(NAMESPACES, namespace)
        return labels_of(found).get(PROJECT_LABEL, "")
