"""Job. Source: `SetDefaults_Job`, `pkg/registry/batch/job/strategy.go`, `ValidateJob`; rules are in `job_rules`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, required
from skerry.engine.schema.kinds.batch.job_rules import check_job_change, check_job_spec
from skerry.engine.schema.kinds.batch.job_status import check_job_status
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.pods.defaults import default_template
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.conditions import condition_is_true
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.selectors import SelectorError, selector_of

_UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")


class JobStrategy(SpecStrategy):
    """Pods that run to their end."""

    orphans_by_default = True

    def default(self, obj: Obj) -> None:
        """One pod, six retries; its labels are its template's."""
        default_job_spec(obj.setdefault("spec", {}))
        _default_labels(obj)

    def initial_status(self, obj: Obj) -> None:
        """Nothing observed yet."""
        obj["status"] = {}

    def prepare_create(self, obj: Obj) -> None:
        """The selector is generated from the uid (which the API server has set), unless the user insists."""
        super().prepare_create(obj)
        spec, metadata = obj["spec"], obj["metadata"]
        if spec.get("manualSelector") or not metadata.get("uid"):
            return
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        for name, value in _generated(obj).items():
            labels.setdefault(name, value)
        selector = spec.setdefault("selector", {})
        selector["matchLabels"] = {_UID_LABELS[0]: metadata["uid"], **(selector.get("matchLabels") or {})}
        _default_labels(obj)

    def validate(self, obj: Obj) -> list[Cause]:
        """Counts, modes, policies, selector and template."""
        spec = obj.get("spec") or {}
        return [*_check_name(obj), *_check_generated(obj), *check_job_spec(spec, "spec"), *_check_selector(spec)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What is run, and how often, stays; the status makes sense."""
        spec, before = new.get("spec") or {}, old.get("spec") or {}
        return [*check_job_change(spec, before, suspended=_is_at_rest(old)), *check_job_status(new, old)]

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """A change is not asked again whether its selector was generated."""
        spec = new.get("spec") or {}
        return [*check_job_spec(spec, "spec"), *_check_selector(spec), *self.validate_update(new, old)]


def _default_labels(job: Obj) -> None:
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def _generated(job: Obj) -> dict[str, str]:
    metadata = job["metadata"]
    by_name = dict.fromkeys(_NAME_LABELS, metadata.get("name", ""))
    return {**by_name, **dict.fromkeys(_UID_LABELS, metadata.get("uid", ""))}


def _is_at_rest(job: Obj) -> bool:
    """Whether it is suspended and has no pods: never started, or stopped."""
    status = job.get("status") or {}
    if not (job.get("spec") or {}).get("suspend") or status.get("active"):
        return False
    return not status.get("startTime") or condition_is_true(job, "Suspended")


def _check_name(job: Obj) -> Iterator[Cause]:
    """Pods of an Indexed Job have host names made of its name and their index."""
    spec, name = job.get("spec") or {}, job["metadata"].get("name") or ""
    completions = spec.get("completions")
    if spec.get("completionMode") == "Indexed" and completions and names.label(f"{name}-{completions - 1}"):
        why = f"will not able to create pod with invalid DNS label: {name}-{completions - 1}"
        yield invalid("metadata.name", name, why)


def _check_generated(job: Obj) -> Iterator[Cause]:
    spec = job.get("spec") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    labels, wanted = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}, _generated(job)
    for name in (_UID_LABELS[1], _NAME_LABELS[1], _UID_LABELS[0], _NAME_LABELS[0]):
        field = f"spec.template.metadata.labels[{name}]"
        if name not in labels:
            yield required(field, f"must be '{wanted[name]}'")
        elif labels[name] != wanted[name]:
            yield invalid(field, labels, f"must be '{wanted[name]}'")
    if _matches(spec["selector"], wanted) is False:
        yield invalid("spec.selector", spec["selector"], "`selector` not auto-generated")


def _check_selector(spec: Obj) -> Iterator[Cause]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from check_label_selector(selector, "spec.selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if _matches(selector, labels) is False:
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _matches(selector: Obj, labels: dict[str, str]) -> bool | None:
    """None for a selector that cannot be read."""
    try:
        return selector_of(selector).matches(labels)
    except SelectorError:
        return None


def default_job_spec(spec: Obj) -> None:
    """Defaults of a job, also inside a CronJob."""
    default_template(spec.setdefault("template", {}))
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    set_default(spec, "parallelism", 1)
    if spec.get("backoffLimit") is None:
        spec["backoffLimit"] = 6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1
    set_default(spec, "completionMode", "NonIndexed")
    set_default(spec, "suspend", False)
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            set_default(pattern, "status", "True")
    set_default(spec, "podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    if spec.get("manualSelector") is None:
        spec["manualSelector"] = False
