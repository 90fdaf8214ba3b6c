"""What every controller is given: the way to the API, shared caches, events, time, and what this instance is.

`program` makes one `Context` and hands it to `all.make_controllers`. Nothing here reaches a store or a socket itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from skerry.engine.certificates.root import RootCertificate
from skerry.engine.config import EngineConfig
from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record


class Elsewhere(NamedTuple):
    """What extension API servers serve as of now."""

    resources: Sequence[Resource] = ()
    """What can be listed and deleted there."""
    silent: Sequence[str] = ()
    """Group versions ("example.com/v1") whose server does not answer: what there is of them nobody knows."""


class HostNetwork(NamedTuple):
    """What the machine's own network has in use, asked of the kernel at every call."""

    is_taken: Callable[[str, int], bool] = lambda _protocol, _port: False
    """Whether a program listens at a port ("TCP", 80) where node ports answer."""
    addresses: Callable[[], frozenset[str]] = frozenset
    """All addresses of the machine."""
    is_real: bool = False
    """Whether there is a machine at all, whose files pods see."""


NO_HOST = HostNetwork()


@record
class Context:
    """Shared by all controllers of one instance.

    Each controller acts as itself: `all` gives it a context whose `client` is that of its service account, which may do
    what the role `system:controller:<name>` says (`engine/api/auth/rbac/defaults`).
    """

    client: Client
    """Of the controller manager, which may read everything, write events and little else."""
    informers: Informers
    recorder: Recorder
    clock: Clock
    config: EngineConfig
    resources: Callable[[], Iterable[Resource]]
    """Every served resource that can be listed, watched and deleted, as of now; custom ones included."""
    elsewhere: Callable[[], Elsewhere]
    group_versions: Callable[[], Iterable[str]]
    """Every version of a group that is served here as of now, by the name of its APIService ("v1.apps")."""
    root_ca: RootCertificate
    """The certificate authority of the API, published in every namespace as `kube-root-ca.crt`."""
    sign_token: Callable[[Obj, Obj], str]
    """The token of a service account that is kept in a Secret, given both."""
    identity: Callable[[str], Client]
    """The client of a user by name, or of a controller's service account in kube-system: see `acting_as`."""
    host: HostNetwork = NO_HOST
    """A cluster for tests has none: nothing is taken."""

    def acting_as(self, name: str) -> Context:
        """The same with the client of a controller ("replicaset-controller") or a user ("system:kube-scheduler")."""
        return replace(self, client=self.identity(name))
