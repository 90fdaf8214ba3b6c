"""Pods with the tracking finalizer that no Job will count any more: the finalizer goes, so that they can.

Source: `syncOrphanPod` in Kubernetes' `job_controller.go`. Keys are pods: those without a controller, those of a Job
that is gone, and those that a Job which is over has left behind.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.job.acting import remove_finalizer
from skerry.engine.controllers.job.facts import finished, is_tracked, managed_elsewhere
from skerry.engine.controllers.ownership import controlled_by, index_controllers
from skerry.kube.controller import Controller
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, controller_of, key_of, namespace_of, split_key, uid_of
from skerry.kube.resources import JOBS, PODS


class JobOrphans(Controller):
    """Lets pods go."""

    name = "job-orphans"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._jobs = context.informers.of(JOBS)
        self._pods = context.informers.of(PODS)
        index_controllers(self._pods)
        self._pods.add_handler(self._pod_changed)
        self._jobs.add_handler(self._job_changed)

    async def reconcile(self, key: str) -> float | None:
        """Take the finalizer off one pod, unless somebody will count it."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is not None and is_tracked(pod) and self._is_orphan(pod):
            error = await remove_finalizer(self._client, pod)
            if error is not None:
                raise error
        return None

    def _is_orphan(self, pod: Obj) -> bool:
        reference = controller_of(pod)
        if reference is None:
            return True
        if reference["kind"] != JOBS.kind or reference["apiVersion"] != JOBS.api_version:
            return False
        job = self._jobs.get(reference["name"], namespace_of(pod))
        if job is None or uid_of(job) != reference["uid"]:
            return True
        return not managed_elsewhere(job) and finished(job) is not None

    def _pod_changed(self, delta: Delta) -> None:
        if delta.new is not None and is_tracked(delta.new) and self._is_orphan(delta.new):
            self.queue.add(key_of(delta.new))

    def _job_changed(self, delta: Delta) -> None:
        """A Job that is gone or over leaves its pods behind."""
        if delta.new is None or finished(delta.new) is not None:
            for pod in controlled_by(self._pods, uid_of(delta.object)):
                if is_tracked(pod):
                    self.queue.add(key_of(pod))
