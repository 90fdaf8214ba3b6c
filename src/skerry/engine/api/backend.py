"""What every verb works with: the instance's configuration, the store, the kinds, the clock and admission.

Made once by `server`; verbs are plain functions `(backend, request) -> response`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.auth.authority import Authority
from skerry.engine.api.auth.credentials import Credentials
from skerry.engine.api.discovery.health import Health
from skerry.engine.config import EngineConfig
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Entry, Store
from skerry.kube.clock import Clock
from skerry.kube.errors import not_found
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.engine.api.pod_access import PodAccess
    from skerry.engine.api.request import Target


@record
class Backend:
    """The parts behind the verbs. `pod_access` None: this server has no node (streams are refused with 503)."""

    config: EngineConfig
    store: Store
    registry: Registry
    admission: Chain
    credentials: Credentials
    authority: Authority
    health: Health
    pod_access: PodAccess | None = None

    @property
    def clock(self) -> Clock:
        """The instance's clock."""
        return self.config.clock


def find(backend: Backend, target: Target) -> Entry:
    """The stored state of what is named. Raises NotFound."""
    entry = backend.store.get(target.key)
    if entry is None:
        raise not_found(target.group_resource, target.name)
    return entry
