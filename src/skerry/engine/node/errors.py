"""Failures a pod's user has to see: each carries the reason and the message that go into status and events."""

from __future__ import annotations

from datetime import datetime


class PodProblem(Exception):
    """Something keeps a container or a pod from starting. `reason` is a waiting reason of `containerStatuses`;
    `retry_at` says when trying again makes sense, when that is known."""

    reason = "CreateContainerError"

    def __init__(self, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_at = retry_at


class ConfigError(PodProblem):
    """The container's configuration cannot be satisfied (a missing ConfigMap, a user that must not be root)."""

    reason = "CreateContainerConfigError"


class CreateError(PodProblem):
    """The runtime refused to create the container."""

    reason = "CreateContainerError"


class RunError(PodProblem):
    """The runtime could not start the created container."""

    reason = "RunContainerError"


class HookError(PodProblem):
    """A postStart hook failed: the container is killed and restarted by policy."""

    reason = "PostStartHookError"


class ImageError(PodProblem):
    """The image cannot be had. `reason` is given with it: ErrImagePull, ImagePullBackOff, ErrImageNeverPull, ..."""

    def __init__(self, reason: str, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message, retry_at)
        self.reason = reason


class VolumeError(PodProblem):
    """A volume cannot be made ready; the pod stays Pending and it is tried again."""

    reason = "ContainerCreating"
