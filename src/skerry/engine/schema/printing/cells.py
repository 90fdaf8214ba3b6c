"""What cells of many kinds have in common: ages, lists in few characters, selectors. Source: `pkg/printers`."""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Column
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj

NAME = Column("Name", format="name", description="Name must be unique within a namespace.")
AGE = Column("Age", description="CreationTimestamp is a timestamp representing the server time when this was created.")
UNKNOWN = "<unknown>"
NONE = "<none>"


def wide(name: str, kind: str = "string") -> Column:
    """A column shown with `-o wide` only."""
    return Column(name, kind, priority=1)


def columns(*names: str | Column) -> tuple[Column, ...]:
    """Columns by name, those in need of more said as `Column`."""
    return tuple(Column(name) if isinstance(name, str) else name for name in names)


def get(obj: Any, *path: str) -> Any:
    """A nested field, None when any part of the way is missing."""
    for part in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(part)
    return obj


def human_duration(seconds: float) -> str:
    """`duration.HumanDuration`: "12s", "3m5s", "47h", "3d4h", "2y10d"."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 0:
        return "0s"
    if total < 120:
        return f"{total}s"
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if minutes < 10:
        return _pair(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _pair(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    years = days // 365
    return _pair(years, "y", days % 365, "d") if hours < 24 * 365 * 8 else f"{years}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def since(timestamp: str | None, now: float) -> str:
    """How long ago, "<unknown>" for no or no legible time."""
    if not timestamp:
        return UNKNOWN
    try:
        return human_duration(now - parse_time(timestamp).timestamp())
    except ValueError:
        return UNKNOWN


def age_of(obj: Obj, now: float) -> str:
    """The age cell."""
    return since(get(obj, "metadata", "creationTimestamp"), now)


def selector_text(selector: Obj | None) -> str:
    """A LabelSelector in `key=value,key in (a,b)` form, "<none>" when it selects nothing or everything."""
    selector = selector or {}
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for expression in selector.get("matchExpressions") or ():
        key, values = expression.get("key", ""), ",".join(sorted(expression.get("values") or ()))
        forms = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        terms.append(forms.get(expression.get("operator", ""), key))
    return ",".join(terms) or NONE


def labels_text(labels: dict[str, str] | None) -> str:
    """`a=b,c=d`, "<none>" for none."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def containers_text(template: Any) -> tuple[str, str]:
    """The names and the images of a pod template's containers."""
    containers = get(template, "spec", "containers") or []
    return ",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)
