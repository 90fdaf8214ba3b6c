"""To whom what controllers make belongs."""

from __future__ import annotations

from typing import Any, cast

from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource
from skerry.platform.usage.attributing.owners import Owners
from skerry.platform.usage.types import USER_ANNOTATION


class Objects:
    """What is there, by kind and name."""

    def __init__(self, **users: str) -> None:
        self._users = users

    async def get(self, resource: Resource, name: str, namespace: str) -> Obj:
        user = self._users.get(f"{resource.kind}_{name}")
        if user is None:
            raise NotFound(f"{resource.plural} {name}")
        templates = [{"metadata": {"name": "data"}}]
        metadata = {"name": name, "uid": name, "annotations": {USER_ANNOTATION: user}}
        return {"metadata": metadata, "spec": {"volumeClaimTemplates": templates}}


def claim(name: str) -> Obj:
    helm = {"meta.helm.sh/release-name": "notebook", "meta.helm.sh/release-namespace": "lidar"}
    return {"kind": "PersistentVolumeClaim", "metadata": {"name": name, "annotations": helm}}


async def test_a_claim_of_a_set_is_of_whose_the_set_is_whatever_its_template_says() -> None:
    owners = Owners(cast("Any", Objects(Release_notebook="anna", StatefulSet_db="ben")))
    assert await owners.user_of(claim("data-db-0"), "lidar") == "ben"
    assert await owners.user_of(claim("home"), "lidar") == "anna"
