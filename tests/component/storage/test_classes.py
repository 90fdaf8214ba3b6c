"""Classes and drivers in the API: put there once, and left to whoever deletes or changes them."""

from __future__ import annotations

from skerry.engine.definitions.installing import install
from skerry.engine.definitions.snapshots import DEFINITIONS, SNAPSHOT_CLASSES
from skerry.engine.storage.classes import install_classes, wanted_objects
from skerry.kube.objects import name_of
from skerry.kube.resources import CSI_DRIVERS, STORAGE_CLASSES
from tests.support.api import running_api


async def test_they_are_put_there_once_and_stay_deleted() -> None:
    async with running_api() as api:
        await install(api.server.component("definition-installer"), DEFINITIONS)
        installer = api.server.component("storage-installer")
        theirs = {"metadata": {"name": "memory"}, "provisioner": "example.com/theirs"}
        await api.client.create(STORAGE_CLASSES, theirs)

        await install_classes(installer)
        for resource, obj in wanted_objects():
            found = await api.client.get(resource, name_of(obj))
            assert found["metadata"]["name"] == name_of(obj)
        assert (await api.client.get(STORAGE_CLASSES, "memory"))["provisioner"] == "example.com/theirs"
        local = await api.client.get(STORAGE_CLASSES, "local")
        assert (local["volumeBindingMode"], local["allowVolumeExpansion"]) == ("WaitForFirstConsumer", True)

        await api.client.delete(STORAGE_CLASSES, "local")
        await api.client.delete(SNAPSHOT_CLASSES, "local")
        await api.client.delete(CSI_DRIVERS, "s3.storage.skerry.dev")
        await install_classes(installer)
        assert [name_of(one) for one in (await api.client.list(STORAGE_CLASSES)).items] == ["memory"]
        assert (await api.client.list(SNAPSHOT_CLASSES)).items == []
        assert "s3.storage.skerry.dev" not in [name_of(one) for one in (await api.client.list(CSI_DRIVERS)).items]
