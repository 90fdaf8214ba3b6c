"""Who may do what and how much of it. Source: `printRoleBinding`, `printPodDisruptionBudget` and their neighbours."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Column, Printer
from skerry.engine.schema.printing.cells import AGE, NAME, NONE, age_of, columns, get, human_duration, wide
from skerry.kube.conditions import condition_of, conditions_of
from skerry.kube.objects import Obj, name_of


def _role_binding(obj: Obj, now: float) -> list[Any]:
    role = obj.get("roleRef") or {}
    users, groups, accounts = [], [], []
    for subject in obj.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User":
            users.append(name)
        elif kind == "Group":
            groups.append(name)
        elif kind == "ServiceAccount":
            accounts.append(f"{subject.get('namespace', '')}/{name}")
    lists = (", ".join(found) for found in (users, groups, accounts))
    return [name_of(obj), f"{role.get('kind', '')}/{role.get('name', '')}", age_of(obj, now), *lists]


ROLE_BINDING = Printer(
    columns(NAME, "Role", AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")), _role_binding
)


def _budget(obj: Obj, now: float) -> list[Any]:
    least, most = get(obj, "spec", "minAvailable"), get(obj, "spec", "maxUnavailable")
    return [
        name_of(obj),
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        get(obj, "status", "disruptionsAllowed") or 0,
        age_of(obj, now),
    ]


DISRUPTION_BUDGET = Printer(
    columns(NAME, "Min Available", "Max Unavailable", Column("Allowed Disruptions", "integer"), AGE), _budget
)


def _priority_class(obj: Obj, now: float) -> list[Any]:
    policy = obj.get("preemptionPolicy") or ""
    return [name_of(obj), obj.get("value", 0), str(bool(obj.get("globalDefault"))).lower(), age_of(obj, now), policy]


PRIORITY_CLASS = Printer(
    columns(NAME, Column("Value", "integer"), Column("Global-Default", "boolean"), AGE, "PreemptionPolicy"),
    _priority_class,
)


def _runtime_class(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), obj.get("handler", ""), age_of(obj, now)]


RUNTIME_CLASS = Printer(columns(NAME, "Handler", AGE), _runtime_class)


def _webhooks(obj: Obj, now: float) -> list[Any]:
    return [name_of(obj), len(obj.get("webhooks") or ()), age_of(obj, now)]


WEBHOOKS = Printer(columns(NAME, Column("Webhooks", "integer"), AGE), _webhooks)


def _signing_request(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    return [
        name_of(obj),
        age_of(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username") or NONE,
        human_duration(seconds) if seconds is not None else NONE,
        _request_state(obj),
    ]


def _request_state(obj: Obj) -> str:
    kinds = {found.get("type") for found in conditions_of(obj)}
    words = ["Denied"] if "Denied" in kinds else ["Approved"] if "Approved" in kinds else ["Pending"]
    if "Failed" in kinds:
        words.append("Failed")
    if (obj.get("status") or {}).get("certificate"):
        words.append("Issued")
    return ",".join(words)


SIGNING_REQUEST = Printer(
    columns(NAME, AGE, "SignerName", "Requestor", "RequestedDuration", "Condition"), _signing_request
)


def _api_service(obj: Obj, now: float) -> list[Any]:
    service = (obj.get("spec") or {}).get("service")
    where = f"{service['namespace']}/{service['name']}" if service else "Local"
    found = condition_of(obj, "Available")
    available = "Unknown" if found is None else found.get("status", "Unknown")
    if found is not None and available != "True":
        available = f"{available} ({found.get('reason', '')})"
    return [name_of(obj), where, available, age_of(obj, now)]


API_SERVICE = Printer(columns(NAME, "Service", "Available", AGE), _api_service)


def _flow_schema(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    method = (spec.get("distinguisherMethod") or {}).get("type") or NONE
    dangling = (condition_of(obj, "Dangling") or {}).get("status") or "?"
    level = (spec.get("priorityLevelConfiguration") or {}).get("name", "")
    return [name_of(obj), level, spec.get("matchingPrecedence", 0), method, age_of(obj, now), dangling]


FLOW_SCHEMA = Printer(
    columns(NAME, "PriorityLevel", Column("MatchingPrecedence", "integer"), "DistinguisherMethod", AGE, "MissingPL"),
    _flow_schema,
)


def _priority_level(obj: Obj, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    limited = spec.get("limited") or {}
    shares = (spec.get("exempt") or limited).get("nominalConcurrencyShares", NONE)
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    queues = [queuing.get(part, NONE) for part in ("queues", "handSize", "queueLengthLimit")]
    return [name_of(obj), spec.get("type", ""), shares, *queues, age_of(obj, now)]


PRIORITY_LEVEL = Printer(
    columns(NAME, "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", AGE), _priority_level
)
