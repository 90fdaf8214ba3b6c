"""HorizontalPodAutoscalers: measures (`usage`), restrains (`limits`), sets the count, tells why (`status`).

Source of the behaviour: Kubernetes `pkg/controller/podautoscaler`. Every autoscaler is looked at every 15 seconds;
without any nothing runs. Metrics come from metrics.k8s.io through the API; those of the custom and external metrics
APIs, which are not served, are refused by a condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skerry.engine.controllers.autoscaling.limits import History, limited
from skerry.engine.controllers.autoscaling.status import Report, metric_name, metric_status, target_of
from skerry.engine.controllers.autoscaling.usage import CannotTell, Proposal, Target, Tolerance, measurements, propose
from skerry.engine.controllers.context import Context
from skerry.engine.controllers.writing import write_status
from skerry.kube.client import Selection
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, Resource, is_deleting, key_of, labels_of, namespace_of, split_key
from skerry.kube.quantities import parse_quantity
from skerry.kube.resources import HORIZONTAL_POD_AUTOSCALERS, PODS
from skerry.kube.selectors import parse_selector

_PERIOD = 15.0  # seconds
_POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")


@dataclass(slots=True)
class Measurement:
    """What the metrics of one autoscaler ask for: the highest count, by which of them, and what each showed."""

    wanted: int = -1
    metric: str = ""
    shown: list[Obj] = field(default_factory=list)


class Unscalable(Exception):
    """No count could be worked out; conditions say why."""


class AutoscalerController(Controller):
    """Keys are autoscalers."""

    name = "horizontal-pod-autoscaler"
    workers = 2

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._resources = context.resources
        self._recorder = context.recorder.named("horizontal-pod-autoscaler")
        self._autoscalers = context.informers.of(HORIZONTAL_POD_AUTOSCALERS)
        self._pods = context.informers.of(PODS)
        self._histories: dict[str, History] = {}
        self._autoscalers.add_handler(self._changed)

    async def reconcile(self, key: str) -> float | None:
        """Look at one; comes back after the period."""
        namespace, name = split_key(key)
        autoscaler = self._autoscalers.get(name, namespace)
        if autoscaler is None or is_deleting(autoscaler):
            self._histories.pop(key, None)
            return None
        report = Report(autoscaler, self._clock.now())
        try:
            resource, scale = await self._scale(autoscaler, report)
            status = await self._settle(key, autoscaler, (resource, scale), report)
        except Unscalable:
            status = report.failed(None)
        await write_status(self._client, HORIZONTAL_POD_AUTOSCALERS, autoscaler, status)
        return _PERIOD

    async def _scale(self, autoscaler: Obj, report: Report) -> tuple[Resource, Obj]:
        """The target's resource and its Scale. Raises Unscalable."""
        target = autoscaler["spec"]["scaleTargetRef"]
        try:
            resource = self._resource(target)
            scale = await self._client.get(resource, target["name"], namespace_of(autoscaler), "scale")
        except StatusError as error:
            self._recorder.event(autoscaler, "Warning", "FailedGetScale", str(error))
            why = f"the HPA controller was unable to get the target's current scale: {error}"
            report.condition("AbleToScale", False, "FailedGetScale", why)
            raise Unscalable from error
        why = "the HPA controller was able to get the target's current scale"
        report.condition("AbleToScale", True, "SucceededGetScale", why)
        return resource, scale

    def _resource(self, target: Obj) -> Resource:
        group, _, version = target.get("apiVersion", "").rpartition("/")
        kind = target["kind"]
        for one in self._resources():
            if one.kind == kind and one.group == group:
                return one
        raise NotFound(f'no matches for kind "{kind}" in version "{group}/{version}"' if group else
                       f'no matches for kind "{kind}" in version "{version}"')  # fmt: skip

    async def _settle(self, key: str, autoscaler: Obj, found: tuple[Resource, Obj], report: Report) -> Obj:
        """Work the count out and set it; returns the status."""
        resource, scale = found
        spec, now = autoscaler["spec"], self._clock.steady()
        current = int((scale.get("spec") or {}).get("replicas") or 0)
        history = self._histories.setdefault(key, History([(now, current)]))
        least, most = int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
        measured = Measurement()
        if current == 0:
            why = "scaling is disabled since the replica count of the target is zero"
            report.condition("ScalingActive", False, "ScalingDisabled", why)
            desired, reason = 0, ""
        elif current > most:
            desired, reason = most, "Current number of replicas above Spec.MaxReplicas"
        elif current < least:
            desired, reason = least, "Current number of replicas below Spec.MinReplicas"
        else:
            try:
                measured = await self._measure(autoscaler, scale, report)
            except Unscalable as why_not:
                self._recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", str(why_not))
                return report.failed(int((scale.get("status") or {}).get("replicas") or 0))
            reason = f"{measured.metric} above target" if measured.wanted > current else "All metrics below target"
            result = limited(autoscaler, current, measured.wanted, history, now)
            report.limited(result)
            desired = result.count
        rescaled = desired != current and await self._rescale(autoscaler, resource, scale, (desired, reason), report)
        if rescaled:
            history.rescaled(current, desired, now)
        return report.status(current, desired if rescaled else current, measured.shown, rescaled=rescaled)

    async def _rescale(
        self, autoscaler: Obj, resource: Resource, scale: Obj, wanted: tuple[int, str], report: Report
    ) -> bool:
        size, reason = wanted
        try:
            await self._client.update(resource, {**scale, "spec": {"replicas": size}}, "scale")
        except StatusError as error:
            what = f"New size: {size}; reason: {reason}; error: {error}"
            self._recorder.event(autoscaler, "Warning", "FailedRescale", what)
            why = f"the HPA controller was unable to update the target scale: {error}"
            report.condition("AbleToScale", False, "FailedUpdateScale", why)
            return False
        why = f"the HPA controller was able to update the target scale to {size}"
        report.condition("AbleToScale", True, "SucceededRescale", why)
        self._recorder.event(autoscaler, "Normal", "SuccessfulRescale", f"New size: {size}; reason: {reason}")
        return True

    async def _measure(self, autoscaler: Obj, scale: Obj, report: Report) -> Measurement:
        """Ask every metric. Raises Unscalable when none answers, or one does not and the others would shrink it."""
        selector = (scale.get("status") or {}).get("selector")
        if not selector:
            self._recorder.event(autoscaler, "Warning", "SelectorRequired", "selector is required")
            why = "the HPA target's scale is missing a selector"
            report.condition("ScalingActive", False, "InvalidSelector", why)
            raise Unscalable("selector is required")
        current = int((scale.get("spec") or {}).get("replicas") or 0)
        measured = Measurement()
        failures: list[tuple[str, str]] = []
        metrics = autoscaler["spec"].get("metrics") or []
        for metric in metrics:
            try:
                await self._ask(autoscaler, metric, selector, current, measured)
            except CannotTell as why_not:
                reason = f"FailedGet{metric.get('type', '')}Metric"
                self._recorder.event(autoscaler, "Warning", reason, str(why_not))
                failures.append((reason, f"failed to get {_subject(metric)} value: {why_not}"))
        if failures and (len(failures) == len(metrics) or measured.wanted < current):
            reason, first = failures[0]
            why = f"the HPA was unable to compute the replica count: {first}"
            report.condition("ScalingActive", False, reason, why)
            raise Unscalable(
                f"invalid metrics ({len(failures)} invalid out of {len(metrics)}), first error is: {first}"
            )
        why = f"the HPA was able to successfully calculate a replica count from {measured.metric}"
        report.condition("ScalingActive", True, "ValidMetricFound", why)
        return measured

    async def _ask(self, autoscaler: Obj, metric: Obj, selector: str, current: int, measured: Measurement) -> None:
        target = target_of(metric)
        if target is None:
            kind = metric.get("type")
            raise CannotTell(f"metrics of type {kind} are not served: only Resource and ContainerResource are")
        proposal = await self._proposal(autoscaler, target, selector, current)
        measured.shown.append(metric_status(target, proposal))
        if proposal.replicas > measured.wanted:
            measured.wanted, measured.metric = proposal.replicas, metric_name(target)

    async def _proposal(self, autoscaler: Obj, target: Target, selector: str, current: int) -> Proposal:
        namespace = namespace_of(autoscaler)
        try:
            listed = await self._client.list(_POD_METRICS, namespace, Selection(label_selector=selector))
        except StatusError as error:
            what = f"unable to get metrics for resource {target.resource}: unable to fetch metrics from resource"
            raise CannotTell(f"{what} metrics API: {error}") from error
        matches = parse_selector(selector).matches
        pods: Sequence[Obj] = [pod for pod in self._pods.list(namespace) if matches(labels_of(pod))]
        moment = (self._clock.now(), _tolerance(autoscaler))
        return propose(target, pods, measurements(listed.items, target), current, moment)

    def _changed(self, delta: Delta) -> None:
        """Its own writes of the status are no reason to look again before the time."""
        old, new = delta.old, delta.new
        if old is None or new is None or old["spec"] != new["spec"] or is_deleting(new):
            self.queue.add(key_of(delta.object))


def _tolerance(autoscaler: Obj) -> Tolerance:
    behavior = autoscaler["spec"].get("behavior") or {}
    given = ((behavior.get(part) or {}).get("tolerance") for part in ("scaleDown", "scaleUp"))
    down, up = (0.1 if one is None else float(parse_quantity(one)) for one in given)
    return Tolerance(down, up)


def _subject(metric: Obj) -> str:
    """How a failure speaks of it."""
    if metric.get("type") == "Resource":
        return f"{metric['resource']['name']} resource metric"
    if metric.get("type") == "ContainerResource":
        return f"{metric['containerResource']['name']} container metric"
    return f"{str(metric.get('type', '')).lower()} metric"
