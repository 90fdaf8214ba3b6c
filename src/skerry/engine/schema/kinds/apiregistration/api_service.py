"""APIService: one group version. Without a service it is served by this API server itself.

Source: `kube-aggregator/pkg/apis/apiregistration` (defaults, validation).
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_LOCAL = {
    "type": "Available",
    "status": "True",
    "reason": "Local",
    "message": "Local APIServices are always available",
}
_STATUSES = ("False", "True", "Unknown")


class ApiServiceStrategy(UncountedStrategy):
    """Named after its version and group."""

    def default(self, obj: Obj) -> None:
        """HTTPS."""
        service = obj.setdefault("spec", {}).get("service")
        if service is not None:
            set_default(service, "port", 443)

    def initial_status(self, obj: Obj) -> None:
        """A local one is available at once; of others the controller finds out."""
        since = obj["metadata"]["creationTimestamp"]
        local = obj["spec"].get("service") is None
        obj["status"] = {"conditions": [{**_LOCAL, "lastTransitionTime": since}]} if local else {}

    def validate(self, obj: Obj) -> list[Cause]:
        """Name, group, version, their order, and the service."""
        spec = obj.get("spec") or {}
        return [
            *_check_name(obj["metadata"].get("name", ""), spec),
            *_check_priorities(spec),
            *(_check_service(spec, spec["service"]) if spec.get("service") is not None else _check_local(spec)),
            *_check_conditions(obj.get("status") or {}),
        ]


def _check_name(name: str, spec: Obj) -> Iterator[Cause]:
    group, version = spec.get("group", ""), spec.get("version", "")
    wanted = f"{version}.{group}"
    if name != wanted:
        yield invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')
    if not group and version != "v1":
        yield required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    if group and (complaint := names.subdomain(group)):
        yield invalid("spec.group", group, complaint)
    if complaint := names.dns1035(version):
        yield invalid("spec.version", version, complaint)


def _check_priorities(spec: Obj) -> Iterator[Cause]:
    for part, limit in (("groupPriorityMinimum", 20_000), ("versionPriority", 1_000)):
        value = spec.get(part, 0)
        if not 0 < value <= limit:
            yield invalid(f"spec.{part}", value, f"must be positive and less than {limit}")


def _check_local(spec: Obj) -> Iterator[Cause]:
    if spec.get("caBundle"):
        yield invalid("spec.caBundle", f"{len(spec['caBundle'])} bytes", "local APIServices may not have a caBundle")
    if spec.get("insecureSkipTLSVerify"):
        why = "local APIServices may not have insecureSkipTLSVerify"
        yield invalid("spec.insecureSkipTLSVerify", True, why)


def _check_service(spec: Obj, service: Obj) -> Iterator[Cause]:
    for part in ("namespace", "name"):
        if not service.get(part):
            yield required(f"spec.service.{part}")
    port = service.get("port", 0)
    if not 0 < port < 65536:
        why = "port is not valid: must be between 1 and 65535, inclusive"
        yield invalid("spec.service.port", port, why)
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


def _check_conditions(status: Obj) -> Iterator[Cause]:
    for index, condition in enumerate(status.get("conditions") or ()):
        if condition.get("status") not in _STATUSES:
            field = f"status.conditions[{index}].status"
            yield not_supported(field, condition.get("status", ""), _STATUSES)
