"""What an APIService with a service says: who serves a group version, and how that server is known. Pure.

Source: `kube-aggregator/pkg/apis/apiregistration/v1`.
"""

from __future__ import annotations

from typing import NamedTuple

from skerry.kube.conditions import condition_is_true
from skerry.kube.objects import Obj, name_of

GroupVersion = tuple[str, str]
_HTTPS = 443
_OWN = ("", "apiregistration.k8s.io")
"""Groups that stay here whatever an APIService says: without them none could be mended."""


class RemoteApi(NamedTuple):
    """One group version elsewhere. Two that are equal are reached in the same way."""

    name: str
    """The APIService's."""
    group: str
    version: str
    namespace: str
    service: str
    port: int
    bundle: str
    """The authorities its certificate may be of, PEM in base64; "" for the machine's own."""
    insecure: bool
    """Whether its certificate is not looked at."""
    available: bool
    """What its condition Available says."""

    @property
    def group_version(self) -> str:
        """As clients write it."""
        return f"{self.group}/{self.version}"

    @property
    def path(self) -> str:
        """Where its discovery document is."""
        return f"/apis/{self.group}/{self.version}"

    @property
    def host(self) -> str:
        """The name its certificate must have."""
        return f"{self.service}.{self.namespace}.svc"


def remote_of(api_service: Obj) -> RemoteApi | None:
    """None for one that is served here."""
    spec = api_service["spec"]
    service = spec.get("service")
    group = spec.get("group") or ""
    if service is None or group in _OWN:
        return None
    return RemoteApi(
        name=name_of(api_service),
        group=group,
        version=spec["version"],
        namespace=service["namespace"],
        service=service["name"],
        port=service.get("port") or _HTTPS,
        bundle=spec.get("caBundle") or "",
        insecure=bool(spec.get("insecureSkipTLSVerify")),
        available=condition_is_true(api_service, "Available"),
    )


def group_version_of(name: str) -> GroupVersion:
    """Group and version from the name of an APIService ("v1.apps")."""
    version, _, group = name.partition(".")
    return group, version
