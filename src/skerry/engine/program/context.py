"""What the controllers of an instance are given, made from its API server. Used by the engine and by test clusters.

Nothing is started here: whoever makes a context starts and closes its informers and its recorder.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from skerry.engine.api.aggregation.table import ApiServiceTable
from skerry.engine.api.server import ApiServer
from skerry.engine.config import EngineConfig
from skerry.engine.controllers.context import NO_HOST, Context, Elsewhere, HostNetwork
from skerry.engine.network.machine import is_listened_on, own_addresses
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Resource

_WATCHED_VERBS = {"list", "watch", "delete"}


def make_context(api: ApiServer, host: HostNetwork = NO_HOST) -> Context:
    """The context of a started API server, as the controller manager's user."""
    config = api.config
    manager = api.component("system:kube-controller-manager")

    def resources() -> Iterable[Resource]:
        """Every stored resource as of now: what garbage collection and namespace deletion must look at."""
        kinds = [kind for kind in api.registry.one_each() if set(kind.verbs) >= _WATCHED_VERBS]
        return [
            one.resource for one in kinds if not api.registry.is_elsewhere(one.resource.group, one.resource.version)
        ]

    def group_versions() -> Iterable[str]:
        return [f"{version}.{group}" for group, versions in api.registry.versions().items() for version in versions]

    informers = Informers(manager)
    for component in ("controller-manager", "scheduler"):
        api.health.components[component] = lambda: ", ".join(informers.incomplete())
    return Context(
        client=manager,
        informers=informers,
        recorder=Recorder(manager, config.clock, "kube-controller-manager"),
        clock=config.clock,
        config=config,
        resources=resources,
        elsewhere=partial(_elsewhere, api.api_services),
        group_versions=group_versions,
        root_ca=api.root_ca,
        sign_token=api.credentials.issuer.legacy,
        identity=api.component,
        host=host,
    )


def host_network(config: EngineConfig) -> HostNetwork:
    """The machine's network. Node ports of the first instance answer on all its addresses, of others on one."""
    addresses = [config.loopback_address]
    if config.index == 0:
        addresses = ["0.0.0.0", "::"] if config.pod_cidr6 else ["0.0.0.0"]  # noqa: S104

    def is_taken(protocol: str, port: int) -> bool:
        return any(is_listened_on(address, protocol, port) for address in addresses)

    return HostNetwork(is_taken, own_addresses, is_real=True)


def _elsewhere(table: ApiServiceTable) -> Elsewhere:
    resources, silent = [], []
    for place, remote in table.remotes.items():
        learnt = table.learnt(place)
        if remote.available and learnt.current:
            resources += learnt.collections(*place)
        else:
            silent.append(remote.group_version)
    return Elsewhere(resources, sorted(silent))
