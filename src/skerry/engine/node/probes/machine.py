"""What a probe's results amount to: a pure state machine per container and kind of probe.

Source of the behaviour: the kubelet's `pkg/kubelet/prober/worker.go`. A verdict changes only after `successThreshold`
or `failureThreshold` equal results in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from skerry.kube.objects import Obj
from skerry.kube.records import record

Kind = Literal["startup", "readiness", "liveness"]


@record
class ProbeSpec:
    """A probe with Kubernetes' defaults filled in; times in seconds. `grace` replaces the pod's grace period when the
    probe kills."""

    kind: Kind
    handler: Obj
    initial_delay: float = 0
    period: float = 10
    timeout: float = 1
    success_threshold: int = 1
    failure_threshold: int = 3
    grace: int | None = None

    @classmethod
    def of(cls, kind: Kind, probe: Obj) -> ProbeSpec:
        """From the API's `Probe`."""
        return cls(
            kind=kind,
            handler=probe,
            initial_delay=probe.get("initialDelaySeconds") or 0,
            period=probe.get("periodSeconds") or 10,
            timeout=probe.get("timeoutSeconds") or 1,
            success_threshold=probe.get("successThreshold") or 1,
            failure_threshold=probe.get("failureThreshold") or 3,
            grace=probe.get("terminationGracePeriodSeconds"),
        )


@dataclass(slots=True)
class ProbeMachine:
    """Counts results. `verdict`: None until the first is reached; liveness begins as True, readiness as False."""

    spec: ProbeSpec
    verdict: bool | None = None
    _last: bool | None = None
    _run: int = 0

    def __post_init__(self) -> None:
        if self.verdict is None and self.spec.kind != "startup":
            self.verdict = self.spec.kind == "liveness"

    def observe(self, success: bool) -> bool:
        """Take one result; whether the verdict changed."""
        self._run = self._run + 1 if success == self._last else 1
        self._last = success
        needed = self.spec.success_threshold if success else self.spec.failure_threshold
        if self._run < needed or self.verdict == success:
            return False
        self.verdict = success
        return True
