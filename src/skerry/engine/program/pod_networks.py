"""Who has to do with a pod's network besides CNI: the policies that guard it, and the limits on its bandwidth.

The node agent knows one such party (`node.pod_network`); here it is two.
"""

from __future__ import annotations

from skerry.engine.network.bandwidth.keeper import BandwidthKeeper
from skerry.engine.network.bandwidth.limits import limits_of
from skerry.engine.network.commands import CommandError
from skerry.engine.network.policy.keeper import PolicyKeeper
from skerry.engine.node.errors import ConfigError, RunError
from skerry.kube.objects import Obj


class PodNetworks:
    """Tells both, waits for both."""

    def __init__(self, policies: PolicyKeeper, bandwidth: BandwidthKeeper) -> None:
        self._policies = policies
        self._bandwidth = bandwidth

    def check(self, pod: Obj) -> None:
        """Raises ConfigError for limits of bandwidth that are none."""
        try:
            limits_of(pod)
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def attached(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        """The pod has these addresses from now on, the first of IPv4."""
        self._policies.attached(pod, addresses)
        self._bandwidth.attached(pod, addresses[0])

    def detached(self, uid: str) -> None:
        """The pod has no address any more, if it had one."""
        self._policies.detached(uid)
        self._bandwidth.detached(uid)

    async def ready(self, uid: str) -> None:
        """Returns when its rules and limits are in force. Raises RunError for a limit that this machine cannot hold."""
        await self._policies.ready(uid)
        try:
            await self._bandwidth.ready(uid)
        except (CommandError, OSError) as error:
            raise RunError(str(error)) from error
