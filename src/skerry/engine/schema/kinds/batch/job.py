"""Job. Source: `SetDefaults_Job`, `pkg/registry/batch/job/strategy.go`, `ValidateJob`, `ValidateJobUpdate`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import immutable, invalid, not_supported, required
from skerry.engine.schema.kinds.apps.templates import check_count
from skerry.engine.schema.pods.defaults import default_template
from skerry.engine.schema.pods.validation import check_template
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_RESTARTS = ("Never", "OnFailure")
_MODES = ("Indexed", "NonIndexed")
_COUNTS = ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
_FIXED = ("completions", "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy")
_UID_LABELS = ("batch.kubernetes.io/controller-uid", "controller-uid")
_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")


class JobStrategy(SpecStrategy):
    """Pods that run to their end."""

    orphans_by_default = True

    def default(self, obj: Obj) -> None:
        """One pod, six retries."""
        default_job_spec(obj.setdefault("spec", {}))

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
        labels.update(dict.fromkeys(_UID_LABELS, metadata["uid"]))
        labels.update(dict.fromkeys(_NAME_LABELS, metadata.get("name", "")))
        selector = spec.setdefault("selector", {})
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), _UID_LABELS[0]: metadata["uid"]}

    def validate(self, obj: Obj) -> list[Cause]:
        """Counts, mode and template."""
        return list(check_job_spec(obj.get("spec") or {}, "spec"))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What is run, and how often, stays."""
        after, before = new.get("spec") or {}, old.get("spec") or {}
        causes = [immutable(f"spec.{part}", after.get(part)) for part in _FIXED if after.get(part) != before.get(part)]
        if after.get("template") != before.get("template") and not before.get("suspend"):
            causes.append(immutable("spec.template", after.get("template")))
        return causes


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
    set_default(spec, "podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    if spec.get("manualSelector") is None:
        spec["manualSelector"] = False


def check_job_spec(spec: Obj, field: str) -> Iterator[Cause]:
    """Rules of a job, also inside a CronJob."""
    for name in _COUNTS:
        for cause in check_count(spec, name):
            yield Cause(cause.reason, cause.message, f"{field}.{name}")
    mode = spec.get("completionMode")
    if mode not in _MODES:
        yield not_supported(f"{field}.completionMode", mode or "", _MODES)
    elif mode == "Indexed" and spec.get("completions") is None:
        yield required(f"{field}.completions", "when completion mode is Indexed")
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy == "Always":
        why = 'valid values: "OnFailure", "Never"'
        yield invalid(f"{field}.template.spec.restartPolicy", policy, why)
        yield from check_template(spec.get("template") or {}, f"{field}.template")
    else:
        yield from check_template(spec.get("template") or {}, f"{field}.template", _RESTARTS)
