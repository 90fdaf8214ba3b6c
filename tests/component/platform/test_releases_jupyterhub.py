"""The chart jupyterhub as a release of a project: it gives its hub rights, and may give none but the project's."""

from __future__ import annotations

import json

from skerry.kube.errors import Forbidden
from skerry.kube.resources import CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import release, releasing, until_reason
from tests.support.charts import CHARTS
from tests.support.kept_charts import put_chart
from tests.support.waiting import until_raises

HUB = CHARTS / "jupyterhub"


async def test_the_hub_may_make_pods_and_claims_and_nothing_else() -> None:
    async with releasing() as running:
        ben = running.as_user("ben")
        files = {str(path.relative_to(HUB)): path.read_text() for path in HUB.rglob("*") if path.is_file()}
        await put_chart(running.admin, "jupyterhub", {"1.0.0": files})
        await ben.create(RELEASES, release("hub", chart={"name": "jupyterhub"}), "lidar")
        await until_reason(ben, "hub", "Deployed")

        told = json.loads((await ben.get(CONFIG_MAPS, "hub-config", "lidar"))["data"]["settings.json"])
        assert told["guarded"] is True
        hub = running.as_user("system:serviceaccount:lidar:hub")
        assert [one["metadata"]["labels"]["skerry.dev/release"] for one in (await hub.list(PODS, "lidar")).items] == [
            "hub"
        ]
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
        await hub.create(PERSISTENT_VOLUME_CLAIMS, {"metadata": {"name": "hub--ana"}, "spec": claim}, "lidar")
        await until_raises(Forbidden, lambda: hub.list(SECRETS, "lidar"))
        await until_raises(Forbidden, lambda: hub.list(PODS, "lidar-b"))
