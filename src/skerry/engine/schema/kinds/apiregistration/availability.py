"""The condition Available of an APIService. Source: `kube-aggregator/pkg/controllers/status`."""

from __future__ import annotations

from skerry.kube.objects import Obj


def availability(service: Obj) -> tuple[str, str, str]:
    """Status, reason and message of the condition Available."""
    target = service["spec"].get("service")
    if target is None:
        return "True", "Local", "Local APIServices are always available"
    where = f"{target['namespace']}/{target['name']}"
    return "False", "NotSupported", f"Skerry does not forward requests to other API servers ({where})"


def with_availability(service: Obj, now: str) -> Obj | None:
    """The object with the condition it should have, None when it has it. The object given is not changed."""
    status, reason, message = availability(service)
    conditions = (service.get("status") or {}).get("conditions") or []
    current: Obj = next((one for one in conditions if one["type"] == "Available"), {})
    if (current.get("status"), current.get("reason"), current.get("message")) == (status, reason, message):
        return None
    since = current["lastTransitionTime"] if current.get("status") == status else now
    wanted = {"type": "Available", "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    others = [one for one in conditions if one["type"] != "Available"]
    return {**service, "status": {**(service.get("status") or {}), "conditions": [*others, wanted]}}
