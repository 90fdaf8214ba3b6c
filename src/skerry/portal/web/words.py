"""Numbers, amounts and times as people read them, in their language."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from skerry.kube.clock import parse_time
from skerry.kube.quantities import parse_quantity
from skerry.portal.web.language import N_

LABELS = {
    "requests.cpu": N_("CPU"),
    "requests.memory": N_("Memory"),
    "requests.storage": N_("Storage"),
    "requests.nvidia.com/gpu": N_("GPUs"),
    "pods": N_("Pods"),
    "limits.cpu": N_("CPU at most"),
    "limits.memory": N_("Memory at most"),
    "persistentvolumeclaims": N_("Volumes"),
    "services.loadbalancers": N_("Load balancers"),
    "services.nodeports": N_("Ports of machines"),
    "cpuHours": N_("CPU-hours"),
    "gpuHours": N_("GPU-hours"),
}
"""What people call what is counted."""
_REMEMBERED = 4096
_SHOWN = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class Words:
    """Of one language. The same numbers and days stand on many pages: they are remembered, as writing them is slow."""

    def __init__(self, language: str) -> None:
        self._language = language
        self.number = lru_cache(_REMEMBERED)(self._number)
        """With as many decimals as matter to people: two below ten, one below a hundred."""
        self.amount = lru_cache(_REMEMBERED)(self._amount)
        """A quantity of Kubernetes, of a resource as quotas name it. What is none is shown as it is."""
        self.day = lru_cache(_REMEMBERED)(self._day)
        """A date."""

    def _number(self, value: float | Decimal) -> str:
        from babel.numbers import format_decimal

        size = abs(float(value))
        pattern = "#,##0.##" if size < 10 else "#,##0.#" if size < 100 else "#,##0"
        return format_decimal(value, pattern, locale=self._language)

    def size(self, count: float | Decimal) -> str:
        """Bytes."""
        value, place = float(count), 0
        while abs(value) >= 1024 and place < len(_SHOWN) - 1:
            value, place = value / 1024, place + 1
        return f"{self.number(value)} {_SHOWN[place]}"

    def _amount(self, resource: str, quantity: str) -> str:
        try:
            value = parse_quantity(quantity)
        except ValueError:
            return quantity
        return self.plain(resource, value)

    def plain(self, resource: str, value: Decimal) -> str:
        """An amount that is counted: cores, bytes, pieces."""
        return self.size(value) if is_bytes(resource) else self.number(value)

    def ago(self, moment: datetime | str, now: datetime) -> str:
        """How long since, or until: "3 minutes ago", "in 2 days"."""
        from babel.dates import format_timedelta

        then = parse_time(moment) if isinstance(moment, str) else moment
        return format_timedelta(then - now, add_direction=True, threshold=1.2, locale=self._language)

    def _day(self, moment: datetime | str) -> str:
        from babel.dates import format_date

        then = parse_time(moment) if isinstance(moment, str) else moment
        return format_date(then, "medium", locale=self._language)

    def moment(self, moment: datetime | str) -> str:
        """Date and time, UTC."""
        from babel.dates import format_datetime

        then = parse_time(moment) if isinstance(moment, str) else moment
        return f"{format_datetime(then, 'medium', locale=self._language)} UTC"


def is_bytes(resource: str) -> bool:
    """Whether amounts of it are bytes."""
    return resource.rpartition(".")[2].rpartition("/")[2] in ("memory", "storage", "ephemeral-storage")


@lru_cache(4096)
def share(used: str, hard: str) -> int | None:
    """Per cent, at most 999; None when there is no telling."""
    try:
        of, whole = parse_quantity(used), parse_quantity(hard)
    except (ValueError, InvalidOperation):
        return None
    if whole == 0:
        return 100 if of else 0
    return min(999, int(of * 100 / whole))
