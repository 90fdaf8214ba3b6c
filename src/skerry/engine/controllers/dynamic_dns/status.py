"""The status of a Domain: its hosts and whether it is Ready, with a reason a person can act on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.inventory import FAILED, PENDING, PUBLISHED, REFUSED, Entry
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.objects import Obj


def status_of(domain: Obj, owner: str, entries: Mapping[str, Entry], trouble: DnsError | None, now: datetime) -> Obj:
    """`trouble`: why nothing can be done for the Domain as a whole."""
    ready = _ready(entries, trouble)
    ready["observedGeneration"] = domain["metadata"].get("generation", 0)
    return {
        **listing_of(domain, entries),
        "conditions": with_condition(conditions_of(domain), ready, now),
        "observedGeneration": domain["metadata"].get("generation", 0),
        **({"owner": owner} if owner else {}),
    }


def listing_of(domain: Obj, entries: Mapping[str, Entry]) -> Obj:
    """Its status with other hosts."""
    return {
        **(domain.get("status") or {}),
        "hosts": len(entries),
        "published": _count(entries, PUBLISHED),
        "records": [entries[host].to_json() for host in sorted(entries)],
    }


def _ready(entries: Mapping[str, Entry], trouble: DnsError | None) -> Obj:
    if trouble is not None:
        return {"type": "Ready", "status": "False", "reason": trouble.reason, "message": str(trouble)}
    counts = {state: _count(entries, state) for state in (PUBLISHED, PENDING, REFUSED, FAILED)}
    words = ", ".join(f"{count} {state.lower()}" for state, count in counts.items() if count) or "none yet"
    message = f"hosts: {words}"
    if counts[FAILED]:
        first = min(host for host, entry in entries.items() if entry.state == FAILED)
        message = f"{message}; {entries[first].message}"
        return {"type": "Ready", "status": "False", "reason": "UpdateFailed", "message": message}
    return {"type": "Ready", "status": "True", "reason": "Published", "message": message}


def _count(entries: Mapping[str, Entry], state: str) -> int:
    return sum(1 for entry in entries.values() if entry.state == state)
