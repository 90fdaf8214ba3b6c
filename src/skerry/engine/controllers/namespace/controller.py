"""Deletion of namespaces: pods first, then everything else, then the namespace's own finalizer.

Pods go first so that what they use outlives them. While anything remains, the conditions say what, and the deletion of
an object in a namespace that is ending brings the controller back; there is no polling but a slow look in case an
object stays for good. Source: Kubernetes `pkg/controller/namespace`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.garbage.decide import finalizers_of
from skerry.engine.controllers.namespace.conditions import Remaining, deletion_conditions
from skerry.engine.controllers.served import ServedResources
from skerry.engine.controllers.writing import write_status
from skerry.kube.conditions import conditions_of
from skerry.kube.controller import Controller
from skerry.kube.errors import MethodNotAllowed, NotFound, StatusError
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, is_deleting, name_of, namespace_of, uid_of
from skerry.kube.resources import API_SERVICES, NAMESPACES, PODS

FINALIZER = "kubernetes"
_LOOK_AGAIN = 15.0  # seconds
_AT_ONCE = 64  # deletions under way


class NamespaceController(Controller):
    """Keys are namespaces. Make it late, so that it shares the other controllers' caches."""

    name = "namespace"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._client = context.client
        self._clock = context.clock
        self._namespaces = context.informers.of(NAMESPACES)
        self._ending: set[str] = set()
        self._served = ServedResources(context, self._connect)
        self._served.refresh()
        self._namespaces.add_handler(self._namespace_changed)
        context.informers.of(API_SERVICES).add_handler(self._api_service_changed)

    async def reconcile(self, key: str) -> float | None:
        """One round: delete, look what is left, report, and let the namespace go when it is empty."""
        cached = self._namespaces.get(key)
        if cached is None or not is_deleting(cached):
            self._ending.discard(key)
            return None
        namespace = await self._as_it_is(key)
        if namespace is None or not is_deleting(namespace) or FINALIZER not in finalizers_in_spec(namespace):
            return None
        self._served.refresh()
        left = await self._delete_content(key)
        if not left.is_empty:
            await self._report(namespace, left)
            return _LOOK_AGAIN
        await self._finalize(namespace)
        return None

    async def _as_it_is(self, name: str) -> Obj | None:
        """Not as the cache has it: that may show one that has gone, while another has its name and things in it."""
        try:
            return await self._client.get(NAMESPACES, name)
        except NotFound:
            return None

    async def _delete_content(self, namespace: str) -> Remaining:
        elsewhere = self._context.elsewhere()
        left = Remaining()
        if PODS.group_resource in self._served.informers:
            await self._delete_all(PODS, namespace, left)
        if left.is_empty:
            others = [one for one in self._namespaced() if one.group_resource != PODS.group_resource]
            for resource in (*others, *(one for one in elsewhere.resources if one.namespaced)):
                await self._delete_all(resource, namespace, left)
        left.undiscovered.extend(elsewhere.silent)
        return left

    def _namespaced(self) -> Iterable[Resource]:
        return [one.resource for one in self._served.informers.values() if one.resource.namespaced]

    async def _delete_all(self, resource: Resource, namespace: str, left: Remaining) -> None:
        """Ask every object of a resource to go, then note which are still there."""
        try:
            found = (await self._client.list(resource, namespace)).items
            if found:
                await self._delete_objects(resource, found)
                found = (await self._client.list(resource, namespace)).items
        except (MethodNotAllowed, NotFound):
            return  # not a collection, or served no longer
        except StatusError as error:
            left.failures.append(f"{resource.group_resource}: {error.message}")
            return
        if found:
            left.objects[f"{resource.plural}.{resource.group}"] += len(found)
            left.finalizers.update(finalizer for obj in found for finalizer in finalizers_of(obj))

    async def _delete_objects(self, resource: Resource, objs: list[Obj]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def delete(obj: Obj) -> None:
            async with gate:
                options = {"preconditions": {"uid": uid_of(obj)}, "propagationPolicy": "Background"}
                try:
                    await self._client.delete(resource, name_of(obj), namespace_of(obj), options)
                except NotFound:
                    return

        await asyncio.gather(*(delete(obj) for obj in objs if not is_deleting(obj)))

    async def _report(self, namespace: Obj, left: Remaining) -> None:
        conditions = deletion_conditions(conditions_of(namespace), left, self._clock.now())
        status = {**(namespace.get("status") or {}), "phase": "Terminating", "conditions": conditions}
        await write_status(self._client, NAMESPACES, namespace, status)

    async def _finalize(self, namespace: Obj) -> None:
        left = [one for one in finalizers_in_spec(namespace) if one != FINALIZER]
        finalized = {**namespace, "spec": {**(namespace.get("spec") or {}), "finalizers": left}}
        try:
            await self._client.update(NAMESPACES, finalized, "finalize")
        except NotFound:
            return

    def _connect(self, informer: Informer) -> None:
        if informer.resource.namespaced:
            informer.add_handler(self._content_changed)

    def _content_changed(self, delta: Delta) -> None:
        if self._ending and (delta.new is None or delta.old is None):
            namespace = namespace_of(delta.object)
            if namespace in self._ending:
                self.queue.add(namespace)

    def _api_service_changed(self, delta: Delta) -> None:
        """A server that answers again may be all that namespaces wait for."""
        for namespace in self._ending:
            self.queue.add(namespace)

    def _namespace_changed(self, delta: Delta) -> None:
        name = name_of(delta.object)
        if delta.new is None:
            self._ending.discard(name)
        elif is_deleting(delta.new):
            self._ending.add(name)
            if delta.old is None or not is_deleting(delta.old):
                self.queue.add(name)


def finalizers_in_spec(namespace: Obj) -> list[str]:
    """`spec.finalizers`, which namespaces have beside `metadata.finalizers`."""
    return (namespace.get("spec") or {}).get("finalizers") or []
