"""The roles and bindings of the store, as the authorizer reads them: always what is committed, nothing listed per
request.

Bindings are indexed by subject once and then follow the store's watch. Roles are decoded when somebody first needs
them. The store tells watchers of a commit before it answers the writer, so whoever has made a binding finds it at
work. `changed` is called at every change: answers remembered before are void. Neighbours: `bindings`, `authorizer`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from skerry.engine.api.auth.rbac.bindings import Bindings, RoleKey
from skerry.engine.api.auth.rbac.rules import Rule, rules_of
from skerry.engine.api.request import User
from skerry.engine.store.contract import Change, Compacted, Entry, Key, Store, StoreClosed, Watch, WatchOverflow

log = logging.getLogger(__name__)

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"
_RESOURCES = (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS)


class RoleTable:
    """Reads the store at once when first asked; follows it from `start` to `close`."""

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed
        self._bindings: Bindings | None = None
        self._rules: dict[RoleKey, tuple[Rule, ...]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Follow the store from here on."""
        self._bindings = None
        for resource in _RESOURCES:
            watch = self._store.watch(resource, since=self._store.revision)
            self._tasks.append(asyncio.create_task(self._follow(resource, watch), name=f"RBAC: {resource}"))

    @property
    def following(self) -> bool:
        """Whether changes are noticed: nothing may be remembered otherwise."""
        return bool(self._tasks)

    async def close(self) -> None:
        """Stop following; harmless twice."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def rules_for(self, user: User, namespace: str) -> Iterator[tuple[str, Rule | None]]:
        """Every rule that applies to a user with the binding it comes from, or None and what is missing."""
        for grant in self._known_bindings().of(user, namespace):
            rules = self.rules(grant.role)
            if rules is None:
                yield grant.role.missing, None
            for rule in rules or ():
                yield grant.source, rule

    def rules(self, role: RoleKey) -> tuple[Rule, ...] | None:
        """A role's rules, or None when there is no such role."""
        known = self._rules.get(role)
        if known is None:
            entry = self._store.get(Key(ROLES if role.namespace else CLUSTER_ROLES, *role))
            if entry is None:
                return None
            known = rules_of(entry.decode())
            if self.following:
                self._rules[role] = known
        return known

    def _known_bindings(self) -> Bindings:
        if self._bindings is not None:
            return self._bindings
        bindings = Bindings()
        for resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            for entry in self._store.list(resource):
                bindings.put(entry.key, entry.decode())
        if self.following:
            self._bindings = bindings
        return bindings

    async def _follow(self, resource: str, watch: Watch) -> None:
        while True:
            try:
                for change in await watch.next():
                    self._apply(resource, change)
                self._changed()
            except (WatchOverflow, Compacted):
                log.warning("too many changes of %s at once: reading all roles and bindings again", resource)
                watch = self._store.watch(resource, since=self._store.revision)
                self._forget()
            except StoreClosed:
                return
            except Exception:  # what cannot be followed must not keep rights alive that were taken away
                log.exception("a change of %s cannot be followed: reading all roles and bindings again", resource)
                self._forget()

    def _forget(self) -> None:
        self._bindings = None
        self._rules.clear()
        self._changed()

    def _apply(self, resource: str, change: Change) -> None:
        key = change.entry.key
        if resource in (ROLES, CLUSTER_ROLES):
            self._rules.pop(RoleKey(key.namespace, key.name), None)
        elif self._bindings is not None:
            self._move(self._bindings, key, None if change.type == "DELETED" else change.entry)

    @staticmethod
    def _move(bindings: Bindings, key: Key, entry: Entry | None) -> None:
        if entry is None:
            bindings.remove(key)
        else:
            bindings.put(key, entry.decode())
