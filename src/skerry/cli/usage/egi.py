"""EGI cloud accounting records: what APEL takes, `APEL-cloud-message: v0.4`. Pure.

A record is what one user of one project used on one day, as of one machine that had so many cores for so long that both
together are what was requested. Its identifier is the same whenever it is made, so a day that is sent again replaces
itself. Source: docs.egi.eu, "Cloud Accounting".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from skerry import __version__
from skerry.cli.usage.records import Line
from skerry.kube.records import record
from skerry.platform.usage.amounts import NOTHING, Amounts
from skerry.platform.usage.ledger.days import begin_of, day_of

HEADER = "APEL-cloud-message: v0.4"
_END = "%%"
_SECONDS_OF_A_DAY = 86_400
_OURS = uuid.UUID("7f0c2a54-4d0f-5a0e-9c2b-3d7b6d1d3f11")
_GIGABYTE = 10**9
_LONGEST = 255


@record
class Publisher:
    """`site`: its name in GOCDB; `service`: which of the site's clouds, or ""; `vo`: whom all is for, or ""."""

    site: str
    service: str = ""
    vo: str = ""


@record
class _Machine:
    """Whose record, of which day."""

    project: str
    day: date
    user: str


def message(lines: Iterable[Line], publisher: Publisher, now: datetime) -> str:
    """All records; only the header when nothing was used."""
    written = [HEADER]
    for fields in _records(lines, publisher, now):
        written += [*(f"{name}: {_one_line(value)}" for name, value in sorted(fields.items())), _END]
    return "\n".join([*written, ""])


def _one_line(value: object) -> str:
    """As long as a field may be; no name makes lines of its own."""
    return " ".join(str(value).split())[:_LONGEST]


def _records(lines: Iterable[Line], publisher: Publisher, now: datetime) -> Iterator[dict[str, object]]:
    sums: dict[tuple[str, date, str], Amounts] = {}
    for line in lines:
        key = (line.project, line.day, line.user)
        sums[key] = sums.get(key, NOTHING).plus(line.amounts)
    for (project, day, user), amounts in sorted(sums.items()):
        if amounts.cpu:
            machine = _Machine(project, day, user)
            yield {**_identity(machine, publisher), **_times(machine, now), **_measures(amounts)}


def _identity(machine: _Machine, publisher: Publisher) -> dict[str, object]:
    name = f"{machine.project}/{machine.user}/{machine.day}"
    known = {
        "VMUUID": uuid.uuid5(_OURS, f"{publisher.site}/{publisher.service}/{name}"),
        "SiteName": publisher.site,
        "CloudComputeService": publisher.service,
        "CloudType": f"Skerry/{__version__}",
        "MachineName": name,
        "LocalUserId": machine.user,
        "LocalGroupId": machine.project,
        "GlobalUserName": machine.user,
        "FQAN": publisher.vo,
    }
    return {field: value for field, value in known.items() if value}


def _times(machine: _Machine, now: datetime) -> dict[str, object]:
    """A day that is not over is a machine that runs."""
    begins = begin_of(machine.day)
    over = day_of(int(now.timestamp())) > machine.day
    return {
        "Status": "completed" if over else "started",
        "StartTime": begins,
        "EndTime": begins + _SECONDS_OF_A_DAY - 1 if over else 0,
    }


def _measures(amounts: Amounts) -> dict[str, object]:
    """Times in seconds, memory in MB, disk and network in GB, whole numbers."""
    cores = -(-amounts.cpu // (1000 * _SECONDS_OF_A_DAY))
    wall = round(amounts.cpu / (1000 * cores))
    return {
        "CpuCount": cores,
        "WallDuration": wall,
        "CpuDuration": amounts.used_cpu // 1000 or wall * cores,
        "Memory": round(amounts.memory / max(wall, 1)),
        "Disk": round(amounts.storage / 1024 / _SECONDS_OF_A_DAY),
        "NetworkOutbound": round(amounts.egress / _GIGABYTE),
    }
