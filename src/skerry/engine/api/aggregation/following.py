"""Following one resource of the store, whatever happens to the watch."""

from __future__ import annotations

import logging
from collections.abc import Callable

from skerry.engine.store.contract import Change, Compacted, Store, StoreClosed, WatchOverflow

log = logging.getLogger(__name__)


async def follow(store: Store, resource: str, load: Callable[[], None], apply: Callable[[Change], None]) -> None:
    """Call `load` now and whenever changes were missed, `apply` for every change after that, until the store is
    closed or the task cancelled."""
    while True:
        watch = store.watch(resource, since=store.revision)
        try:
            load()
            while True:
                for change in await watch.next():
                    apply(change)
        except (WatchOverflow, Compacted):
            log.warning("too many changes of %s at once: reading all of them again", resource)
        except StoreClosed:
            return
        finally:
            watch.close()
