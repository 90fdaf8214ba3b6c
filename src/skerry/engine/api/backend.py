"""What every verb works with: the instance's configuration, the store, the kinds, the clock and admission.

Made once by `server`; verbs are plain functions `(backend, request) -> response`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.auth.authority import Authority
from skerry.engine.api.auth.credentials import Credentials
from skerry.engine.config import EngineConfig
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Store
from skerry.kube.clock import Clock

if TYPE_CHECKING:
    from skerry.engine.api.pod_access import PodAccess


@dataclass(frozen=True, slots=True)
class Backend:
    """The parts behind the verbs. `pod_access` None: this server has no node (streams are refused with 503)."""

    config: EngineConfig
    store: Store
    registry: Registry
    admission: Chain
    credentials: Credentials
    authority: Authority
    pod_access: PodAccess | None = None

    @property
    def clock(self) -> Clock:
        """The instance's clock."""
        return self.config.clock
