"""What every namespace has: the ServiceAccount `default` and the ConfigMap `kube-root-ca.crt`.

Both are made when a namespace appears and made again when somebody deletes them. Source: Kubernetes
`pkg/controller/serviceaccount` and `pkg/controller/certificates/rootcacertpublisher`.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.writing import namespace_is_ending
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Forbidden, NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, is_deleting, name_of, namespace_of
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS

DEFAULT_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class NamespaceEquipment(Controller):
    """Keys are namespaces."""

    name = "serviceaccount"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._root_ca = context.root_ca
        self._namespaces = context.informers.of(NAMESPACES)
        self._accounts = context.informers.of(SERVICE_ACCOUNTS)
        self._config_maps = context.informers.metadata_of(CONFIG_MAPS)
        self.watch(self._namespaces)
        self._watch_named(self._accounts, DEFAULT_ACCOUNT)
        self._watch_named(self._config_maps, ROOT_CA)
        self._root_ca.on_change(self._look_everywhere)

    async def reconcile(self, key: str) -> float | None:
        """Make what is missing, correct the certificate."""
        namespace = self._namespaces.get(key)
        if namespace is None or is_deleting(namespace):
            return None
        if self._accounts.get(DEFAULT_ACCOUNT, key) is None:
            await self._create(SERVICE_ACCOUNTS, account(key), key)
        await self._publish_root_ca(key)
        return None

    async def _publish_root_ca(self, namespace: str) -> None:
        """The cache holds no data, to save memory, so what is there is read from the API."""
        pem = self._root_ca.pem
        try:
            published = await self._client.get(CONFIG_MAPS, ROOT_CA, namespace)
        except NotFound:
            await self._create(CONFIG_MAPS, root_ca(namespace, pem), namespace)
            return
        if published.get("data") != {"ca.crt": pem}:
            await self._client.update(CONFIG_MAPS, {**published, "data": {"ca.crt": pem}})

    def _look_everywhere(self) -> None:
        for namespace in self._namespaces.list():
            self.queue.add(name_of(namespace))

    async def _create(self, resource: Resource, obj: Obj, namespace: str) -> None:
        try:
            await self._client.create(resource, obj, namespace)
        except (AlreadyExists, NotFound):
            return  # somebody else made it, or the namespace is gone
        except Forbidden as error:
            if not namespace_is_ending(error):
                raise

    def _watch_named(self, informer: Informer, name: str) -> None:
        def changed(delta: Delta) -> None:
            if delta.old is not None and name_of(delta.object) == name:
                self.queue.add(namespace_of(delta.object))

        informer.add_handler(changed)


def account(namespace: str) -> Obj:
    """The ServiceAccount of pods that name none."""
    metadata = {"name": DEFAULT_ACCOUNT, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def root_ca(namespace: str, pem: str) -> Obj:
    """The certificate authority, for pods that call the API."""
    annotations = {"kubernetes.io/description": _DESCRIPTION}
    metadata = {"name": ROOT_CA, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"ca.crt": pem}}
