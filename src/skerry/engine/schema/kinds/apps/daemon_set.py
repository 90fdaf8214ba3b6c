"""DaemonSet. Source: `SetDefaults_DaemonSet`, `ValidateDaemonSet`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.kinds.apps.deployment import check_count_or_percent, check_share, is_zero
from skerry.engine.schema.kinds.apps.replica_set import selector_kept
from skerry.engine.schema.kinds.apps.status_rules import check_status
from skerry.engine.schema.kinds.apps.templates import check_count, check_selected_template
from skerry.engine.schema.pods.defaults import default_template
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_TYPES = ("OnDelete", "RollingUpdate")
_GENERATION = "deprecated.daemonset.template.generation"


class DaemonSetStrategy(SpecStrategy):
    """A pod on every node."""

    def default(self, obj: Obj) -> None:
        """Rolling, one unavailable at a time."""
        spec = obj.setdefault("spec", {})
        default_template(spec.setdefault("template", {}))
        set_default(spec, "revisionHistoryLimit", 10)
        update = spec.setdefault("updateStrategy", {})
        set_default(update, "type", "RollingUpdate")
        if update["type"] == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            set_default(rolling, "maxUnavailable", 1)
            set_default(rolling, "maxSurge", 0)

    def prepare_create(self, obj: Obj) -> None:
        """The first generation of the template."""
        super().prepare_create(obj)
        _set_generation(obj, "1")

    def count(self, new: Obj, old: Obj) -> None:
        """The template has a generation of its own, in an annotation that clients cannot set."""
        super().count(new, old)
        generation = _generation(old)
        if (new.get("spec") or {}).get("template") != (old.get("spec") or {}).get("template"):
            generation = str(int(generation) + 1 if generation.isdecimal() else 1)
        _set_generation(new, generation)

    def prepare_status(self, new: Obj, old: Obj) -> None:
        """The generation is of the template, and stays."""
        super().prepare_status(new, old)
        _set_generation(new, _generation(old))

    def initial_status(self, obj: Obj) -> None:
        """None wanted yet."""
        fields = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
        obj["status"] = dict.fromkeys(fields, 0)

    def validate(self, obj: Obj) -> list[Cause]:
        """Update strategy, selector and template."""
        spec = obj.get("spec") or {}
        causes = [*check_count(spec, "minReadySeconds"), *check_count(spec, "revisionHistoryLimit")]
        update = spec.get("updateStrategy") or {}
        if update.get("type") not in _TYPES:
            causes.append(not_supported("spec.updateStrategy", update, _TYPES))
        elif update["type"] == "RollingUpdate":
            causes += _check_rolling_update(update.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate")
        return causes + list(check_selected_template(spec, "daemonset", "DaemonSet"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The selector stays; counts in the status are none below zero."""
        return selector_kept(new, old) + check_status(new, old)


def _check_rolling_update(rolling: Obj, field: str) -> Iterator[Cause]:
    """Exactly one of surge and unavailable is more than nothing."""
    complaints: list[Cause] = []
    for name in ("maxUnavailable", "maxSurge"):
        complaints += check_count_or_percent(rolling.get(name, 0), f"{field}.{name}")
        complaints += check_share(rolling.get(name, 0), f"{field}.{name}")
    yield from complaints
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    if complaints:
        return
    if is_zero(unavailable) and is_zero(surge):
        yield required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not is_zero(unavailable) and not is_zero(surge):
        yield invalid(f"{field}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def _generation(obj: Obj) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(_GENERATION, "0"))


def _set_generation(obj: Obj, generation: str) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), _GENERATION: generation}
