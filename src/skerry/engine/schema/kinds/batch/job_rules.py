"""Rules on the spec of a Job, also inside a CronJob.

Source: `validateJobSpec` and `ValidateJobSpecUpdate` in Kubernetes' `pkg/apis/batch/validation`. Neighbours:
`job_policies` for the three policies, `job` for the kind.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import immutable, invalid, not_supported, required, too_long
from skerry.engine.schema.kinds.batch.job_policies import check_policies
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.engine.schema.pods.validation import RESTART_POLICIES, check_template
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_MODES = ("Indexed", "NonIndexed")
_RESTARTS = ("OnFailure", "Never")
_FIXED = (
    "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy",
)  # fmt: skip
_MANY = 100_000
"""Most pods at once, and most failed indexes, of an Indexed Job; beyond so many completions the limits are lower."""
_MOST_WITH_MANY = 10_000
_LONGEST_MANAGER = 63


def check_job_spec(spec: Obj, field: str) -> Iterator[Cause]:
    """All rules but those on the selector, which a CronJob's template must not have."""
    for name in _COUNTS:
        if (spec.get(name) or 0) < 0:
            yield invalid(f"{field}.{name}", spec[name], NOT_NEGATIVE)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{field}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        yield from _check_manager(spec["managedBy"], f"{field}.managedBy")
    mode = spec.get("completionMode")
    if mode not in _MODES:
        yield not_supported(f"{field}.completionMode", mode or "", _MODES)
    elif mode == "Indexed":
        yield from _check_indexed(spec, field)
    else:
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield invalid(f"{field}.{name}", spec[name], "requires indexed completion mode")
    yield from check_policies(spec, field)
    yield from check_template(spec.get("template") or {}, f"{field}.template", RESTART_POLICIES)
    yield from _check_restarts(spec, f"{field}.template.spec.restartPolicy")


def check_job_change(after: Obj, before: Obj, *, suspended: bool) -> Iterator[Cause]:
    """Rules on a change. `suspended`: whether nothing of the Job runs, so that where and how it runs may change."""
    for part in _FIXED:
        if after.get(part) != before.get(part):
            yield immutable(f"spec.{part}", after.get(part))
    completions = after.get("completions")
    if completions != before.get("completions"):
        if after.get("completionMode") != "Indexed":
            yield immutable("spec.completions", completions)
        elif completions is not None and completions != after.get("parallelism"):
            why = "can only be modified in tandem with spec.parallelism"
            yield invalid("spec.completions", completions, why)
    template, old = after.get("template") or {}, before.get("template") or {}
    if template != old and not (suspended and _without_changeable(template) == _without_changeable(old)):
        yield immutable("spec.template", template)


def _check_indexed(spec: Obj, field: str) -> Iterator[Cause]:
    completions, most, parallelism = (spec.get(name) for name in ("completions", "maxFailedIndexes", "parallelism"))
    if completions is None:
        yield required(f"{field}.completions", "when completion mode is Indexed")
    if parallelism is not None and parallelism > _MANY:
        why = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        yield invalid(f"{field}.parallelism", parallelism, why)
    if most is not None and completions is not None and most > completions:
        yield invalid(f"{field}.maxFailedIndexes", most, "must be less than or equal to completions")
    if most is not None and most > _MANY:
        yield invalid(f"{field}.maxFailedIndexes", most, f"must be less than or equal to {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    if most is None:
        yield required(f"{field}.maxFailedIndexes", f"must be specified when completions is above {_MANY}")
    when = f"when completions are above {_MANY} and used with backoff limit per index"
    for name, value in (("parallelism", parallelism), ("maxFailedIndexes", most)):
        if value is not None and value > _MOST_WITH_MANY:
            yield invalid(f"{field}.{name}", value, f"must be less than or equal to {_MOST_WITH_MANY} {when}")


def _check_manager(manager: str, field: str) -> Iterator[Cause]:
    domain, slash, path = manager.partition("/")
    if not manager:
        yield required(field)
    elif not slash or not domain or not path:
        yield invalid(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")')
    elif complaint := names.subdomain(domain):
        yield invalid(field, domain, complaint)
    if len(manager) > _LONGEST_MANAGER:
        yield too_long(field, _LONGEST_MANAGER)


def _check_restarts(spec: Obj, field: str) -> Iterator[Cause]:
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy")
    if policy in (None, "", "Always"):
        yield required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in _RESTARTS:
        yield not_supported(field, policy, _RESTARTS)
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _without_changeable(template: Obj) -> Obj:
    """A template without what a suspended Job may change: where pods are scheduled, and what they ask for."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    kept = {name: value for name, value in metadata.items() if name not in ("labels", "annotations") and value}
    left = {
        name: value
        for name, value in spec.items()
        if name not in ("nodeSelector", "tolerations", "schedulingGates", "affinity")
    }
    affinity = {name: value for name, value in (spec.get("affinity") or {}).items() if name != "nodeAffinity"}
    for part in ("containers", "initContainers"):
        left[part] = [{**one, "resources": None} for one in spec.get(part) or ()]
    return {"metadata": kept, "spec": left, "affinity": affinity}
