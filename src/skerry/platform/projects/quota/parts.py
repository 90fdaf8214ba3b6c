"""What the quota of projects brings to its capability: rights, the hook, the controller."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.platform.base.admission import Hook
from skerry.platform.base.capability import Context
from skerry.platform.projects.quota.hook import quota_hook
from skerry.platform.projects.quota.reporting import QuotaReport
from skerry.platform.projects.quota.resources import RIGHTS

__all__ = ["RIGHTS", "controllers", "hooks"]


def hooks(context: Context) -> Sequence[Hook]:
    """Admission."""
    return [quota_hook(context)]


def controllers(context: Context) -> Sequence[Controller]:
    """What keeps `status.quota`."""
    return [QuotaReport(context)]
